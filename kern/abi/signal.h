/* SPDX-License-Identifier: MIT */
/*
 * signal.h - signals as the kernel lays them out (Linux rt signals).
 *
 * The frame on the user stack is struct rt_sigframe.  Its layout is ABI:
 * handlers and debuggers read and change uc_mcontext in it.
 */
#ifndef ABI_SIGNAL_H
#define ABI_SIGNAL_H

#include <stddef.h>
#include <stdint.h>

#define SIGHUP		1
#define SIGINT		2
#define SIGQUIT		3
#define SIGILL		4
#define SIGTRAP		5
#define SIGABRT		6
#define SIGBUS		7
#define SIGFPE		8
#define SIGKILL		9
#define SIGUSR1		10
#define SIGSEGV		11
#define SIGUSR2		12
#define SIGPIPE		13
#define SIGALRM		14
#define SIGTERM		15
#define SIGSTKFLT	16
#define SIGCHLD		17
#define SIGCONT		18
#define SIGSTOP		19
#define SIGTSTP		20
#define SIGTTIN		21
#define SIGTTOU		22
#define SIGURG		23
#define SIGXCPU		24
#define SIGXFSZ		25
#define SIGVTALRM	26
#define SIGPROF		27
#define SIGWINCH	28
#define SIGIO		29
#define SIGPWR		30
#define SIGSYS		31
#define NSIG		64		/* signals are 1..NSIG */

typedef uint64_t sigset_t;		/* signal n is bit n - 1 */
#define SIGMASK(n)	((sigset_t)1 << ((n) - 1))

#define SIG_BLOCK	0
#define SIG_UNBLOCK	1
#define SIG_SETMASK	2

#define SIG_DFL		((void (*)(int))0)
#define SIG_IGN		((void (*)(int))1)
#define SIG_ERR		((void (*)(int))-1)

#define SA_NOCLDSTOP	0x00000001ul
#define SA_NOCLDWAIT	0x00000002ul
#define SA_SIGINFO	0x00000004ul
#define SA_RESTORER	0x04000000ul	/* x86-64 only */
#define SA_ONSTACK	0x08000000ul
#define SA_RESTART	0x10000000ul
#define SA_NODEFER	0x40000000ul
#define SA_RESETHAND	0x80000000ul

struct siginfo;

struct sigaction {
	union {
		void	(*sa_handler)(int);
		void	(*sa_sigaction)(int, struct siginfo *, void *);
	};
	unsigned long	  sa_flags;
#if defined(__x86_64__)
	void		(*sa_restorer)(void);
#endif
	sigset_t	  sa_mask;
};

typedef union {
	int		 sival_int;
	void		*sival_ptr;
} sigval_t;

/* si_code: who sent it, or for a fault, why. */
#define SI_USER		0
#define SI_KERNEL	0x80
#define SI_QUEUE	(-1)
#define SI_TKILL	(-6)
#define ILL_ILLOPC	1
#define ILL_ILLOPN	2
#define FPE_INTDIV	1
#define FPE_FLTDIV	3
#define FPE_FLTOVF	4
#define FPE_FLTUND	5
#define FPE_FLTRES	6
#define FPE_FLTINV	7
#define SEGV_MAPERR	1		/* nothing is mapped there */
#define SEGV_ACCERR	2		/* mapped, but not with these rights */
#define BUS_ADRALN	1
#define BUS_ADRERR	2
#define TRAP_BRKPT	1
#define TRAP_TRACE	2
#define CLD_EXITED	1
#define CLD_KILLED	2
#define CLD_DUMPED	3
#define CLD_STOPPED	5
#define CLD_CONTINUED	6

struct siginfo {
	int	si_signo;
	int	si_errno;
	int	si_code;
	int	si_pad0;
	union {
		struct {
			int		si_pid;
			uint32_t	si_uid;
			union {
				sigval_t	si_value;	/* SI_QUEUE */
				int		si_status;	/* SIGCHLD */
			};
			int64_t		si_utime;
			int64_t		si_stime;
		};
		void	*si_addr;		/* SIGSEGV, SIGBUS, SIGILL */
		uint8_t	 si_pad[112];
	};
};
typedef struct siginfo siginfo_t;
_Static_assert(sizeof(struct siginfo) == 128, "struct siginfo");

typedef struct {
	void	*ss_sp;
	int	 ss_flags;
	size_t	 ss_size;
} stack_t;

#define SS_ONSTACK	1		/* reported: running on it now */
#define SS_DISABLE	2
#define SS_AUTODISARM	(1u << 31)
#define MINSIGSTKSZ	2048
#define SIGSTKSZ	8192

#if defined(__riscv)
struct user_regs_struct {
	unsigned long	pc;
	unsigned long	ra, sp, gp, tp;
	unsigned long	t0, t1, t2;
	unsigned long	s0, s1;
	unsigned long	a0, a1, a2, a3, a4, a5, a6, a7;
	unsigned long	s2, s3, s4, s5, s6, s7, s8, s9, s10, s11;
	unsigned long	t3, t4, t5, t6;
};

/* The space is that of the Q extension; D uses the front of it. */
struct sigcontext_fp {
	uint64_t	f[32];
	uint32_t	fcsr;
	uint32_t	pad[67];
} __attribute__((aligned(16)));

struct sigcontext {
	struct user_regs_struct	sc_regs;
	struct sigcontext_fp	sc_fpregs;
};

struct ucontext {
	unsigned long		 uc_flags;
	struct ucontext		*uc_link;
	stack_t			 uc_stack;
	sigset_t		 uc_sigmask;
	uint8_t			 uc_pad[120];
	struct sigcontext	 uc_mcontext;
};

struct rt_sigframe {
	struct siginfo	info;
	struct ucontext	uc;
};
_Static_assert(sizeof(struct sigcontext_fp) == 528, "sigcontext_fp");
_Static_assert(offsetof(struct ucontext, uc_mcontext) == 176, "ucontext");
_Static_assert(sizeof(struct rt_sigframe) == 1088, "rt_sigframe");
#define UC_PC(uc)	((uc)->uc_mcontext.sc_regs.pc)
#define UC_SP(uc)	((uc)->uc_mcontext.sc_regs.sp)
#elif defined(__x86_64__)
/* The fxsave image. */
struct sigcontext_fp {
	uint16_t	cwd, swd, twd, fop;
	uint64_t	rip, rdp;
	uint32_t	mxcsr, mxcsr_mask;
	uint32_t	st[32];
	uint32_t	xmm[64];
	uint32_t	reserved[24];
} __attribute__((aligned(16)));

struct sigcontext {
	uint64_t		 r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t		 rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp;
	uint64_t		 rip, eflags;
	uint16_t		 cs, gs, fs, ss;
	uint64_t		 err, trapno, oldmask, cr2;
	struct sigcontext_fp	*fpstate;
	uint64_t		 reserved[8];
};

struct ucontext {
	unsigned long		 uc_flags;
	struct ucontext		*uc_link;
	stack_t			 uc_stack;
	struct sigcontext	 uc_mcontext;
	sigset_t		 uc_sigmask;
};

struct rt_sigframe {
	void		(*pretcode)(void);
	struct ucontext	  uc;
	struct siginfo	  info;
};
_Static_assert(sizeof(struct sigcontext_fp) == 512, "sigcontext_fp");
_Static_assert(sizeof(struct sigcontext) == 256, "sigcontext");
#define UC_PC(uc)	((uc)->uc_mcontext.rip)
#define UC_SP(uc)	((uc)->uc_mcontext.rsp)
#endif

#endif /* ABI_SIGNAL_H */
