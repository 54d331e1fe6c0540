/* SPDX-License-Identifier: MIT */
/*
 * tty.c - the terminal: /dev/ttyS0, /dev/tty and /dev/console.
 *
 *	ttyS0	 the terminal; a session's leader gets it by opening it
 *	tty	 the same, for who has it as controlling terminal
 *	console	 the same without job control, and no hang-up ends it
 *
 * Path in:  port's interrupt -> tty_input_ready -> line discipline -> ring;
 *	file_read -> tty_read.
 * Path out: file_write -> tty_write -> console_put.
 * Whose terminal it is: proc/job.c.
 * Locks: tty.lock (interrupts off), held over echo; signals are sent after it.
 * Invariants: start <= ready <= end, end - start <= TTY_RING.  [start, ready)
 *	may be read; [ready, end) is the line still being edited, empty in raw
 *	mode.  A MARK_EOF entry is a ^D: a reader stops there and drops it.
 */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/poll.h"
#include "abi/signal.h"
#include "abi/stat.h"
#include "abi/termios.h"
#include "arch/console.h"
#include "arch/timer.h"
#include "dev/dev.h"
#include "lib/string.h"
#include "proc/console.h"
#include "proc/device.h"
#include "proc/job.h"

#define TTY_RING 1024u /* power of two */
#define MARK_EOF 0x100u

#define CTRL(c) ((c) & 0x1f)

/** The one terminal. Everything is under lock. */
static struct {
	struct spinlock lock;	/* RANK_TTY, interrupts off */
	struct termios mode;
	struct winsize size;
	uint32_t start, ready, end; /* positions; place = position % ring */
	uint16_t ring[TTY_RING];
} tty = {
	.lock = SPINLOCK_INIT(RANK_TTY, "tty"),
	.mode = { .c_iflag = ICRNL,
	    .c_oflag = OPOST | ONLCR,
	    .c_cflag = B38400 | CS8 | CREAD,
	    .c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | IEXTEN,
	    .c_cc = { [VINTR] = CTRL('C'), [VQUIT] = CTRL('\\'),
		[VERASE] = 0x7f, [VKILL] = CTRL('U'), [VEOF] = CTRL('D'),
		[VMIN] = 1, [VSUSP] = CTRL('Z') } },
	.size = { .ws_row = 24, .ws_col = 80 },
};

static void
echo(const char *s, size_t n)
{
	if (tty.mode.c_lflag & ECHO)
		console_put(s, n);
}

/* A character as the person sees it: ^C for control characters. */
static void
echo_char(unsigned c)
{
	char s[2] = { '^', (char)(c ^ 0x40) };

	if (c == '\n')
		echo("\r\n", 2);
	else if (c < ' ' && c != '\t')
		echo(s, 2);
	else if (c != 0x7f) {
		s[0] = (char)c;
		echo(s, 1);
	}
}

static void
edit_erase_locked(void)
{
	unsigned c;

	if (tty.end == tty.ready)
		return;
	c = tty.ring[--tty.end % TTY_RING];
	if (c < ' ' && c != '\t')
		echo("\b \b", 3);
	if (tty.mode.c_lflag & ECHOE)
		echo("\b \b", 3);
}

/* Append; the last place is for the end of the line. */
static void
ring_put_locked(unsigned c)
{
	unsigned keep = c == '\n' || c == MARK_EOF ? 0 : 1;

	if (tty.end - tty.start < TTY_RING - keep)
		tty.ring[tty.end++ % TTY_RING] = (uint16_t)c;
}

static void
ring_flush_locked(void)
{
	tty.start = tty.ready = tty.end;
}

/* Whether @p c has the role @p which; 0 in c_cc: no character has. */
static bool
is_special(unsigned c, unsigned which)
{
	return c == tty.mode.c_cc[which] && c != 0;
}

/* Edit a line; it becomes readable with its end. */
static void
input_canonical_locked(unsigned c)
{
	if (is_special(c, VERASE) || c == '\b' || c == 0x7f) {
		edit_erase_locked();
	} else if (is_special(c, VKILL)) {
		while (tty.end != tty.ready)
			edit_erase_locked();
	} else if (is_special(c, VEOF)) {
		ring_put_locked(MARK_EOF);
		tty.ready = tty.end;
	} else {
		ring_put_locked(c);
		echo_char(c);
		if (c == '\n')
			tty.ready = tty.end;
	}
}

/* @return the signal that the character stands for, or 0 */
static int
input_char_locked(unsigned c)
{
	int signo = 0;

	if (c == '\r' && (tty.mode.c_iflag & ICRNL))
		c = '\n';
	if (tty.mode.c_lflag & ISIG) {
		if (is_special(c, VINTR))
			signo = SIGINT;
		else if (is_special(c, VQUIT))
			signo = SIGQUIT;
		else if (is_special(c, VSUSP))
			signo = SIGTSTP;
	}
	if (signo != 0) {
		echo_char(c);
		echo("\r\n", 2);
		if (!(tty.mode.c_lflag & NOFLSH))
			ring_flush_locked();
	} else if (tty.mode.c_lflag & ICANON) {
		input_canonical_locked(c);
	} else {
		ring_put_locked(c);
		tty.ready = tty.end;
		echo_char(c);
	}
	return signo;
}

static void
input_char(unsigned c)
{
	bool on = spin_lock_irq(&tty.lock);
	int signo = input_char_locked(c);

	spin_unlock_irq(&tty.lock, on);
	if (signo != 0)
		job_signal_foreground(signo);
}

void
tty_input_ready(void)
{
	int c;

	while ((c = console_getc()) >= 0)
		input_char((unsigned)c & 0xff);
	waitq_wake_all(&terminal.wq);
}

/* ---- opening, hanging up ---- */

static uint32_t
hangups_now(void)
{
	return __atomic_load_n(&terminal.hangups, __ATOMIC_ACQUIRE);
}

static int
open_terminal(struct file *f)
{
	f->data = (void *)(uintptr_t)hangups_now();
	/* Without success it is not his, but open: as on Linux. */
	if (!(f->flags & O_NOCTTY))
		(void)job_take_terminal(false);
	return 0;
}

static int
open_controlling(struct file *f)
{
	f->data = (void *)(uintptr_t)hangups_now();
	return job_has_terminal() ? 0 : ENXIO;
}

static bool
is_console(const struct file *f)
{
	const struct device *dev = (const void *)(uintptr_t)f->aux;

	return dev->open == NULL;
}

/* The session that opened it has lost the terminal. */
static bool
is_hung_up(const struct file *f)
{
	return !is_console(f) && (uintptr_t)f->data != hangups_now();
}

/* What job control says to reading (SIGTTIN) or changing it (SIGTTOU). */
static int
may_use(const struct file *f, int signo)
{
	return is_console(f) ? 0 : job_check(signo);
}

/* ---- reading ---- */

/* Take up to @p n bytes, in canonical mode no further than one line.
 * @return false: nothing to read yet */
static bool
take_locked(char *buf, size_t n, size_t *got)
{
	bool canonical = tty.mode.c_lflag & ICANON;
	unsigned c;

	*got = 0;
	if (tty.start == tty.ready)
		return false;
	while (tty.start != tty.ready && *got < n) {
		c = tty.ring[tty.start++ % TTY_RING];
		if (c == MARK_EOF)
			break; /* alone it reads as the end of the file */
		buf[(*got)++] = (char)c;
		if (canonical && c == '\n')
			break;
	}
	return true;
}

/* VMIN = 0: when to give up without a byte. */
static ns_t
read_deadline_locked(void)
{
	const uint8_t *cc = tty.mode.c_cc;

	if ((tty.mode.c_lflag & ICANON) || cc[VMIN] > 0)
		return DEADLINE_NONE;
	return timer_now() + cc[VTIME] * 100000000ull;
}

static int
tty_read(struct file *f, const struct vm_pinned *buf, uint64_t pos,
    size_t *done)
{
	char line[TTY_RING];
	ns_t deadline = 0;
	uint32_t seq;
	int error = may_use(f, SIGTTIN);
	bool on, got;

	if (error != 0)
		return error;
	for (;;) {
		seq = waitq_sequence(&terminal.wq);
		if (is_hung_up(f))
			return 0; /* the end of the file */
		on = spin_lock_irq(&tty.lock);
		got = take_locked(line, MIN(buf->size, TTY_RING), done);
		if (deadline == 0)
			deadline = read_deadline_locked();
		spin_unlock_irq(&tty.lock, on);
		if (got || error == ETIMEDOUT)
			break;
		if (f->flags & O_NONBLOCK)
			return EAGAIN;
		error = waitq_wait(&terminal.wq, seq, WAIT_SIGNAL, deadline);
		if (error == EINTR)
			return EINTR;
	}
	vm_pinned_write(buf, 0, line, *done);
	return 0;
}

/* ---- writing ---- */

static int
tty_write(struct file *f, const struct vm_pinned *buf, uint64_t pos,
    size_t *done)
{
	bool crlf = (tty.mode.c_oflag & OPOST) && (tty.mode.c_oflag & ONLCR);
	char in[64], out[2 * sizeof(in)];
	size_t n, m;
	int error = tty.mode.c_lflag & TOSTOP ? may_use(f, SIGTTOU) : 0;

	if (error != 0)
		return error;
	if (is_hung_up(f))
		return EIO;
	while (*done < buf->size) {
		n = MIN(buf->size - *done, sizeof(in));
		vm_pinned_read(buf, *done, in, n);
		m = 0;
		for (size_t i = 0; i < n; i++) {
			if (in[i] == '\n' && crlf)
				out[m++] = '\r';
			out[m++] = in[i];
		}
		console_put(out, m);
		*done += n;
	}
	return 0;
}

/* ---- the rest ---- */

static unsigned
tty_poll(struct file *f, struct waitq **wq)
{
	unsigned events = POLLOUT | POLLWRNORM;

	*wq = &terminal.wq;
	if (is_hung_up(f))
		events |= POLLIN | POLLRDNORM | POLLERR | POLLHUP;
	if (__atomic_load_n(&tty.start, __ATOMIC_RELAXED) !=
	    __atomic_load_n(&tty.ready, __ATOMIC_RELAXED))
		events |= POLLIN | POLLRDNORM;
	return events;
}

static void
set_mode(const struct termios *mode, bool flush)
{
	bool on = spin_lock_irq(&tty.lock);

	tty.mode = *mode;
	if (flush)
		ring_flush_locked();
	if ((tty.mode.c_lflag & ICANON) == 0)
		tty.ready = tty.end; /* nothing is edited in raw mode */
	spin_unlock_irq(&tty.lock, on);
	waitq_wake_all(&terminal.wq);
}

static void
set_size(const struct winsize *size)
{
	bool on = spin_lock_irq(&tty.lock);
	bool same = memcmp(&tty.size, size, sizeof(*size)) == 0;

	tty.size = *size;
	spin_unlock_irq(&tty.lock, on);
	if (!same)
		job_signal_foreground(SIGWINCH);
}

/* The calls that take something from the user. */
static int
ioctl_set(struct file *f, struct vmspace *vs, unsigned cmd, vaddr_t arg)
{
	struct termios mode;
	struct winsize size;
	int pgid, error;
	char c;

	switch (cmd) {
	case TIOCSWINSZ:
		error = copyin(vs, &size, arg, sizeof(size));
		if (error == 0)
			set_size(&size);
		return error;
	case TIOCSPGRP:
		error = copyin(vs, &pgid, arg, sizeof(pgid));
		return error != 0 ? error : job_set_foreground(pgid);
	case TIOCSTI:
		error = copyin(vs, &c, arg, sizeof(c));
		if (error == 0) {
			input_char((uint8_t)c);
			waitq_wake_all(&terminal.wq);
		}
		return error;
	default:
		error = may_use(f, SIGTTOU);
		if (error == 0)
			error = copyin(vs, &mode, arg, sizeof(mode));
		if (error == 0)
			set_mode(&mode, cmd == TCSETSF);
		return error;
	}
}

/* The calls that tell whose terminal it is. */
static int
ioctl_owner(struct vmspace *vs, unsigned cmd, vaddr_t arg)
{
	int sid, pgid, error = job_get_terminal(&sid, &pgid);

	if (error != 0)
		return error;
	return copyout(vs, arg, cmd == TIOCGSID ? &sid : &pgid, sizeof(int));
}

static int
ioctl_readable(struct vmspace *vs, vaddr_t arg)
{
	bool on = spin_lock_irq(&tty.lock);
	int n = (int)(tty.ready - tty.start);

	spin_unlock_irq(&tty.lock, on);
	return copyout(vs, arg, &n, sizeof(n));
}

static int
tty_ioctl(struct file *f, struct vmspace *vs, unsigned cmd, vaddr_t arg,
    long *result)
{
	*result = 0;
	if (is_hung_up(f))
		return cmd == TIOCSPGRP ? ENOTTY : EIO;
	switch (cmd) {
	case TCGETS:
		return copyout(vs, arg, &tty.mode, sizeof(tty.mode));
	case TIOCGWINSZ:
		return copyout(vs, arg, &tty.size, sizeof(tty.size));
	case TIOCGPGRP:
	case TIOCGSID:
		return ioctl_owner(vs, cmd, arg);
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
	case TIOCSWINSZ:
	case TIOCSPGRP:
	case TIOCSTI:
		return ioctl_set(f, vs, cmd, arg);
	case TIOCSCTTY:
		return job_take_terminal(arg == 1);
	case TIOCNOTTY:
		return job_leave_terminal();
	case FIONREAD:
		return ioctl_readable(vs, arg);
	default:
		return ENOTTY;
	}
}

static const struct file_ops tty_ops = {
	.name = "tty",
	.seekable = false,
	.read = tty_read,
	.write = tty_write,
	.stat = device_stat,
	.readdir = file_readdir_enotdir,
	.ioctl = tty_ioctl,
	.poll = tty_poll,
	.size = file_size_zero,
	.release = file_release_nothing,
};

static const struct device tty_devices[] = {
	{ "console", S_IFCHR | 0600, DEVICE_NUMBER(5, 1), &tty_ops, NULL },
	{ "tty", S_IFCHR | 0666, DEVICE_NUMBER(5, 0), &tty_ops,
	    open_controlling },
	{ "ttyS0", S_IFCHR | 0620, TERMINAL_NUMBER, &tty_ops,
	    open_terminal },
};

void
tty_init(void)
{
	device_register(tty_devices, ARRAY_SIZE(tty_devices));
}
