/* SPDX-License-Identifier: MIT */
/*
 * vmstat.c - the kernel's counters: vmstat [-d SECONDS] [-a]
 *
 * -d shows what changed in that time; zero rows are left out without -a.
 */
#include <user.h>

#include <abi/stat_tern.h>

static const struct {
	const char	*name, *text;
} rows[TS_COUNT] = {
#define ROW(n, t)	[TS_##n] = { #n, t },
	TERN_STAT_LEVELS(ROW)
	TERN_STAT_EVENTS(ROW)
#undef ROW
};

int
main(int argc, char **argv)
{
	static struct tern_stat before, now;
	unsigned seconds = 0;
	bool all = false;
	int c;
	size_t i;

	while ((c = getopt(argc, argv, "ad:")) != -1) {
		if (c == '?')
			return 2;
		if (c == 'a')
			all = true;
		if (c == 'd')
			seconds = (unsigned)atoi(optarg);
	}
	if (seconds > 0) {
		tern_stat(&before, sizeof(before));
		sleep(seconds);
	}
	if (tern_stat(&now, sizeof(now)) < 0) {
		perror("tern_stat");
		return 1;
	}
	for (i = 0; i < TS_COUNT; i++) {
		if (rows[i].name == NULL)
			continue;
		if (now.v[i] != before.v[i] || all)
			printf("%-18s %12ld  %s\n", rows[i].name,
			    (long)(now.v[i] - before.v[i]), rows[i].text);
	}
	return 0;
}
