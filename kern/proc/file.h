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
struct inode;
struct stat;

/** One directory entry, and the collector that readdir fills. */
struct dir_entry {
	const char *name;	/* not terminated */
	size_t len;
	uint64_t ino;
	unsigned type;		/* DT_* */
	uint64_t next;		/* cookie of the entry after this one */
};
struct dir_sink {
	/** False: no room, the entry was not taken. */
	bool (*emit)(struct dir_sink *, const struct dir_entry *);
};

/** Operations of one kind of file.  No slot is NULL: file.c has stubs that
 * answer EINVAL, ESPIPE, ENOTDIR, ENOTTY. */
struct file_ops {
	const char *name;
	bool seekable;
	/** Transfer at most buf->size bytes at @p pos; @p *done counts them,
	 * also when an error follows some bytes. None and 0: end of file.
	 * May wait; EINTR, EAGAIN (O_NONBLOCK). Called with the file locked
	 * when it is seekable. */
	int (*read)(struct file *, const struct vm_pinned *buf, uint64_t pos,
	    size_t *done);
	/** The same; with O_APPEND it sets f->pos to where it writes. */
	int (*write)(struct file *, const struct vm_pinned *buf, uint64_t pos,
	    size_t *done);
	int (*stat)(struct file *, struct stat *);
	/** Emit the entries from cookie @p *pos on and advance it past those
	 * that were taken. 0 at the end of the directory. File locked. */
	int (*readdir)(struct file *, uint64_t *pos, struct dir_sink *);
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
	struct inode *inode;	    /* [I] what the path named; NULL: pipe */
	void *data;		    /* of the implementation: pipe end */
	uint64_t aux;		    /* likewise */
};

/* Slots for operations that a kind of file does not have. */
int file_read_einval(struct file *, const struct vm_pinned *, uint64_t,
    size_t *);
int file_write_einval(struct file *, const struct vm_pinned *, uint64_t,
    size_t *);
int file_readdir_enotdir(struct file *, uint64_t *, struct dir_sink *);
int file_ioctl_enotty(struct file *, struct vmspace *, unsigned, vaddr_t,
    long *);
/** Always ready, like a file on a disk; announces nothing. */
unsigned file_poll_ready(struct file *, struct waitq **);
uint64_t file_size_zero(struct file *);
void file_release_nothing(struct file *);
/** Zeroes into [@p off, @p off + @p n) of a batch: holes, /dev/zero. */
void file_zero_pinned(const struct vm_pinned *, size_t off, size_t n);

/** Boot. */
void file_init(void);

/** One reference, at position 0. @p flags: O_ACCMODE and status flags.
 * @retval ENOMEM */
int __must_check file_create(const struct file_ops *, unsigned flags,
    void *data, struct file **out);
void file_hold(struct file *);
void file_drop(struct file *);

/**
 * Read or write user memory at the file position (@p pos NULL) or at @p *pos,
 * which is not advanced.
 * The buffer is pinned in batches of VM_PIN_MAX pages, each before any lock of
 * the file; other users of the same open file may come in between batches.
 * A read of a file without positions (pipe, terminal) ends with the first
 * batch: it never waits once it has something.
 * @return bytes; a negative errno only if there are none
 */
long file_read(struct file *, struct vmspace *, vaddr_t buf, size_t n,
    const uint64_t *pos);
long file_write(struct file *, struct vmspace *, vaddr_t buf, size_t n,
    const uint64_t *pos);
/** Read into kernel memory of the direct map (exec). @return as file_read */
long file_read_kernel(struct file *, void *buf, size_t n, uint64_t pos);
/** lseek. @return the new position, or -EINVAL, -ESPIPE */
long file_seek(struct file *, int64_t offset, int whence);

#define FD_MAX 64

struct fdtable; /* refcounted, shared by CLONE_FILES */

/** One reference, no descriptor. @retval ENOMEM */
int __must_check fdtable_create(struct fdtable **out);
/** Fork: a table of its own with the same open files. @retval ENOMEM */
int __must_check fdtable_clone(struct fdtable *, struct fdtable **out);
void fdtable_hold(struct fdtable *);
void fdtable_drop(struct fdtable *); /* the last closes all */
/** Lowest free descriptor >= @p from takes over the reference of @p f.
 * @retval EMFILE, EINVAL (@p from out of range): the caller keeps it */
int __must_check fd_install(struct fdtable *, struct file *f, int from,
    bool cloexec, int *out);
/** dup3: @p fd takes over the reference; what it named before is closed.
 * @retval EBADF @p fd out of range: the caller keeps it */
int __must_check fd_replace(struct fdtable *, int fd, struct file *f,
    bool cloexec);
/** A new reference, or NULL (EBADF). */
struct file *fd_get(struct fdtable *, int fd);
/** file_read() and file_write() of what @p fd names. @return also -EBADF */
long fd_read(struct fdtable *, int fd, struct vmspace *, vaddr_t buf, size_t n,
    const uint64_t *pos);
long fd_write(struct fdtable *, int fd, struct vmspace *, vaddr_t buf,
    size_t n, const uint64_t *pos);
/** @retval EBADF */
int fd_close(struct fdtable *, int fd);
void fd_close_on_exec(struct fdtable *);
/** @retval EBADF */
int fd_set_cloexec(struct fdtable *, int fd, bool on);
int fd_get_cloexec(struct fdtable *, int fd, bool *on);

#endif
