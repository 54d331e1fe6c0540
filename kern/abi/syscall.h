/* SPDX-License-Identifier: MIT */
/*
 * syscall.h - the one table of system calls.
 *
 * X(name, riscv number, x86-64 number, arguments).  Numbers are Linux's for
 * every call that Linux has; Tern's own start at 0x1000 on both ports.
 * SYSCALLS lists what the kernel answers, SYSCALLS_LATER what is only
 * numbered so far (ENOSYS).  A number of -1 means that the machine has no
 * such call, and only SYSCALLS_ARCH of the other machine lists it.
 */
#ifndef ABI_SYSCALL_H
#define ABI_SYSCALL_H

#define SYSCALLS_FILE(X)				\
	X(read,			 63,   0, 3)		\
	X(write,		 64,   1, 3)		\
	X(readv,		 65,  19, 3)		\
	X(writev,		 66,  20, 3)		\
	X(openat,		 56, 257, 4)		\
	X(close,		 57,   3, 1)		\
	X(dup,			 23,  32, 1)		\
	X(dup3,			 24, 292, 3)		\
	X(pipe2,		 59, 293, 2)		\
	X(lseek,		 62,   8, 3)		\
	X(fstat,		 80,   5, 2)		\
	X(newfstatat,		 79, 262, 4)		\
	X(statx,		291, 332, 5)		\
	X(getdents64,		 61, 217, 3)		\
	X(faccessat,		 48, 269, 3)		\
	X(chdir,		 49,  80, 1)		\
	X(getcwd,		 17,  79, 2)		\
	X(ioctl,		 29,  16, 3)		\
	X(fcntl,		 25,  72, 3)		\
	X(readlinkat,		 78, 267, 4)		\
	X(ppoll,		 73, 271, 5)		\
	X(sync,			 81, 162, 0)		\
	X(pread64,		 67,  17, 4)		\
	X(pwrite64,		 68,  18, 4)		\
	X(preadv,		 69, 295, 5)		\
	X(pwritev,		 70, 296, 5)		\
	X(mkdirat,		 34, 258, 3)		\
	X(unlinkat,		 35, 263, 3)		\
	X(symlinkat,		 36, 266, 3)		\
	X(linkat,		 37, 265, 5)		\
	X(renameat2,		276, 316, 5)		\
	X(statfs,		 43, 137, 2)		\
	X(fstatfs,		 44, 138, 2)		\
	X(truncate,		 45,  76, 2)		\
	X(ftruncate,		 46,  77, 2)		\
	X(fallocate,		 47, 285, 4)		\
	X(fadvise64,		223, 221, 4)		\
	X(fchdir,		 50,  81, 1)		\
	X(fchmod,		 52,  91, 2)		\
	X(fchmodat,		 53, 268, 3)		\
	X(fsync,		 82,  74, 1)		\
	X(fdatasync,		 83,  75, 1)		\
	X(utimensat,		 88, 280, 4)

#define SYSCALLS_PROC(X)				\
	X(getpid,		172,  39, 0)		\
	X(getppid,		173, 110, 0)		\
	X(gettid,		178, 186, 0)		\
	X(getuid,		174, 102, 0)		\
	X(geteuid,		175, 107, 0)		\
	X(getgid,		176, 104, 0)		\
	X(getegid,		177, 108, 0)		\
	X(setpgid,		154, 109, 2)		\
	X(getpgid,		155, 121, 1)		\
	X(getsid,		156, 124, 1)		\
	X(setsid,		157, 112, 0)		\
	X(set_tid_address,	 96, 218, 1)		\
	X(set_robust_list,	 99, 273, 2)		\
	X(get_robust_list,	100, 274, 3)		\
	X(exit,			 93,  60, 1)		\
	X(exit_group,		 94, 231, 1)		\
	X(clone,		220,  56, 5)		\
	X(clone3,		435, 435, 2)		\
	X(execve,		221,  59, 3)		\
	X(wait4,		260,  61, 4)		\
	X(futex,		 98, 202, 6)		\
	X(sched_yield,		124,  24, 0)		\
	X(sched_getaffinity,	123, 204, 3)		\
	X(sched_setaffinity,	122, 203, 3)		\
	X(getcpu,		168, 309, 3)		\
	X(times,		153, 100, 1)		\
	X(getrusage,		165,  98, 2)		\
	X(prlimit64,		261, 302, 4)		\
	X(getrandom,		278, 318, 3)		\
	X(uname,		160,  63, 1)		\
	X(sysinfo,		179,  99, 1)		\
	X(umask,		166,  95, 1)		\
	X(prctl,		167, 157, 5)		\
	X(reboot,		142, 169, 4)

#define SYSCALLS_SIGNAL(X)				\
	X(kill,			129,  62, 2)		\
	X(tkill,		130, 200, 2)		\
	X(tgkill,		131, 234, 3)		\
	X(rt_sigaction,		134,  13, 4)		\
	X(rt_sigprocmask,	135,  14, 4)		\
	X(rt_sigreturn,		139,  15, 0)		\
	X(sigaltstack,		132, 131, 2)		\
	X(rt_sigsuspend,	133, 130, 2)		\
	X(rt_sigpending,	136, 127, 2)

#define SYSCALLS_TIME(X)				\
	X(nanosleep,		101,  35, 2)		\
	X(clock_gettime,	113, 228, 2)		\
	X(clock_getres,		114, 229, 2)		\
	X(clock_nanosleep,	115, 230, 4)		\
	X(gettimeofday,		169,  96, 2)

#define SYSCALLS_MEM(X)					\
	X(brk,			214,  12, 1)		\
	X(mmap,			222,   9, 6)		\
	X(munmap,		215,  11, 2)		\
	X(mprotect,		226,  10, 3)		\
	X(mremap,		216,  25, 5)		\
	X(msync,		227,  26, 3)		\
	X(mincore,		232,  27, 3)		\
	X(madvise,		233,  28, 3)		\
	X(membarrier,		283, 324, 3)

/* Tern's own calls: al_* are described in al.h, vm_* in mach.h, l4_* in
 * l4.h. */
#define SYSCALLS_TERN(X)				\
	X(tern_stat,	0x1000, 0x1000, 2)		\
	X(tern_fail,	0x1001, 0x1001, 1)		\
	X(al_region,	0x1010, 0x1010, 3)		\
	X(al_prot,	0x1011, 0x1011, 2)		\
	X(al_dirty,	0x1012, 0x1012, 3)		\
	X(vm_allocate,	0x1020, 0x1020, 4)		\
	X(vm_deallocate, 0x1021, 0x1021, 3)		\
	X(vm_protect,	0x1022, 0x1022, 5)		\
	X(vm_inherit,	0x1023, 0x1023, 4)		\
	X(vm_copy,	0x1024, 0x1024, 4)		\
	X(vm_read,	0x1025, 0x1025, 4)		\
	X(vm_write,	0x1026, 0x1026, 4)		\
	X(vm_region,	0x1027, 0x1027, 3)		\
	X(vm_statistics, 0x1028, 0x1028, 1)		\
	X(l4_unmap,	0x1030, 0x1030, 2)		\
	X(l4_ipc,	0x1031, 0x1031, 1)		\
	X(l4_set_pager,	0x1032, 0x1032, 1)

#define SYSCALLS_RISCV(X)				\
	X(riscv_hwprobe,	258,  -1, 5)		\
	X(riscv_flush_icache,	259,  -1, 3)

/* Calls that the generic table dropped; old x86-64 binaries use them. */
#define SYSCALLS_X86_64(X)				\
	X(open,			 -1,   2, 3)		\
	X(stat,			 -1,   4, 2)		\
	X(lstat,		 -1,   6, 2)		\
	X(poll,			 -1,   7, 3)		\
	X(access,		 -1,  21, 2)		\
	X(pipe,			 -1,  22, 1)		\
	X(dup2,			 -1,  33, 2)		\
	X(fork,			 -1,  57, 0)		\
	X(vfork,		 -1,  58, 0)		\
	X(getdents,		 -1,  78, 3)		\
	X(rename,		 -1,  82, 2)		\
	X(mkdir,		 -1,  83, 2)		\
	X(rmdir,		 -1,  84, 1)		\
	X(creat,		 -1,  85, 2)		\
	X(link,			 -1,  86, 2)		\
	X(unlink,		 -1,  87, 1)		\
	X(symlink,		 -1,  88, 2)		\
	X(readlink,		 -1,  89, 3)		\
	X(chmod,		 -1,  90, 2)		\
	X(getpgrp,		 -1, 111, 0)		\
	X(arch_prctl,		 -1, 158, 2)		\
	X(time,			 -1, 201, 1)		\
	X(renameat,		 -1, 264, 4)

#define SYSCALLS_LATER(X)				\
	X(fchownat,		 54, 260, 5)		\
	X(mount,		 40, 165, 5)		\
	X(umount2,		 39, 166, 2)		\
	X(pselect6,		 72, 270, 6)		\
	X(waitid,		 95, 247, 5)		\
	X(setitimer,		103,  38, 3)		\
	X(getitimer,		102,  36, 2)		\
	X(rt_sigtimedwait,	137, 128, 4)		\
	X(rt_sigqueueinfo,	138, 129, 3)		\
	X(swapon,		224, 167, 2)		\
	X(swapoff,		225, 168, 1)		\
	X(mlock,		228, 149, 2)		\
	X(munlock,		229, 150, 2)		\
	X(memfd_create,		279, 319, 2)		\
	X(rseq,			293, 334, 4)

#if defined(__riscv)
#define SYSCALLS_ARCH(X)	SYSCALLS_RISCV(X)
#define SYSCALL_NUMBER(rv, x86)	(rv)
#elif defined(__x86_64__)
#define SYSCALLS_ARCH(X)	SYSCALLS_X86_64(X)
#define SYSCALL_NUMBER(rv, x86)	(x86)
#else
#error "no system-call numbers for this machine"
#endif

#define SYSCALLS(X)					\
	SYSCALLS_FILE(X)				\
	SYSCALLS_PROC(X)				\
	SYSCALLS_SIGNAL(X)				\
	SYSCALLS_TIME(X)				\
	SYSCALLS_MEM(X)					\
	SYSCALLS_ARCH(X)				\
	SYSCALLS_TERN(X)

#ifndef __ASSEMBLER__
#define SYSCALL(name, rv, x86, nargs)	SYS_##name = SYSCALL_NUMBER(rv, x86),
enum {
	SYSCALLS(SYSCALL)
	SYSCALLS_LATER(SYSCALL)
};
#undef SYSCALL
#endif

#define SYSCALL_MAX_LINUX	512	/* Linux numbers lie below this */
#define SYSCALL_TERN_BASE	0x1000
#define SYSCALL_TERN_END	0x1040

#endif /* ABI_SYSCALL_H */
