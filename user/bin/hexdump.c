/* SPDX-License-Identifier: MIT */
/*
 * hexdump.c - 16 bytes a line, as hexadecimal and as text.
 */
#include <user.h>

static void
show(unsigned long at, const unsigned char *p, int n)
{
	int i;

	printf("%08lx ", at);
	for (i = 0; i < 16; i++) {
		if (i < n)
			printf(" %02x", p[i]);
		else
			printf("   ");
	}
	printf("  |");
	for (i = 0; i < n; i++)
		printf("%c", p[i] >= ' ' && p[i] < 127 ? p[i] : '.');
	printf("|\n");
}

int
main(int argc, char **argv)
{
	static struct reader in;
	unsigned char line[16];
	unsigned long at = 0;
	int c, n = 0, fd = STDIN_FILENO;

	if (argc > 1 && (fd = open(argv[1], O_RDONLY)) < 0) {
		perror(argv[1]);
		return 1;
	}
	reader_init(&in, fd);
	while ((c = reader_getc(&in)) != -1) {
		line[n++] = (unsigned char)c;
		if (n == 16) {
			show(at, line, n);
			at += 16;
			n = 0;
		}
	}
	if (n > 0)
		show(at, line, n);
	return 0;
}
