/* SPDX-License-Identifier: MIT */
/*
 * pager.c - messages in short, for the pagers of this folder.
 */
#include "pager.h"

void
must(bool good, const char *what)
{
	if (!good)
		die("%s: errno %d", what, errno);
}

void
need_l4(void)
{
	if (l4_set_pager(L4_NILTHREAD) != 0)
		die("this needs the L4 design: boot with vm=l4");
}

void
await(struct l4_ipc *m, pid_t from)
{
	*m = (struct l4_ipc){ .from = from };
	must(l4_ipc(m) == 0, "receive");
}

bool
is_fault(const struct l4_ipc *m)
{
	unsigned long label = L4_TAG_LABEL(m->mr[0]);

	return (label & ~15ul) == L4_LABEL_FAULT(0) &&
	    L4_TAG_U(m->mr[0]) == 2;
}

char *
fault_page(const struct l4_ipc *m)
{
	return (char *)(uintptr_t)(m->mr[1] & ~(uint64_t)(PAGE_SIZE - 1));
}

bool
give(pid_t client, char *page, char *va, unsigned long rights)
{
	struct l4_ipc m = { .to = client, .send_timeout = L4_ZERO_TIME };

	/* Only what is mapped can be given: page-out may have taken it. */
	(void)*(volatile char *)page;
	m.mr[0] = L4_TAG(0, 0, 2);
	m.mr[1] = L4_ITEM_MAP(va);
	m.mr[2] = L4_FPAGE(page, 12, rights);
	return l4_ipc(&m) == 0;
}

bool
take_back(char *page)
{
	uint64_t fpage = L4_FPAGE(page, 12, RIGHTS | L4_FPAGE_X);

	must(l4_unmap(0, &fpage) == 0, "unmap");
	return fpage & L4_FPAGE_W;
}

uint64_t
call(pid_t to, uint64_t word)
{
	struct l4_ipc m = { .to = to, .from = to };

	m.mr[0] = L4_TAG(1, 1, 0);
	m.mr[1] = word;
	must(l4_ipc(&m) == 0, "call");
	return m.mr[1];
}

void
reply(pid_t to, uint64_t word)
{
	/* Who calls waits for the answer, so there is no need to wait. */
	struct l4_ipc m = { .to = to, .send_timeout = L4_ZERO_TIME };

	m.mr[0] = L4_TAG(1, 1, 0);
	m.mr[1] = word;
	must(l4_ipc(&m) == 0, "reply");
}

pid_t
spawn(int (*fn)(void))
{
	pid_t pid = fork();

	must(pid >= 0, "fork");
	if (pid == 0)
		_exit(fn());
	return pid;
}

int
reap(pid_t pid)
{
	int status;

	must(waitpid(pid, &status, 0) == pid, "wait");
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
				     WEXITSTATUS(status);
}
