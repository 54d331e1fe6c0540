/* SPDX-License-Identifier: MIT */
/*
 * signal.c - signal calls, and the names of errors and signals.
 */
#include "libc.h"

int
sigaction(int sig, const struct sigaction *act, struct sigaction *old)
{
#if defined(__x86_64__)
	struct sigaction a;

	if (act != NULL) {
		a = *act;
		a.sa_flags |= SA_RESTORER;
		a.sa_restorer = sigreturn_restorer;
		act = &a;
	}
#endif
	return (int)sysret(syscall6(SYS_rt_sigaction, sig, (long)act,
	    (long)old, sizeof(sigset_t), 0, 0));
}

sighandler_t
signal(int sig, sighandler_t handler)
{
	struct sigaction act = { .sa_handler = handler,
	    .sa_flags = SA_RESTART };
	struct sigaction old;

	return sigaction(sig, &act, &old) < 0 ? SIG_ERR : old.sa_handler;
}

int
sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	return (int)sysret(syscall6(SYS_rt_sigprocmask, how, (long)set,
	    (long)old, sizeof(sigset_t), 0, 0));
}

int
sigpending(sigset_t *set)
{
	return (int)sysret(syscall3(SYS_rt_sigpending, (long)set,
	    sizeof(sigset_t), 0));
}

int
sigsuspend(const sigset_t *mask)
{
	return (int)sysret(syscall3(SYS_rt_sigsuspend, (long)mask,
	    sizeof(sigset_t), 0));
}

int
raise(int sig)
{
	return tgkill(getpid(), gettid(), sig);
}

const char *
strerror(int error)
{
	static const char *const names[] = {
#define N(e)	[e] = #e
		[0] = "OK",
		N(EPERM), N(ENOENT), N(ESRCH), N(EINTR), N(EIO), N(ENXIO),
		N(E2BIG), N(ENOEXEC), N(EBADF), N(ECHILD), N(EAGAIN),
		N(ENOMEM), N(EACCES), N(EFAULT), N(ENOTBLK), N(EBUSY),
		N(EEXIST), N(EXDEV), N(ENODEV), N(ENOTDIR), N(EISDIR),
		N(EINVAL), N(ENFILE), N(EMFILE), N(ENOTTY), N(ETXTBSY),
		N(EFBIG), N(ENOSPC), N(ESPIPE), N(EROFS), N(EMLINK), N(EPIPE),
		N(EDOM), N(ERANGE), N(EDEADLK), N(ENAMETOOLONG), N(ENOLCK),
		N(ENOSYS), N(ENOTEMPTY), N(ELOOP), N(EOVERFLOW),
		N(EOPNOTSUPP), N(ETIMEDOUT),
#undef N
	};
	static __thread char number[16];

	if (error >= 0 && (size_t)error < nitems(names) &&
	    names[error] != NULL)
		return names[error];
	snprintf(number, sizeof(number), "errno %d", error);
	return number;
}

const char *
strsignal(int sig)
{
	static const char *const names[] = {
#define N(s)	[s] = #s
		N(SIGHUP), N(SIGINT), N(SIGQUIT), N(SIGILL), N(SIGTRAP),
		N(SIGABRT), N(SIGBUS), N(SIGFPE), N(SIGKILL), N(SIGUSR1),
		N(SIGSEGV), N(SIGUSR2), N(SIGPIPE), N(SIGALRM), N(SIGTERM),
		N(SIGSTKFLT), N(SIGCHLD), N(SIGCONT), N(SIGSTOP), N(SIGTSTP),
		N(SIGTTIN), N(SIGTTOU), N(SIGURG), N(SIGXCPU), N(SIGXFSZ),
		N(SIGVTALRM), N(SIGPROF), N(SIGWINCH), N(SIGIO), N(SIGPWR),
		N(SIGSYS),
#undef N
	};
	static __thread char number[16];

	if (sig > 0 && (size_t)sig < nitems(names))
		return names[sig];
	snprintf(number, sizeof(number), "signal %d", sig);
	return number;
}

int
signal_by_name(const char *s)
{
	int sig;

	if (isdigit(*s))
		return atoi(s);
	if (strncmp(s, "SIG", 3) == 0)
		s += 3;
	for (sig = 1; sig < 32; sig++) {
		if (strcmp(strsignal(sig) + 3, s) == 0)
			return sig;
	}
	return -1;
}
