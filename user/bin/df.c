/* SPDX-License-Identifier: MIT */
/* df.c - how full file systems are: df [PATH]... */
#include <user.h>

static int
show(const char *path)
{
	struct statfs st;
	uint64_t used;

	if (statfs(path, &st) < 0) {
		perror(path);
		return 1;
	}
	used = st.f_blocks - st.f_bfree;
	printf("%10lu %10lu %10lu %3lu%% %6lu/%lu %s\n",
	    st.f_blocks * st.f_bsize / 1024, used * st.f_bsize / 1024,
	    st.f_bavail * st.f_bsize / 1024,
	    st.f_blocks > 0 ? used * 100 / st.f_blocks : 0,
	    st.f_files - st.f_ffree, st.f_files, path);
	return 0;
}

int
main(int argc, char **argv)
{
	int i, failed = 0;

	printf("       KiB       used       free full inodes\n");
	if (argc == 1)
		return show("/");
	for (i = 1; i < argc; i++)
		failed |= show(argv[i]);
	return failed;
}
