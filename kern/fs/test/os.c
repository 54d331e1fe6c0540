/* SPDX-License-Identifier: MIT */
/* os.c - the Linux side of fs_test. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "os.h"

#define PAGE 4096u

void
os_print(const char *s)
{
	fputs(s, stdout);
	fflush(stdout);
}

void
os_fail(const char *s)
{
	fprintf(stderr, "fs_test: %s\n", s);
	abort();
}

void *
os_alloc(size_t n)
{
	void *p = malloc(n);

	if (p == NULL)
		os_fail("out of memory");
	memset(p, 0xdd, n); /* the kernel's allocator does not zero either */
	return p;
}

void
os_free(void *p)
{
	free(p);
}

static char *
map(size_t size)
{
	char *p = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
	    0);

	if (p == MAP_FAILED)
		os_fail("mmap");
	return p;
}

unsigned char *
os_load(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY);
	struct stat st;
	char *p;

	if (fd < 0 || fstat(fd, &st) != 0)
		os_fail(path);
	*size = (size_t)st.st_size;
	p = map(*size + PAGE);
	if (mmap(p, *size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd,
		0) == MAP_FAILED)
		os_fail("mmap of the image");
	close(fd);
	return (unsigned char *)p;
}

void
os_unload(unsigned char *p, size_t size)
{
	munmap(p, size + PAGE);
}

void
os_save(const char *path, const void *data, size_t size)
{
	FILE *f = fopen(path, "wb");

	if (f == NULL || fwrite(data, 1, size, f) != size || fclose(f) != 0)
		os_fail(path);
}

int
os_run(const char *command, const char *log)
{
	char line[1024];
	int status;

	snprintf(line, sizeof(line), "%s >%s 2>&1", command, log);
	status = system(line);
	return status < 0 || !WIFEXITED(status) ? 255 : WEXITSTATUS(status);
}

char *
os_map_pages(size_t npages)
{
	char *p = map(2 * npages * PAGE);

	for (size_t i = 0; i < npages; i++)
		if (mprotect(p + 2 * i * PAGE, PAGE, PROT_READ | PROT_WRITE))
			os_fail("mprotect");
	return p;
}

uint64_t
os_clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

bool
os_lstat(const char *path, uint32_t *mode, uint64_t *size)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return false;
	*mode = st.st_mode;
	*size = (uint64_t)st.st_size;
	return true;
}

size_t
os_read(const char *path, uint64_t pos, void *buf, size_t n)
{
	int fd = open(path, O_RDONLY);
	ssize_t got = pread(fd, buf, n, (off_t)pos);

	close(fd);
	return got < 0 ? 0 : (size_t)got;
}

size_t
os_readlink(const char *path, char *buf, size_t n)
{
	ssize_t got = readlink(path, buf, n);

	return got < 0 ? 0 : (size_t)got;
}

unsigned
os_count(const char *path)
{
	DIR *d = opendir(path);
	unsigned n = 0;

	if (d == NULL)
		os_fail(path);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n - 2;
}
