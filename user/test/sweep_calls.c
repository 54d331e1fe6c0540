/* SPDX-License-Identifier: MIT */
/*
 * sweep_calls.c - what each argument of each system call is.
 *
 * The rows come from the kernel's own table: a call that is entered there and
 * has no shape here does not compile.  Errors are those beside EBADF of a
 * descriptor, EFAULT of a pointer, EINVAL of a number, and ENOENT, ENOTDIR,
 * ELOOP and ENAMETOOLONG of a path.
 */
#include "sweep.h"

#include <abi/futex.h>
#include <abi/prctl.h>
#include <abi/reboot.h>
#include <abi/termios.h>

#define VALS(...) .vals = (const long[]){ __VA_ARGS__ },		\
	.nvals = sizeof((const long[]){ __VA_ARGS__ }) / sizeof(long)
#define VAL(...)	{ .kind = K_VALUE, VALS(__VA_ARGS__) }
#define PICK(...)	{ .kind = K_PICK, VALS(__VA_ARGS__) }
#define FD		{ .kind = K_FD }
#define DIR		{ .kind = K_DIR }
#define FD_OR_NOT	{ .kind = K_FD, .flags = P_MAY }
#define TTY		{ .kind = K_TTY }
#define FILE		{ .kind = K_FILE }
#define FILE_OR_NOT	{ .kind = K_FILE, .flags = P_NULL }
#define FOLDER		{ .kind = K_FOLDER }
#define LINK		{ .kind = K_LINK }
#define NEW		{ .kind = K_NEW }
#define IN(n, ...)	{ .kind = K_IN, .size = (n), .flags = 0 __VA_ARGS__ }
#define OUT(n, ...)	{ .kind = K_OUT, .size = (n), .flags = 0 __VA_ARGS__ }
#define LEN(n)		{ .kind = K_LEN, .size = (n) }
#define ADDR		{ .kind = K_ADDR }

#define SHAPE(call, good, ...)						\
	static const struct shape shape_##call = { .result = good,	\
		##__VA_ARGS__ }
#define ARGS(...)	.args = { __VA_ARGS__ }
#define MAY_BE(...)	.errors = { __VA_ARGS__ }
#define SEED(...)	.in = { __VA_ARGS__ }

#define TRANSFER	MAY_BE(EAGAIN, EISDIR, ESPIPE, EFBIG, ENOSPC)
#define NAMES		MAY_BE(EEXIST, EISDIR, ENOTEMPTY, EBUSY, EPERM,	\
	    ENOSPC, EMLINK, EINVAL)
#define OPENS		MAY_BE(EEXIST, EISDIR, EMFILE, ENOSPC, EINVAL, ENXIO)
#define NOBODY		INT32_MAX, INT32_MIN, 99999, -2

/* --- files ----------------------------------------------------------- */

SHAPE(read, R_COUNT, TRANSFER, ARGS(FD, OUT(64), LEN(64)));
SHAPE(write, R_COUNT, TRANSFER, ARGS(FD, IN(64), LEN(64)));
SHAPE(readv, R_ANY, TRANSFER, ARGS(FD, IN(16), LEN(1)));
SHAPE(writev, R_ANY, TRANSFER, ARGS(FD, IN(16), LEN(1)));
SHAPE(openat, R_FD, .how = C_NAMES, OPENS, ARGS(DIR, FILE, VAL(O_RDONLY, O_RDWR,
    O_RDWR | O_CREAT, O_WRONLY | O_CREAT | O_EXCL, O_RDWR | O_TRUNC,
    O_DIRECTORY, O_PATH, O_NOFOLLOW, O_APPEND | O_WRONLY), VAL(0, 0644)));
SHAPE(close, R_ZERO, .how = C_CLOSE, ARGS(FD));
SHAPE(dup, R_FD, MAY_BE(EMFILE), ARGS(FD));
SHAPE(dup3, R_FD, .how = C_CLOSE, MAY_BE(EBADF), ARGS(FD, PICK(50, 51, 63, 64,
    65, -1, INT32_MIN, INT32_MAX, 1l << 32 | 64, 1 << 20),
    VAL(0, O_CLOEXEC)));
SHAPE(pipe2, R_ZERO, .how = C_CLOSE, MAY_BE(EMFILE), ARGS(OUT(8), VAL(0,
    O_CLOEXEC, O_NONBLOCK)));
SHAPE(lseek, R_ANY, MAY_BE(ESPIPE), ARGS(FD, LEN(0), VAL(0, 1, 2, 3)));
SHAPE(fstat, R_ZERO, ARGS(FD, OUT(sizeof(struct stat), | P_ALWAYS)));
SHAPE(newfstatat, R_ZERO, ARGS(DIR, FILE, OUT(sizeof(struct stat), | P_ALWAYS),
    VAL(0, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH)));
SHAPE(statx, R_ZERO, ARGS(DIR, FILE, VAL(0, AT_EMPTY_PATH,
    AT_STATX_SYNC_TYPE), VAL(0x7ff, 0x80000000), OUT(256, | P_ALWAYS)));
SHAPE(getdents64, R_COUNT, MAY_BE(ENOTDIR), .how = C_NO_SANITY, ARGS(FD,
    OUT(512, | P_MAY), LEN(512)));
SHAPE(faccessat, R_ZERO, ARGS(DIR, FILE, VAL(0, R_OK, W_OK | X_OK, 7, 8)),
    MAY_BE(EACCES));
SHAPE(chdir, R_ZERO, .how = C_CWD, ARGS(FOLDER));
SHAPE(getcwd, R_COUNT, MAY_BE(ERANGE), ARGS(OUT(64), LEN(64)));
SHAPE(ioctl, R_ZERO, MAY_BE(ENOTTY), ARGS(TTY, PICK(TCGETS, TIOCGWINSZ,
    TIOCGPGRP, TIOCGSID, 0, -1, TIOCSTI, INT32_MAX, 1l << 32),
    OUT(60)));
SHAPE(fcntl, R_ANY, .how = C_FLAGS | C_CLOSE, MAY_BE(EMFILE), ARGS(FD,
    PICK(F_GETFL, F_GETFD, F_SETFD, F_SETFL, F_DUPFD, F_DUPFD_CLOEXEC, 5, -1,
    INT32_MAX, 1l << 32), PICK(50, 0, 63, 64, -1, INT32_MIN, INT32_MAX,
    O_NONBLOCK, 1l << 32 | 64, 1l << 63)));
SHAPE(readlinkat, R_COUNT, ARGS(DIR, LINK, OUT(64), LEN(64)));
SHAPE(ppoll, R_ANY, ARGS(IN(8), LEN(1), IN(16, | P_NOT_NULL),
    IN(8, | P_NULL), VAL(8)));
SHAPE(sync, R_ZERO);
SHAPE(pread64, R_COUNT, TRANSFER, ARGS(FD, OUT(64), LEN(64), LEN(0)));
SHAPE(pwrite64, R_COUNT, TRANSFER, ARGS(FD, IN(64), LEN(64), LEN(0)));
SHAPE(preadv, R_ANY, TRANSFER, ARGS(FD, IN(16), LEN(1), LEN(0), VAL(0)));
SHAPE(pwritev, R_ANY, TRANSFER, ARGS(FD, IN(16), LEN(1), LEN(0), VAL(0)));
SHAPE(mkdirat, R_ZERO, .how = C_NAMES, NAMES, ARGS(DIR, NEW, VAL(0755)));
SHAPE(unlinkat, R_ZERO, .how = C_NAMES, NAMES, ARGS(DIR, FILE,
    VAL(0, AT_REMOVEDIR)));
SHAPE(symlinkat, R_ZERO, .how = C_NAMES, NAMES, ARGS(FILE, DIR, NEW));
SHAPE(linkat, R_ZERO, .how = C_NAMES, NAMES, ARGS(DIR, FILE, DIR, NEW,
    VAL(0, AT_SYMLINK_FOLLOW)));
SHAPE(renameat2, R_ZERO, .how = C_NAMES, NAMES, ARGS(DIR, FILE, DIR, NEW,
    VAL(0, RENAME_NOREPLACE, 2)));
SHAPE(statfs, R_ZERO, ARGS(FILE, OUT(sizeof(struct statfs), | P_ALWAYS)));
SHAPE(fstatfs, R_ZERO, ARGS(FD, OUT(sizeof(struct statfs), | P_ALWAYS)));
SHAPE(truncate, R_ZERO, .how = C_NAMES, MAY_BE(EISDIR, EFBIG, ENOSPC),
    ARGS(FILE, LEN(100)));
SHAPE(ftruncate, R_ZERO, MAY_BE(EFBIG, ENOSPC), ARGS(FD, LEN(100)));
SHAPE(fallocate, R_NEVER, MAY_BE(EOPNOTSUPP, EFBIG, ENODEV, ESPIPE, EBADF),
    ARGS(FD, VAL(0, 1, 2, 3), LEN(0), LEN(64)));
SHAPE(fadvise64, R_ZERO, MAY_BE(ESPIPE), ARGS(FD, LEN(0), LEN(0), VAL(0, 5,
    6)));
SHAPE(fchdir, R_ZERO, .how = C_CWD | C_NO_SANITY, MAY_BE(ENOTDIR), ARGS(FD));
SHAPE(fchmod, R_ZERO, MAY_BE(EPERM, EROFS), ARGS(FD, VAL(0644)));
SHAPE(fchmodat, R_ZERO, .how = C_NAMES, MAY_BE(EPERM), ARGS(DIR, FILE,
    VAL(0644)));
SHAPE(fsync, R_ZERO, ARGS(FD));
SHAPE(fdatasync, R_ZERO, ARGS(FD));
SHAPE(utimensat, R_ZERO, .how = C_NAMES, MAY_BE(EPERM), ARGS(DIR,
    FILE_OR_NOT, IN(32, | P_NULL), VAL(0, AT_SYMLINK_NOFOLLOW)));

/* --- processes ------------------------------------------------------- */

SHAPE(getpid, R_ANY);
SHAPE(getppid, R_ANY);
SHAPE(gettid, R_ANY);
SHAPE(getuid, R_ZERO);
SHAPE(geteuid, R_ZERO);
SHAPE(getgid, R_ZERO);
SHAPE(getegid, R_ZERO);
SHAPE(setpgid, R_NEVER, MAY_BE(ESRCH, EPERM, EACCES), ARGS(PICK(0, 1, -1,
    NOBODY), PICK(-1, NOBODY)));
SHAPE(getpgid, R_ANY, MAY_BE(ESRCH), ARGS(VAL(0)));
SHAPE(getsid, R_ANY, MAY_BE(ESRCH), ARGS(VAL(0)));
SHAPE(setsid, R_ANY, .how = C_FORK);
SHAPE(set_tid_address, R_ANY, ARGS(OUT(4, | P_MAY)));
SHAPE(set_robust_list, R_ZERO, .how = C_FORK, ARGS(OUT(24, | P_MAY),
    VAL(24)));
SHAPE(get_robust_list, R_ZERO, MAY_BE(ESRCH), ARGS(VAL(0),
    OUT(8, | P_ALWAYS), OUT(8, | P_ALWAYS)));
SHAPE(exit, R_NEVER, .how = C_EXIT, ARGS(VAL(0)));
SHAPE(exit_group, R_NEVER, .how = C_EXIT, ARGS(VAL(0)));
#define CHILD	PICK(SIGCHLD, CLONE_PARENT_SETTID | SIGCHLD,		\
	CLONE_CHILD_SETTID | SIGCHLD, CLONE_CHILD_CLEARTID,		\
	CLONE_SETTLS | SIGCHLD, CLONE_VFORK | SIGCHLD, CLONE_FILES,	\
	CLONE_THREAD, CLONE_SIGHAND, CLONE_NEWNS, 0x7e020000, 65, 255,	\
	1l << 40, 1l << 63)
/* Only stacks that are none: a good one would be that of two. */
#define STACK	PICK(0, 1, 8, -8l, -1l, 1l << 63, 0x123456789abcdef0,	\
	0x800000000000, 0x7fffffffffff)
#if defined(__riscv)
SHAPE(clone, R_CHILD, ARGS(CHILD, STACK, OUT(4, | P_MAY), OUT(8, | P_MAY),
    OUT(4, | P_MAY)));
#else
SHAPE(clone, R_CHILD, ARGS(CHILD, STACK, OUT(4, | P_MAY), OUT(4, | P_MAY),
    OUT(8, | P_MAY)));
#endif
SHAPE(clone3, R_CHILD, MAY_BE(E2BIG), ARGS(IN(64), LEN(64)));
SHAPE(execve, R_NEVER, MAY_BE(EACCES, EISDIR, ENOEXEC), ARGS(FILE,
    IN(8, | P_MAY), IN(8, | P_MAY)));
SHAPE(wait4, R_NEVER, MAY_BE(ECHILD, ESRCH), ARGS(VAL(-1, 0), OUT(4, | P_MAY),
    VAL(0, 1), OUT(sizeof(struct rusage), | P_MAY)));
SHAPE(futex, R_ANY, MAY_BE(EAGAIN, ENOSYS, ETIMEDOUT), ARGS(
    IN(4, | P_MAY), PICK(FUTEX_WAKE, FUTEX_WAIT, FUTEX_REQUEUE,
    FUTEX_CMP_REQUEUE, FUTEX_WAIT_BITSET, FUTEX_WAKE_BITSET,
    FUTEX_WAIT | FUTEX_PRIVATE_FLAG, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 2, 6, 99,
    -1), PICK(12345, 1, -1, INT32_MIN), IN(16, | P_MAY),
    OUT(4, | P_MAY), VAL(0, -1)));
SHAPE(sched_yield, R_ZERO);
SHAPE(sched_getaffinity, R_ANY, MAY_BE(ESRCH), ARGS(VAL(0), LEN(8), OUT(8)));
SHAPE(sched_setaffinity, R_ZERO, MAY_BE(ESRCH), ARGS(PICK(0, NOBODY), LEN(8),
    IN(8)), SEED(-1));
SHAPE(getcpu, R_ZERO, ARGS(OUT(4, | P_NULL), OUT(4, | P_NULL), VAL(0)));
SHAPE(times, R_ANY, ARGS(OUT(sizeof(struct tms), | P_NULL)));
SHAPE(getrusage, R_ZERO, ARGS(VAL(0, -1, 1), OUT(sizeof(struct rusage))));
SHAPE(prlimit64, R_ZERO, MAY_BE(ESRCH, EPERM), ARGS(VAL(0), PICK(RLIMIT_AS,
    RLIMIT_STACK, RLIMIT_CORE, 15, 16, -1), IN(16, | P_NULL),
    OUT(16, | P_NULL)), SEED(-1, -1));
SHAPE(getrandom, R_COUNT, ARGS(OUT(64), LEN(64), VAL(0, 7, 8)));
SHAPE(uname, R_ZERO, ARGS(OUT(sizeof(struct utsname), | P_ALWAYS)));
SHAPE(sysinfo, R_ZERO, ARGS(OUT(sizeof(struct sysinfo), | P_ALWAYS)));
SHAPE(umask, R_ANY, ARGS(VAL(022)));
SHAPE(prctl, R_ZERO, ARGS(VAL(PR_GET_NAME, PR_SET_NAME), OUT(16), VAL(0),
    VAL(0), VAL(0)));
SHAPE(reboot, R_ZERO, ARGS(PICK(LINUX_REBOOT_MAGIC1, 0), PICK(
    LINUX_REBOOT_MAGIC2, 0, -1), PICK(LINUX_REBOOT_CMD_CAD_OFF, 5, -1),
    VAL(0)));

/* --- signals: none is sent to anybody -------------------------------- */

#define SIGNO	PICK(0, 65, 66, 255, -1, INT32_MIN, INT32_MAX)

SHAPE(kill, R_ZERO, .how = C_NO_SANITY, MAY_BE(ESRCH), ARGS(PICK(0, -1, 1,
    NOBODY), SIGNO));
SHAPE(tkill, R_ZERO, .how = C_NO_SANITY, MAY_BE(ESRCH), ARGS(PICK(0, -1, 1,
    NOBODY), SIGNO));
SHAPE(tgkill, R_ZERO, .how = C_NO_SANITY, MAY_BE(ESRCH), ARGS(PICK(0, -1, 1,
    NOBODY), PICK(0, -1, 1, NOBODY), SIGNO));
SHAPE(rt_sigaction, R_ZERO, ARGS(VAL(SIGUSR1, SIGKILL, 64, 65),
    IN(sizeof(struct sigaction), | P_NULL),
    OUT(sizeof(struct sigaction), | P_NULL), VAL(8)));
SHAPE(rt_sigprocmask, R_ZERO, ARGS(VAL(0, 1, 2, 3), IN(8, | P_NULL),
    OUT(8, | P_NULL), VAL(8)));
SHAPE(rt_sigreturn, R_NEVER, .how = C_SIGRETURN);
SHAPE(sigaltstack, R_ZERO, MAY_BE(ENOMEM), ARGS(IN(24, | P_NULL),
    OUT(24, | P_NULL)), SEED(0, SS_DISABLE));
SHAPE(rt_sigsuspend, R_NEVER, ARGS(IN(8, | P_BAD), VAL(8)));
SHAPE(rt_sigpending, R_ZERO, ARGS(OUT(8), LEN(8)));

/* --- time ------------------------------------------------------------ */

SHAPE(nanosleep, R_ZERO, ARGS(IN(16, | P_ALWAYS), OUT(16, | P_MAY)));
SHAPE(clock_gettime, R_ZERO, ARGS(VAL(0, 1, 2, 3, 7), OUT(16)));
SHAPE(clock_getres, R_ZERO, ARGS(VAL(0, 1, 2, 3, 7), OUT(16, | P_NULL)));
SHAPE(clock_nanosleep, R_ZERO, ARGS(VAL(0, 1, 7), VAL(0, 1), IN(16),
    OUT(16, | P_MAY)));
SHAPE(gettimeofday, R_ZERO, ARGS(OUT(16, | P_NULL), OUT(8, | P_NULL)));

/* --- memory ---------------------------------------------------------- */

SHAPE(brk, R_ANY, .how = C_FORK, ARGS(ADDR));
SHAPE(mmap, R_MAP, .how = C_RANGE, MAY_BE(EACCES, EBADF, ENODEV, EOVERFLOW,
    EEXIST, EPERM), ARGS(ADDR, LEN(8192), VAL(0, 1, 3, 7, 4, 2),
    PICK(MAP_PRIVATE | MAP_ANONYMOUS, MAP_SHARED | MAP_ANONYMOUS,
    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
    MAP_PRIVATE, MAP_SHARED, MAP_PRIVATE | MAP_FIXED, 0,
    MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, MAP_NORESERVE), FD_OR_NOT,
    LEN(0)));
SHAPE(munmap, R_ZERO, .how = C_RANGE, ARGS(ADDR, LEN(8192)));
SHAPE(mprotect, R_ZERO, .how = C_RANGE, MAY_BE(EACCES), ARGS(ADDR, LEN(8192),
    VAL(0, 1, 3, 5, 7, 8)));
SHAPE(mremap, R_REMAP, .how = C_RANGE, MAY_BE(EFAULT, ENOMEM), ARGS(ADDR,
    LEN(8192), LEN(8192), VAL(0, MREMAP_MAYMOVE, 3), VAL(0)));
SHAPE(msync, R_ZERO, .how = C_RANGE, ARGS(ADDR, LEN(8192), VAL(0, 1, 2, 4,
    5)));
SHAPE(mincore, R_ZERO, .how = C_RANGE, ARGS(ADDR, LEN(8192), OUT(2)));
SHAPE(madvise, R_ZERO, .how = C_RANGE, ARGS(ADDR, LEN(8192), VAL(0, 4, 8,
    9)));
SHAPE(membarrier, R_ZERO, ARGS(VAL(0), VAL(0), VAL(0)));

/* --- of one machine -------------------------------------------------- */

#if defined(__riscv)
SHAPE(riscv_hwprobe, R_ZERO, ARGS(OUT(16), LEN(1), VAL(0), VAL(0), VAL(0)));
SHAPE(riscv_flush_icache, R_ZERO, ARGS(VAL(0), VAL(0), VAL(0, 1, 2)));
#else
SHAPE(open, R_FD, .how = C_NAMES, OPENS, ARGS(FILE, VAL(O_RDONLY, O_RDWR,
    O_RDWR | O_CREAT, O_DIRECTORY), VAL(0, 0644)));
SHAPE(stat, R_ZERO, ARGS(FILE, OUT(sizeof(struct stat), | P_ALWAYS)));
SHAPE(lstat, R_ZERO, ARGS(FILE, OUT(sizeof(struct stat), | P_ALWAYS)));
SHAPE(poll, R_ANY, ARGS(IN(8), LEN(1), PICK(0)));
SHAPE(access, R_ZERO, ARGS(FILE, VAL(0, 4, 7, 8)), MAY_BE(EACCES));
SHAPE(pipe, R_ZERO, .how = C_CLOSE, MAY_BE(EMFILE), ARGS(OUT(8, | P_ALWAYS)));
SHAPE(dup2, R_FD, .how = C_CLOSE, MAY_BE(EBADF), ARGS(FD, PICK(50, 51, 63, 64,
    -1, INT32_MIN, INT32_MAX, 1 << 20)));
SHAPE(fork, R_CHILD);
SHAPE(vfork, R_CHILD);
SHAPE(getdents, R_COUNT, MAY_BE(ENOTDIR), .how = C_NO_SANITY, ARGS(FD,
    OUT(512, | P_MAY), LEN(512)));
SHAPE(rename, R_ZERO, .how = C_NAMES, NAMES, ARGS(FILE, NEW));
SHAPE(mkdir, R_ZERO, .how = C_NAMES, NAMES, ARGS(NEW, VAL(0755)));
SHAPE(rmdir, R_ZERO, .how = C_NAMES, NAMES, ARGS(FOLDER));
SHAPE(creat, R_FD, .how = C_NAMES, OPENS, ARGS(FILE, VAL(0644)));
SHAPE(link, R_ZERO, .how = C_NAMES, NAMES, ARGS(FILE, NEW));
SHAPE(unlink, R_ZERO, .how = C_NAMES, NAMES, ARGS(FILE));
SHAPE(symlink, R_ZERO, .how = C_NAMES, NAMES, ARGS(FILE, NEW));
SHAPE(readlink, R_COUNT, ARGS(LINK, OUT(64), LEN(64)));
SHAPE(chmod, R_ZERO, .how = C_NAMES, MAY_BE(EPERM), ARGS(FILE, VAL(0644)));
SHAPE(getpgrp, R_ANY);
/* The bases are registers: in a child, whose thread pointer may go. */
SHAPE(arch_prctl, R_ZERO, .how = C_FORK, MAY_BE(EPERM), ARGS(VAL(ARCH_GET_FS,
    ARCH_GET_GS, ARCH_SET_GS, ARCH_SET_FS), OUT(8)));
SHAPE(time, R_ANY, ARGS(OUT(8, | P_NULL)));
SHAPE(renameat, R_ZERO, .how = C_NAMES, NAMES, ARGS(DIR, FILE, DIR, NEW));
#endif

/* --- Tern's own ------------------------------------------------------ */

SHAPE(tern_stat, R_COUNT, ARGS(OUT(64), LEN(64)));
SHAPE(tern_fail, R_ANY, ARGS(PICK(0)));
SHAPE(al_region, R_ZERO, .how = C_RANGE, MAY_BE(EEXIST), ARGS(ADDR, LEN(8192),
    VAL(1, 2, 3)));
SHAPE(al_prot, R_ZERO, .how = C_NO_SANITY, ARGS(IN(16), LEN(1)));
SHAPE(al_dirty, R_ANY, .how = C_RANGE | C_NO_SANITY, ARGS(ADDR, LEN(8192),
    OUT(8, | P_MAY)));
SHAPE(vm_allocate, R_KERN, O_MACH, C_ALLOCATE, ARGS(VAL(0), OUT(8), LEN(8192),
    PICK(1, 0)));
SHAPE(vm_deallocate, R_KERN, O_MACH, C_RANGE, ARGS(VAL(0), ADDR, LEN(8192)));
SHAPE(vm_protect, R_KERN, O_MACH, C_RANGE, ARGS(VAL(0), ADDR, LEN(8192),
    VAL(0, 1), VAL(3, 1, 7, 8)));
SHAPE(vm_inherit, R_KERN, O_MACH, C_RANGE, ARGS(VAL(0), ADDR, LEN(8192),
    VAL(0, 1, 2, 3)));
SHAPE(vm_copy, R_KERN, O_MACH, C_RANGE | C_NO_SANITY, ARGS(VAL(0), ADDR,
    LEN(8192), ADDR));
SHAPE(vm_read, R_KERN, O_MACH, C_RANGE | C_ALLOCATE, ARGS(VAL(0), ADDR,
    LEN(8192), OUT(8)));
SHAPE(vm_write, R_KERN, O_MACH, C_RANGE | C_NO_SANITY, ARGS(VAL(0), ADDR,
    ADDR, LEN(8192)));
SHAPE(vm_region, R_KERN, O_MACH, .how = C_NO_SANITY, ARGS(VAL(0), OUT(8),
    OUT(48)));
SHAPE(vm_statistics, R_KERN, O_MACH, ARGS(OUT(64, | P_ALWAYS)));
SHAPE(l4_unmap, R_ZERO, O_L4, ARGS(VAL(0, 0x40, 63), IN(8)));
SHAPE(l4_ipc, R_ZERO, O_L4, ARGS(IN(64, | P_ALWAYS)));
SHAPE(l4_set_pager, R_ZERO, O_L4, ARGS(PICK(0, 1l << 31, 1l << 32, -1,
    1l << 63)));

#define ROW(name, rv, x86, n)	{ #name, SYS_##name, n, &shape_##name },
#define LATER(name, rv, x86, n)	{ #name, SYS_##name, n, NULL },

static const struct sweep_call file_calls[] = { SYSCALLS_FILE(ROW) };
static const struct sweep_call proc_calls[] = { SYSCALLS_PROC(ROW) };
static const struct sweep_call signal_calls[] = { SYSCALLS_SIGNAL(ROW) };
static const struct sweep_call time_calls[] = { SYSCALLS_TIME(ROW) };
static const struct sweep_call mem_calls[] = { SYSCALLS_MEM(ROW) };
static const struct sweep_call arch_calls[] = { SYSCALLS_ARCH(ROW) };
static const struct sweep_call tern_calls[] = { SYSCALLS_TERN(ROW) };
static const struct sweep_call later_calls[] = { SYSCALLS_LATER(LATER) };

const struct sweep_section sweep_sections[NSECTIONS] = {
	[S_FILE] = { file_calls, nitems(file_calls) },
	[S_PROC] = { proc_calls, nitems(proc_calls) },
	[S_SIGNAL] = { signal_calls, nitems(signal_calls) },
	[S_TIME] = { time_calls, nitems(time_calls) },
	[S_MEM] = { mem_calls, nitems(mem_calls) },
	[S_ARCH] = { arch_calls, nitems(arch_calls) },
	[S_TERN] = { tern_calls, nitems(tern_calls) },
	[S_LATER] = { later_calls, nitems(later_calls) },
};
