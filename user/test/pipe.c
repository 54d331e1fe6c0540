/* SPDX-License-Identifier: MIT */
/*
 * pipe.c - pipes, descriptors and poll.
 */
#include "ktap.h"
#include <term.h>

static void
bytes_in_order(void)
{
	char buf[16];
	int fds[2];

	EXPECT_OK(pipe(fds));
	EXPECT_EQ(write(fds[1], "abc", 3), 3);
	EXPECT_EQ(write(fds[1], "defg", 4), 4);
	EXPECT_EQ(read(fds[0], buf, 2), 2);
	EXPECT_EQ(read(fds[0], buf + 2, sizeof(buf) - 2), 5);
	EXPECT_EQ(memcmp(buf, "abcdefg", 7), 0);
}

static void
end_of_file(void)
{
	int fds[2], other;
	char c;

	EXPECT_OK(pipe(fds));
	other = (int)EXPECT_OK(dup(fds[1]));
	write(fds[1], "x", 1);
	close(fds[1]);
	EXPECT_EQ(read(fds[0], &c, 1), 1);
	close(other);
	EXPECT_EQ(read(fds[0], &c, 1), 0);
	EXPECT_EQ(read(fds[0], &c, 1), 0);
}

static void
broken_pipe(void)
{
	int fds[2], status;
	pid_t pid;

	EXPECT_OK(pipe(fds));
	close(fds[0]);
	signal(SIGPIPE, SIG_IGN);
	EXPECT_ERR(write(fds[1], "x", 1), EPIPE);
	pid = (pid_t)EXPECT_OK(fork());
	if (pid == 0) {
		signal(SIGPIPE, SIG_DFL);
		write(fds[1], "x", 1);
		_exit(0);
	}
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	expect_signal(status, SIGPIPE);
}

/* 1 MiB of pseudo-random bytes in odd pieces from another process. */
static void
large_transfer(void)
{
	enum { TOTAL = 1 << 20 };
	uint64_t state = 7, check = 7, word;
	size_t got = 0;
	int fds[2], status;
	char buf[1000];
	ssize_t n = 0;
	pid_t pid;

	EXPECT_OK(pipe(fds));
	pid = (pid_t)EXPECT_OK(fork());
	if (pid == 0) {
		static uint64_t all[TOTAL / 8];
		size_t i, at, piece;

		for (i = 0; i < nitems(all); i++)
			all[i] = prng(&state);
		for (at = 0, piece = 1; at < TOTAL; at += piece) {
			piece = MIN(piece * 3 % 9001 + 1, TOTAL - at);
			if (write_all(fds[1], (char *)all + at, piece) < 0)
				_exit(1);
		}
		_exit(0);
	}
	close(fds[1]);
	word = prng(&check);
	while ((n = read(fds[0], buf, sizeof(buf))) > 0) {
		for (ssize_t i = 0; i < n; i++, got++) {
			if (got > 0 && got % 8 == 0)
				word = prng(&check);
			if ((unsigned char)buf[i] !=
			    (unsigned char)(word >> got % 8 * 8))
				ktap_fail(__FILE__, __LINE__,
				    "byte %zu differs", got);
		}
	}
	EXPECT_EQ(n, 0);
	EXPECT_EQ(got, TOTAL);
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	expect_exit(status, 0);
}

/* Writes of up to 4096 bytes are atomic among several writers. */
static void
atomic_writes(void)
{
	enum { WRITERS = 4, ROUNDS = 40, SIZE = 512 };
	char buf[SIZE];
	int fds[2], i, n = 0, round;
	size_t used;
	ssize_t r;

	EXPECT_OK(pipe(fds));
	for (i = 0; i < WRITERS; i++) {
		if (EXPECT_OK(fork()) != 0)
			continue;
		memset(buf, 'a' + i, SIZE);
		for (round = 0; round < ROUNDS; round++)
			write(fds[1], buf, SIZE);
		_exit(0);
	}
	close(fds[1]);
	for (;;) {
		for (used = 0; used < SIZE; used += (size_t)r) {
			r = EXPECT_OK(read(fds[0], buf + used, SIZE - used));
			if (r == 0)
				break;
		}
		if (used == 0)
			break;
		EXPECT_EQ(used, SIZE);
		for (i = 1; i < SIZE; i++)
			EXPECT_EQ(buf[i], buf[0]);
		n++;
	}
	EXPECT_EQ(n, WRITERS * ROUNDS);
}

static void
nonblocking(void)
{
	static char block[4096];
	long total = 0, n;
	int fds[2];

	EXPECT_OK(pipe2(fds, O_NONBLOCK));
	EXPECT_ERR(read(fds[0], block, 1), EAGAIN);
	while ((n = write(fds[1], block, sizeof(block))) > 0)
		total += n;
	EXPECT_EQ(errno, EAGAIN);
	EXPECT(total >= 4096);
	while ((n = read(fds[0], block, sizeof(block))) > 0)
		total -= n;
	EXPECT_EQ(total, 0);
}

static void
blocked_writer_continues(void)
{
	static char block[65536];
	int fds[2], status, i;
	size_t left;
	pid_t pid;

	EXPECT_OK(pipe(fds));
	pid = (pid_t)EXPECT_OK(fork());
	if (pid == 0) {
		for (i = 0; i < 4; i++) {
			if (write(fds[1], block, sizeof(block)) !=
			    (ssize_t)sizeof(block))
				_exit(1);
		}
		_exit(0);
	}
	msleep(20);
	for (left = 4 * sizeof(block); left > 0;)
		left -= (size_t)EXPECT_OK(read(fds[0], block,
		    MIN(left, 10000)));
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	expect_exit(status, 0);
}

static void
vectors(void)
{
	char a[4] = "abc", b[8] = "defghij", x[2], y[20];
	struct iovec out[3] = { { a, 3 }, { NULL, 0 }, { b, 7 } };
	struct iovec in[2] = { { x, 2 }, { y, 20 } };
	int fds[2];

	EXPECT_OK(pipe(fds));
	EXPECT_EQ(writev(fds[1], out, 3), 10);
	EXPECT_EQ(readv(fds[0], in, 2), 10);
	EXPECT_EQ(memcmp(x, "ab", 2), 0);
	EXPECT_EQ(memcmp(y, "cdefghij", 8), 0);
	EXPECT_EQ(writev(fds[1], out, 0), 0);
	EXPECT_ERR(writev(fds[1], out, -1), EINVAL);
	EXPECT_ERR(writev(fds[1], out, 1 << 20), EINVAL);
	out[0].iov_len = (size_t)-1;
	EXPECT_ERR(writev(fds[1], out, 3), EINVAL);
}

static void
descriptors(void)
{
	int fds[2], a, b;
	char c;

	EXPECT_OK(pipe(fds));
	a = (int)EXPECT_OK(dup(fds[1]));
	EXPECT_EQ(dup2(a, 40), 40);
	EXPECT_EQ(dup2(40, 40), 40);
	EXPECT_EQ(write(40, "q", 1), 1);
	EXPECT_EQ(read(fds[0], &c, 1), 1);
	EXPECT_EQ(c, 'q');
	EXPECT_OK(close(a));
	b = (int)EXPECT_OK(dup(0));
	EXPECT_EQ(b, a);		/* the lowest that is free */
	EXPECT_ERR(close(a) + close(a), EBADF);
	EXPECT_ERR(dup3(40, 40, 0), EINVAL);
	EXPECT_ERR(dup3(40, 41, 1), EINVAL);
	EXPECT_ERR(dup2(99, 41), EBADF);
	EXPECT_ERR(dup2(40, -1), EBADF);
	EXPECT_ERR(dup2(40, 1 << 30), EBADF);
	EXPECT_ERR(read(fds[1], &c, 1), EBADF);
	EXPECT_ERR(write(fds[0], &c, 1), EBADF);
	EXPECT_ERR(lseek(fds[0], 0, SEEK_SET), ESPIPE);
}

static void
fcntl_commands(void)
{
	int fds[2], fd;

	EXPECT_OK(pipe2(fds, O_CLOEXEC));
	EXPECT_EQ(fcntl(fds[0], F_GETFD, 0), FD_CLOEXEC);
	EXPECT_OK(fcntl(fds[0], F_SETFD, 0));
	EXPECT_EQ(fcntl(fds[0], F_GETFD, 0), 0);
	EXPECT_EQ(fcntl(fds[0], F_GETFL, 0) & O_ACCMODE, O_RDONLY);
	EXPECT_EQ(fcntl(fds[1], F_GETFL, 0) & O_ACCMODE, O_WRONLY);
	EXPECT_OK(fcntl(fds[0], F_SETFL, O_NONBLOCK));
	EXPECT_EQ(fcntl(fds[0], F_GETFL, 0) & O_NONBLOCK, O_NONBLOCK);
	fd = (int)EXPECT_OK(fcntl(fds[0], F_DUPFD, 30));
	EXPECT(fd >= 30);
	EXPECT_EQ(fcntl(fd, F_GETFD, 0), 0);
	fd = (int)EXPECT_OK(fcntl(fds[0], F_DUPFD_CLOEXEC, 30));
	EXPECT_EQ(fcntl(fd, F_GETFD, 0), FD_CLOEXEC);
	EXPECT_ERR(fcntl(fds[0], 9999, 0), EINVAL);
	EXPECT_ERR(fcntl(99, F_GETFD, 0), EBADF);
	EXPECT_ERR(pipe2(fds, 0x40), EINVAL);
}

static void
poll_events(void)
{
	struct pollfd p[3];
	uint64_t start;
	int fds[2];
	char c;

	EXPECT_OK(pipe(fds));
	p[0] = (struct pollfd){ .fd = fds[0], .events = POLLIN };
	p[1] = (struct pollfd){ .fd = fds[1], .events = POLLOUT };
	p[2] = (struct pollfd){ .fd = 99, .events = POLLIN };
	EXPECT_EQ(poll(p, 2, 0), 1);
	EXPECT_EQ(p[0].revents, 0);
	EXPECT_EQ(p[1].revents, POLLOUT);
	EXPECT_EQ(poll(p, 3, -1), 2);
	EXPECT_EQ(p[2].revents, POLLNVAL);
	start = now_ns();
	EXPECT_EQ(poll(p, 1, 50), 0);
	EXPECT(now_ns() - start >= 50000000);
	if (EXPECT_OK(fork()) == 0) {
		msleep(30);
		write(fds[1], "x", 1);
		_exit(0);
	}
	EXPECT_EQ(poll(p, 1, 10000), 1);
	EXPECT_EQ(p[0].revents, POLLIN);
	EXPECT_EQ(read(fds[0], &c, 1), 1);
	wait(NULL);
	close(fds[1]);
	EXPECT_EQ(poll(p, 1, 10000), 1);
	EXPECT_EQ(p[0].revents, POLLHUP);
}

static void
available_bytes(void)
{
	int fds[2], n = -1;

	EXPECT_OK(pipe(fds));
	EXPECT_EQ(write(fds[1], "12345", 5), 5);
	EXPECT_OK(ioctl(fds[0], FIONREAD, &n));
	EXPECT_EQ(n, 5);
	EXPECT_ERR(ioctl(fds[0], TCGETS, &n), ENOTTY);
	EXPECT_ERR(ioctl(99, TCGETS, &n), EBADF);
}

/* Many processes in a row pass a token on. */
static void
ring_of_processes(void)
{
	enum { N = 12, ROUNDS = 20 };
	int first[2], in, fds[2], i, token, status;

	EXPECT_OK(pipe(first));
	in = first[0];
	for (i = 0; i < N; i++) {
		EXPECT_OK(pipe(fds));
		if (EXPECT_OK(fork()) == 0) {
			close(first[1]);
			close(fds[0]);
			while (read(in, &token, sizeof(token)) ==
			    (ssize_t)sizeof(token)) {
				token++;
				write(fds[1], &token, sizeof(token));
			}
			_exit(0);
		}
		close(in);
		close(fds[1]);
		in = fds[0];
	}
	token = 0;
	for (i = 0; i < ROUNDS; i++) {
		EXPECT_EQ(write(first[1], &token, sizeof(token)),
		    sizeof(token));
		EXPECT_EQ(read(in, &token, sizeof(token)), sizeof(token));
	}
	EXPECT_EQ(token, N * ROUNDS);
	close(first[1]);
	for (i = 0; i < N; i++) {
		EXPECT_OK(wait(&status));
		expect_exit(status, 0);
	}
}

static const struct ktap_test tests[] = {
	TEST(bytes_in_order, 0),
	TEST(end_of_file, 0),
	TEST(broken_pipe, 0),
	TEST(large_transfer, 0),
	TEST(atomic_writes, 0),
	TEST(nonblocking, 0),
	TEST(blocked_writer_continues, 0),
	TEST(vectors, 0),
	TEST(descriptors, 0),
	TEST(fcntl_commands, 0),
	TEST(poll_events, 0),
	TEST(available_bytes, 0),
	TEST(ring_of_processes, 0),
};

KTAP_MAIN("pipe")
