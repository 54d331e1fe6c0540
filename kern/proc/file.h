/* SPDX-License-Identifier: MIT */
/**
 * @file file.h
 * Open files and descriptor tables.
 *
 * struct file is what a descriptor names; pipes (ipc), files and directories
 * (fs) and devices (dev) each bring a struct file_ops.  User buffers reach an
 * operation pinned, in batches (vm.h), before it takes any lock of its own.
 */
#ifndef PROC_FILE_H
#define PROC_FILE_H

#include "sync/sleeplock.h"
#include "vm/vm.h"

struct file;
struct stat;
struct dirent_sink;

/** Operations of one kind of file.  No slot is NULL: file.c has stubs that
 * answer EINVAL, ESPIPE, ENOTDIR, ENOTTY. */
struct file_ops {
	const char *name;
	bool seekable;
	/** Transfer at most buf->size bytes at @p pos; @p *done counts them, also
	 * when an error follows some bytes. 0 with *done = 0: end of file.
	 * May wait; EINTR, EAGAIN (O_NONBLOCK). */
	int (*read)(struct file *, const struct vm_pinned *buf, uint64_t pos,
	    size_t *done);
	int (*write)(struct file *, const struct vm_pinned *buf, uint64_t pos,
	    size_t *done);
	int (*stat)(struct file *, struct stat *);
	/** Call @p emit for entries from cookie *pos on, advancing it; emit
	 * answers false when its buffer is full. */
	int (*readdir)(struct file *, uint64_t *pos,
	    bool (*emit)(void *arg, const char *name, size_t len, uint64_t ino,
		unsigned type, uint64_t next),
	    void *arg);
	/** @p arg is a user address in @p vs. */
	int (*ioctl)(struct file *, struct vmspace *vs, unsigned cmd,
	    vaddr_t arg, long *result);
	/** POLLIN/POLLOUT/... now; *wq: where a change is announced. */
	unsigned (*poll)(struct file *, struct waitq **wq);
	/** Size for SEEK_END. */
	uint64_t (*size)(struct file *);
	/** Last reference is gone. */
	void (*release)(struct file *);
};

/** Letters: I immutable, a atomic, f lock. */
struct file {
	const struct file_ops *ops; /* [I] */
	uint32_t refs;		    /* [a] */
	uint32_t flags;		    /* [a] O_* status flags and access mode */
	struct sleeplock lock;	    /* RANK_FS: the position */
	uint64_t pos;		    /* [f] */
	void *data;		    /* [I] inode, pipe end, device */
	uint64_t aux;		    /* of the implementation */
};

/** @retval ENOMEM, ENFILE */
int __must_check file_create(const struct file_ops *, unsigned flags,
    void *data, struct file **out);
void file_hold(struct file *);
void file_drop(struct file *);

/** Read or write user memory at the file position (@p pos NULL) or at *pos.
 * @return bytes, or a negative errno */
long file_read(struct file *, struct vmspace *, vaddr_t buf, size_t n,
    uint64_t *pos);
long file_write(struct file *, struct vmspace *, vaddr_t buf, size_t n,
    uint64_t *pos);
/** Read into kernel memory of the direct map (exec). @return as file_read */
long file_read_kernel(struct file *, void *buf, size_t n, uint64_t pos);

#define FD_MAX 64

struct fdtable; /* refcounted, shared by CLONE_FILES */

int __must_check fdtable_create(struct fdtable **out);
int __must_check fdtable_clone(struct fdtable *, struct fdtable **out);
void fdtable_hold(struct fdtable *);
void fdtable_drop(struct fdtable *); /* the last closes all */
/** Lowest free descriptor >= @p from takes over the reference of @p f.
 * @retval EMFILE */
int __must_check fd_install(struct fdtable *, struct file *f, int from,
    bool cloexec, int *out);
/** dup2 semantics. */
int fd_replace(struct fdtable *, int fd, struct file *f, bool cloexec);
/** A new reference, or NULL (EBADF). */
struct file *fd_get(struct fdtable *, int fd);
int fd_close(struct fdtable *, int fd);
void fd_close_on_exec(struct fdtable *);
int fd_set_cloexec(struct fdtable *, int fd, bool on);
int fd_get_cloexec(struct fdtable *, int fd, bool *on);

#endif
