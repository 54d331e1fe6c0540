/* SPDX-License-Identifier: MIT */
/*
 * exec.c - replace the program of the current process.
 *
 * Path: sys_execve | exec_init -> elf_open, elf_load, stack -> commit.
 * The new image is complete, in a space of its own, before anything of the old
 * one goes: whatever is wrong with the file, the arguments or memory is an
 * errno.  Only then the other threads end, and nothing fails any more.
 *
 * The stack as Linux lays it out, from high to low addresses:
 *	8 bytes of zero, name of the file, environment and argument strings,
 *	16 random bytes, auxv, envp[], argv[], argc <- sp
 */
#include "abi/auxv.h"
#include "abi/errno.h"
#include "abi/time.h"
#include "lib/string.h"
#include "mem/kmem.h"
#include "proc/signal.h"
#include "sys/elf.h"
#include "sys/random.h"
#include "sys/syscall_table.h"
#include "vm/pageout.h"

#include "fs/vfs.h"

#define STACK_SIZE  ((size_t)8 << 20)
#define STACK_TOP   (USER_MAX - PAGE_SIZE)

/* Strings are collected in one page, or if they do not fit in the limit. */
#define ARGS_SMALL PAGE_SIZE
#define ARGS_LIMIT ((size_t)128 << 10)

#if defined(__riscv)
#define HWCAP (1u << 0 | 1u << 2 | 1u << 3 | 1u << 5 | 1u << 8 | 1u << 12)
#else
#define HWCAP 0u
#endif

/** Where argument strings come from: user memory, or the kernel's (init). */
struct arg_source {
	uintptr_t argv, envp;
	bool kernel;
};

/** The strings argv..., envp..., path, one after the other. */
struct args {
	char *buf;
	size_t size, used;
	unsigned argc, envc;
};

static int
fetch_pointer(const struct arg_source *src, uintptr_t at, uintptr_t *out)
{
	if (!src->kernel)
		return copyin(thread_self()->space, out, at, sizeof(*out));
	memcpy(out, (const void *)at, sizeof(*out));
	return 0;
}

/* @retval ENAMETOOLONG no room */
static int
fetch_string(const struct arg_source *src, uintptr_t at, struct args *a)
{
	char *to = a->buf + a->used;
	size_t room = a->size - a->used, len;
	int error = 0;

	if (room == 0)
		return ENAMETOOLONG;
	if (!src->kernel)
		error = copyinstr(thread_self()->space, to, at, room);
	else if (strlcpy(to, (const char *)at, room) >= room)
		error = ENAMETOOLONG;
	if (error != 0)
		return error;
	len = strlen(to) + 1;
	a->used += len;
	return 0;
}

static int
fetch_list(const struct arg_source *src, uintptr_t list, struct args *a,
    unsigned *count)
{
	*count = 0;
	while (list != 0) { /* Linux takes NULL for an empty list */
		uintptr_t at;
		int error = fetch_pointer(src, list + *count * sizeof(at),
		    &at);

		if (error == 0 && at != 0)
			error = fetch_string(src, at, a);
		if (error != 0 || at == 0)
			return error;
		++*count;
	}
	return 0;
}

static int
fetch_all(const struct arg_source *src, const char *path, struct args *a,
    size_t size)
{
	const struct arg_source name = { .kernel = true };
	int error;

	a->buf = kmalloc(size);
	if (a->buf == NULL)
		return ENOMEM;
	a->size = size;
	a->used = 0;
	error = fetch_list(src, src->argv, a, &a->argc);
	if (error == 0)
		error = fetch_list(src, src->envp, a, &a->envc);
	if (error == 0)
		error = fetch_string(&name, (uintptr_t)path, a);
	if (error != 0)
		kfree(a->buf, a->size);
	return error;
}

static int
args_fetch(const struct arg_source *src, const char *path, struct args *a)
{
	int error = fetch_all(src, path, a, ARGS_SMALL);

	if (error == ENAMETOOLONG)
		error = fetch_all(src, path, a, ARGS_LIMIT);
	return error == ENAMETOOLONG ? E2BIG : error;
}

static int
map_stack(struct vmspace *vs)
{
	struct vm_mapreq rq = {
		.va = STACK_TOP - STACK_SIZE,
		.size = STACK_SIZE,
		.prot = VM_PROT_READ | VM_PROT_WRITE,
		.maxprot = VM_PROT_ALL,
		.flags = VM_MAP_FIXED | VM_MAP_NOREPLACE | VM_MAP_STACK,
		.source = VM_ANON,
	};
	vaddr_t out;

	return vm_map(vs, &rq, &out);
}

/** The block of words at the stack pointer. */
struct words {
	uint64_t *w;
	size_t n;
};

static void
put(struct words *v, uint64_t word)
{
	v->w[v->n++] = word;
}

/* Pointers to the strings of one list. @return address after them */
static vaddr_t
put_strings(struct words *v, const char *s, unsigned count, vaddr_t at)
{
	for (unsigned i = 0; i < count; i++) {
		size_t len = strlen(s) + 1;

		put(v, at);
		at += len;
		s += len;
	}
	put(v, 0);
	return at;
}

static void
put_auxv(struct words *v, const struct elf_image *im, vaddr_t random,
    vaddr_t execfn)
{
	const uint64_t aux[][2] = {
		{ AT_HWCAP, HWCAP },
		{ AT_PAGESZ, PAGE_SIZE },
		{ AT_CLKTCK, USER_HZ },
		{ AT_PHDR, im->phdr },
		{ AT_PHENT, sizeof(Elf64_Phdr) },
		{ AT_PHNUM, im->nphdrs },
		{ AT_BASE, 0 },
		{ AT_FLAGS, 0 },
		{ AT_ENTRY, im->entry },
		{ AT_UID, 0 },
		{ AT_EUID, 0 },
		{ AT_GID, 0 },
		{ AT_EGID, 0 },
		{ AT_SECURE, 0 },
		{ AT_RANDOM, random },
		{ AT_EXECFN, execfn },
		{ AT_NULL, 0 },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(aux); i++) {
		put(v, aux[i][0]);
		put(v, aux[i][1]);
	}
}

#define AUXV_WORDS   34
#define RANDOM_WORDS 2

/** Of a new stack. */
struct stack_layout {
	vaddr_t sp, strings, env_strings;
};

static int
build_stack(struct vmspace *vs, const struct elf_image *im,
    const struct args *a, struct stack_layout *out)
{
	vaddr_t strings = STACK_TOP - sizeof(uint64_t) - a->used;
	size_t nwords = 1 + a->argc + 1 + a->envc + 1 + AUXV_WORDS;
	vaddr_t random = ROUND_DOWN(strings, 16) - RANDOM_WORDS * 8;
	vaddr_t sp = ROUND_DOWN(random - nwords * 8, 16), env;
	size_t size = (nwords + RANDOM_WORDS + 2) * 8, before;
	struct words v = { .w = kzalloc(size) };
	int error;

	if (v.w == NULL)
		return ENOMEM;
	put(&v, a->argc);
	env = put_strings(&v, a->buf, a->argc, strings);
	before = env - strings;
	put_auxv(&v, im, random,
	    put_strings(&v, a->buf + before, a->envc, env));
	KASSERT(v.n == nwords);
	v.n = (random - sp) / 8; /* alignment may leave a hole */
	put(&v, random_u64());
	put(&v, random_u64());
	error = copyout(vs, sp, v.w, v.n * 8);
	if (error == 0)
		error = copyout(vs, strings, a->buf, a->used);
	kfree(v.w, size);
	out->sp = sp;
	out->strings = strings;
	out->env_strings = env;
	return error;
}

/* Last component of the path. */
static void
set_name(struct proc *p, const char *path)
{
	const char *name = path;

	for (const char *s = path; *s != '\0'; s++)
		if (*s == '/' && s[1] != '\0')
			name = s + 1;
	strlcpy(p->name, name, sizeof(p->name));
}

/* The old program ends here: from now on nothing may fail. */
static void
commit(struct vmspace *vs, const struct elf_image *im,
    const struct stack_layout *st)
{
	struct thread *t = thread_self();
	struct proc *p = t->proc;
	struct vmspace *old;
	bool on = spin_lock_irq(&proc_tree_lock);

	old = p->space;
	p->space = vs;
	spin_unlock_irq(&proc_tree_lock, on);
	vs->brk_start = vs->brk = im->end;
	thread_set_space(vs);
	vfork_release(t);
	vmspace_drop(old);
	fd_close_on_exec(p->files);
	t->clear_tid = t->robust_list = 0;
	memset(&t->sigstack, 0, sizeof(t->sigstack));
	t->sigstack.ss_flags = SS_DISABLE;
	fpu_init(&t->fpu);
	fpu_restore(&t->fpu);
	tf_init(tf_of_kstack(t->kstack), im->entry, st->sp);
	p->arg_start = st->strings;
	p->arg_end = st->env_strings;
	p->execed = true;
	counter_add(TS_execs, 1);
}

static int
load(struct file *f, const struct elf_image *im, const struct args *a,
    struct vmspace *vs, struct stack_layout *st)
{
	int error = elf_load(f, im, vs);

	if (error == 0)
		error = map_stack(vs);
	return error == 0 ? build_stack(vs, im, a, st) : error;
}

static int
exec_file(struct file *f, const char *path, const struct args *a)
{
	struct stack_layout st;
	struct elf_image im;
	struct vmspace *vs;
	int error = elf_open(f, &im);

	if (error != 0)
		return error;
	error = vmspace_create(&vs);
	if (error != 0)
		goto out;
	error = load(f, &im, a, vs, &st);
	if (error == 0)
		error = proc_single_thread();
	if (error == 0)
		error = signal_reset_handlers();
	if (error != 0) {
		vmspace_drop(vs);
		goto out;
	}
	commit(vs, &im, &st);
	set_name(proc_self(), path);
out:
	elf_close(&im);
	return error;
}

static int
try_exec(const char *path, const struct arg_source *src)
{
	struct proc *p = proc_self();
	struct file *f;
	struct args a;
	int error = vfs_open_exec(p->cwd, path, &f);

	if (error != 0)
		return error;
	error = args_fetch(src, path, &a);
	if (error == 0) {
		error = exec_file(f, path, &a);
		kfree(a.buf, a.size);
	}
	file_drop(f);
	return error;
}

static int
exec(const char *path, const struct arg_source *src)
{
	unsigned tries = 0;
	int error;

	do
		error = try_exec(path, src);
	while (unlikely(error != 0) && pageout_retry(error, &tries));
	return error;
}

long
sys_execve(uintptr_t user_path, uintptr_t argv, uintptr_t envp)
{
	const struct arg_source src = { .argv = argv, .envp = envp };
	char *path;
	int error = path_copyin(user_path, &path);

	if (error == 0) {
		error = exec(path, &src);
		path_free(path);
	}
	return -error;
}

int
exec_init(const char *path, const char *const *argv, const char *const *envp)
{
	const struct arg_source src = {
		.argv = (uintptr_t)argv,
		.envp = (uintptr_t)envp,
		.kernel = true,
	};

	return exec(path, &src);
}
