/* SPDX-License-Identifier: MIT */
/*
 * user.h - the C library of Tern's programs, in one page.
 *
 * Names and meanings are those of POSIX: a call that fails returns -1 (or
 * NULL) and sets errno.  Only what the programs here need is present.
 * Threads are in thread.h, the terminal is in term.h, raw system calls are in
 * sysarch.h.
 */
#ifndef USER_H
#define USER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/dirent.h>
#include <abi/errno.h>
#include <abi/fcntl.h>
#include <abi/mman.h>
#include <abi/poll.h>
#include <abi/resource.h>
#include <abi/sched.h>
#include <abi/signal.h>
#include <abi/stat.h>
#include <abi/statfs.h>
#include <abi/syscall.h>
#include <abi/time.h>
#include <abi/uio.h>
#include <abi/utsname.h>
#include <abi/wait.h>

#include <sysarch.h>

#define PAGE_SIZE	4096ul
#define STDIN_FILENO	0
#define STDOUT_FILENO	1
#define STDERR_FILENO	2

#define nitems(a)	(sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)	((a) < (b) ? (a) : (b))
#define MAX(a, b)	((a) > (b) ? (a) : (b))
#define noreturn	__attribute__((noreturn))
#define printflike(f, a) __attribute__((format(printf, f, a)))

typedef long		ssize_t;
typedef int64_t		off_t;
typedef int		pid_t;
struct tern_stat;
struct al_op;
struct l4_ipc;

/* --- the program: start.c, env.c ------------------------------------- */
extern __thread int errno;
extern char **environ;

void	exit(int status) noreturn;
void	abort(void) noreturn;
unsigned long getauxval(unsigned long type);	/* 0 if absent */
char	*getenv(const char *name);
int	setenv(const char *name, const char *value, int overwrite);
int	unsetenv(const char *name);

extern char *optarg;
extern int optind;
int	getopt(int argc, char *const *argv, const char *options);

/* --- string.c -------------------------------------------------------- */
void	*memcpy(void *restrict dst, const void *restrict src, size_t n);
void	*memmove(void *dst, const void *src, size_t n);
void	*memset(void *dst, int c, size_t n);
int	memcmp(const void *a, const void *b, size_t n);
void	*memchr(const void *s, int c, size_t n);
size_t	strlen(const char *s);
size_t	strnlen(const char *s, size_t max);
int	strcmp(const char *a, const char *b);
int	strncmp(const char *a, const char *b, size_t n);
char	*strchr(const char *s, int c);
char	*strrchr(const char *s, int c);
char	*strstr(const char *s, const char *what);
size_t	strlcpy(char *dst, const char *src, size_t size);
size_t	strlcat(char *dst, const char *src, size_t size);
char	*strdup(const char *s);
long	strtol(const char *s, char **end, int base);
unsigned long strtoul(const char *s, char **end, int base);
int	atoi(const char *s);
/** "2" or "0.25": seconds, as milliseconds. @return false: something else */
bool	parse_seconds(const char *s, unsigned *ms);
bool	isspace(int c);
bool	isdigit(int c);
bool	isalpha(int c);
const char *strerror(int error);		/* the name: "ENOENT" */
const char *strsignal(int sig);			/* the name: "SIGSEGV" */
int	signal_by_name(const char *s);		/* "SIGHUP", "HUP", "1"; -1 */

/* --- malloc.c: threads may call these -------------------------------- */
void	*malloc(size_t size);
void	*calloc(size_t n, size_t size);
void	*realloc(void *p, size_t size);
void	free(void *p);

/* --- printf.c: one write(2) a call if the text is short -------------- */
int	printf(const char *fmt, ...) printflike(1, 2);
int	dprintf(int fd, const char *fmt, ...) printflike(2, 3);
int	vdprintf(int fd, const char *fmt, va_list ap) printflike(2, 0);
int	snprintf(char *buf, size_t size, const char *fmt, ...)
	    printflike(3, 4);
int	vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
	    printflike(3, 0);
int	puts(const char *s);
void	perror(const char *what);		/* "what: ENOENT" on stderr */
void	die(const char *fmt, ...) noreturn printflike(1, 2); /* exits 1 */

/* --- input.c --------------------------------------------------------- */
struct reader {
	int	fd;
	size_t	next, end;		/* unread bytes are buf[next..end) */
	char	buf[512];
};
void	reader_init(struct reader *r, int fd);
int	reader_getc(struct reader *r);	/* -1 at the end or on error */
/** Length of the line without its newline, cut to fit; -1 at the end. */
ssize_t	reader_line(struct reader *r, char *line, size_t size);
/** All of a (small) file, zero-terminated; -1 if it cannot be opened. */
ssize_t	read_file(const char *path, char *buf, size_t size);
/** Write all of it unless an error stops that. */
ssize_t	write_all(int fd, const void *buf, size_t n);

/* --- syscall.c: files ------------------------------------------------ */
int	open(const char *path, int flags, ...);
int	close(int fd);
ssize_t	read(int fd, void *buf, size_t n);
ssize_t	write(int fd, const void *buf, size_t n);
ssize_t	readv(int fd, const struct iovec *iov, int n);
ssize_t	writev(int fd, const struct iovec *iov, int n);
off_t	lseek(int fd, off_t off, int whence);
int	dup(int fd);
int	dup2(int fd, int newfd);
int	dup3(int fd, int newfd, int flags);
int	pipe(int *fds);
int	pipe2(int *fds, int flags);
int	fcntl(int fd, int cmd, long arg);
int	ioctl(int fd, unsigned long cmd, void *arg);
int	isatty(int fd);
int	fstat(int fd, struct stat *st);
int	stat(const char *path, struct stat *st);
int	lstat(const char *path, struct stat *st);
ssize_t	getdents64(int fd, void *buf, size_t n);
int	access(const char *path, int mode);
ssize_t	readlink(const char *path, char *buf, size_t n);
int	chdir(const char *path);
char	*getcwd(char *buf, size_t size);
int	poll(struct pollfd *fds, unsigned n, int timeout_ms);
ssize_t	pread(int fd, void *buf, size_t n, off_t off);
ssize_t	pwrite(int fd, const void *buf, size_t n, off_t off);
int	mkdir(const char *path, int mode);
int	rmdir(const char *path);
int	unlink(const char *path);
int	link(const char *old, const char *new);
int	symlink(const char *target, const char *path);
int	rename(const char *old, const char *new);
int	truncate(const char *path, off_t size);
int	ftruncate(int fd, off_t size);
int	chmod(const char *path, int mode);
int	fchmod(int fd, int mode);
int	fchdir(int fd);
int	utimens(const char *path, const struct timespec *times);
int	statfs(const char *path, struct statfs *st);
int	fstatfs(int fd, struct statfs *st);
int	fsync(int fd);
int	fdatasync(int fd);
void	sync(void);

/* --- processes ------------------------------------------------------- */
pid_t	fork(void);
void	_exit(int status) noreturn;
typedef const char *const *strings_t;	/* ends with a NULL */
int	execve(const char *path, strings_t argv, strings_t envp);
int	execvp(const char *file, strings_t argv);	/* looks in $PATH */
pid_t	wait(int *status);
pid_t	waitpid(pid_t pid, int *status, int options);
pid_t	wait4(pid_t pid, int *status, int options, struct rusage *ru);
pid_t	getpid(void);
pid_t	getppid(void);
pid_t	gettid(void);
pid_t	setsid(void);
int	setpgid(pid_t pid, pid_t pgid);
pid_t	getpgid(pid_t pid);
pid_t	getsid(pid_t pid);
int	sched_yield(void);
int	sched_getaffinity(pid_t pid, size_t size, void *mask);
int	sched_setaffinity(pid_t pid, size_t size, const void *mask);
int	cpu_count(void);			/* that this process may use */
int	getcpu(void);
int	uname(struct utsname *u);
int	sysinfo(struct sysinfo *si);
int	getrusage(int who, struct rusage *ru);
int	prlimit(pid_t pid, int what, const struct rlimit *new,
	    struct rlimit *old);
ssize_t	getrandom(void *buf, size_t n, unsigned flags);
int	reboot(unsigned cmd);

/* --- memory ---------------------------------------------------------- */
void	*mmap(void *addr, size_t len, int prot, int flags, int fd, off_t off);
int	munmap(void *addr, size_t len);
int	mprotect(void *addr, size_t len, int prot);
int	madvise(void *addr, size_t len, int advice);
int	mincore(void *addr, size_t len, unsigned char *vec);
int	msync(void *addr, size_t len, int flags);
int	brk(void *end);
void	*sbrk(long delta);

/* --- signals: signal.c ----------------------------------------------- */
int	sigaction(int sig, const struct sigaction *act, struct sigaction *old);
typedef void (*sighandler_t)(int);
sighandler_t signal(int sig, sighandler_t handler);
int	sigprocmask(int how, const sigset_t *set, sigset_t *old);
int	sigpending(sigset_t *set);
int	sigsuspend(const sigset_t *mask);
int	sigaltstack(const stack_t *ss, stack_t *old);
int	kill(pid_t pid, int sig);
int	tgkill(pid_t pid, pid_t tid, int sig);
int	raise(int sig);

/* --- time ------------------------------------------------------------ */
int	clock_gettime(int clock, struct timespec *ts);
int	nanosleep(const struct timespec *ts, struct timespec *left);
void	msleep(unsigned ms);			/* all of it, signals or not */
unsigned sleep(unsigned seconds);
uint64_t now_ns(void);				/* monotonic */

/* --- Tern's own ------------------------------------------------------ */
ssize_t	tern_stat(struct tern_stat *st, size_t size);
int	tern_fail(unsigned long nth);
int	al_region(void *va, size_t len, unsigned flags);
int	al_prot(const struct al_op *ops, size_t nops);
long	al_dirty(void *va, size_t len, uint64_t *bitmap);
int	l4_unmap(unsigned long control, uint64_t *fpages);
int	l4_ipc(struct l4_ipc *m);
int	l4_set_pager(pid_t tid);

#endif /* USER_H */
