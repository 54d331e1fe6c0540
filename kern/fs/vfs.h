/* SPDX-License-Identifier: MIT */
/**
 * @file vfs.h
 * Paths, inodes and mounts; what system calls and exec use of file systems.
 *
 * Paths are kernel strings, already copied in.  @p dir is the open directory
 * where a relative path starts (the working directory, or that of an *at call);
 * NULL stands for the root, and absolute paths ignore it.  ENOTDIR when a
 * relative path starts at something else.  Every call may sleep and is made
 * with no lock held.  Errors are those of Linux: ENOENT, ENOTDIR, ELOOP,
 * ENAMETOOLONG, EIO (damaged file system), ENOMEM, ENFILE (too many inodes);
 * of calls that change something EROFS, ENOSPC, EBUSY (a mount).
 */
#ifndef FS_VFS_H
#define FS_VFS_H

#include "abi/dirent.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "abi/statfs.h"
#include "proc/file.h"

/**
 * Mount the file system on block device @p root (usually "ram0") as /, then
 * procfs on /proc and devfs on /dev if the root has these directories.
 * Says on the console what it mounted, or why it refused.
 * @retval ENODEV no such device  @retval EINVAL no or damaged file system
 * @ctx boot, a kernel thread; once
 */
int __must_check vfs_init(const char *root);

/**
 * Open; @p flags are those of openat.  O_CLOEXEC is the caller's business.
 * A working directory is such a file, opened with O_DIRECTORY: chdir is
 * vfs_open() and a change of proc->cwd.
 * @retval EROFS   O_CREAT of something new, or writing on a read-only mount
 * @retval EISDIR  a directory for writing     @retval EEXIST  O_EXCL
 * @retval ENXIO   a special file that has no driver
 */
int __must_check vfs_open(struct file *dir, const char *path, unsigned flags,
    unsigned mode, struct file **out);
/** Open for exec: a regular file with an x bit. @retval EACCES otherwise */
int __must_check vfs_open_exec(struct file *dir, const char *path,
    struct file **out);
/** @p flags: AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH (then of @p dir itself).
 * For an open file call f->ops->stat. */
int __must_check vfs_stat(struct file *dir, const char *path, unsigned flags,
    struct stat *);
/** At most @p size bytes of the target, without NUL. @retval EINVAL no link */
int __must_check vfs_readlink(struct file *dir, const char *path, char *buf,
    size_t size, size_t *len);
/** @p mode: R_OK | W_OK | X_OK or F_OK, for the superuser that all are. */
int __must_check vfs_access(struct file *dir, const char *path, unsigned mode);
/** Absolute path of @p dir with its NUL; @p *len counts the NUL.
 * @retval ERANGE @p size is too small  @retval ENOENT it was removed */
int __must_check vfs_getcwd(struct file *dir, char *buf, size_t size,
    size_t *len);
/** mkdir, symlink (@p target) or mknod of a regular file.
 * @retval EEXIST */
int __must_check vfs_make(struct file *dir, const char *path, uint32_t mode,
    const char *target);
/** @p flags: AT_SYMLINK_FOLLOW for @p old. @retval EEXIST @retval EXDEV
 * @retval EPERM a directory @retval EMLINK */
int __must_check vfs_link(struct file *olddir, const char *old,
    struct file *newdir, const char *new, unsigned flags);
/** unlink, or rmdir with AT_REMOVEDIR. @retval EISDIR @retval ENOTDIR
 * @retval ENOTEMPTY @retval EINVAL rmdir of "." */
int __must_check vfs_unlink(struct file *dir, const char *path,
    unsigned flags);
/** @p flags: RENAME_NOREPLACE. All cases of POSIX. */
int __must_check vfs_rename(struct file *olddir, const char *old,
    struct file *newdir, const char *new, unsigned flags);
/** @retval EISDIR @retval EINVAL no regular file @retval EFBIG */
int __must_check vfs_truncate(struct file *dir, const char *path,
    uint64_t size);
/** What -1 says stays. */
struct inode_attr {
	int64_t mode, atime, mtime;
};
int __must_check vfs_setattr(struct file *dir, const char *path,
    unsigned flags, const struct inode_attr *);
int __must_check vfs_statfs(struct file *dir, const char *path,
    struct statfs *);
/** Write everything that is unsaved, and wait for it. @retval EIO */
int vfs_sync(void);
/** The same for good: nothing can be written afterwards, and the root file
 * system is marked clean. */
void vfs_shutdown(void);
/** The daemon that writes back (writeback.c). @ctx boot */
void writeback_start(void);
/** getdents64 into user memory. @return bytes, 0 at the end, or a negative
 * errno (EINVAL: not even one entry fits) */
long vfs_getdents(struct file *, struct vmspace *, vaddr_t buf, size_t n);

/* ---- what file systems implement ---- */

struct mount;

/** A name in a directory, not terminated; neither empty nor "." nor "..". */
struct name {
	const char *s;
	size_t len;
};

/** Changes of inodes; one instance, inode_edit_none, refuses all. */
struct inode_edit_ops {
	/** A new child; the type of @p mode is a directory, a regular file or a
	 * link to @p target. @retval EEXIST @retval ENOENT @p dir is removed */
	int (*make)(struct inode *dir, const struct name *, uint32_t mode,
	    const char *target, struct inode **out);
	int (*link)(struct inode *dir, const struct name *, struct inode *ip);
	int (*unlink)(struct inode *dir, const struct name *, bool rmdir);
	int (*rename)(struct inode *olddir, const struct name *old,
	    struct inode *newdir, const struct name *new, unsigned flags);
	int (*resize)(struct inode *, uint64_t size);
	int (*setattr)(struct inode *, const struct inode_attr *);
	/** Contents, names and all reach the disk. @retval EIO */
	int (*sync)(struct inode *);
	/** Its pages; NULL: it cannot be mapped. */
	struct vm_object *(*object)(struct inode *);
};
extern const struct inode_edit_ops inode_edit_none;

/** Operations on one kind of inode.  No slot is NULL; stubs below. */
struct inode_ops {
	const char *name;
	/** The child, with a reference. @p name is neither "." nor empty, and
	 * not terminated; ".." is asked for only where a parent exists.
	 * @retval ENOENT @retval ENOTDIR (not a directory) @retval EIO */
	int (*lookup)(struct inode *dir, const char *name, size_t len,
	    struct inode **out);
	/** @p *len: bytes stored, no NUL. @retval EINVAL not a link */
	int (*readlink)(struct inode *, char *buf, size_t size, size_t *len);
	/** As the slot of struct file_ops. @retval ENOTDIR */
	int (*readdir)(struct inode *dir, uint64_t *pos, struct dir_sink *);
	/** A file at this inode; takes over the caller's reference, usually as
	 * file->inode. @retval ENXIO and others: the caller keeps it */
	int (*open)(struct inode *, unsigned flags, struct file **out);
	/** The last reference is gone; another may have appeared since, so an
	 * inode that stays in a cache is looked at again under its lock. */
	void (*release)(struct inode *);
	const struct inode_edit_ops *edit;
};

/** Letters: I immutable, a atomic, m immutable after boot, f by the rules of
 * the file system; who only looks reads without a lock. */
struct inode {
	const struct inode_ops *ops; /* [I] */
	const struct mount *mnt;     /* [I] the mount it belongs to */
	const struct mount *covered; /* [m] what is mounted on it, or NULL */
	uint32_t refs;		     /* [a] */
	uint32_t mode;		     /* [f] S_IF* and permissions */
	uint64_t ino;		     /* [I] number within the mount */
	uint64_t size;		     /* [f] bytes */
	uint64_t nsectors;	     /* [f] of 512 bytes, for st_blocks */
	uint64_t rdev;		     /* [I] */
	uint32_t nlink, uid, gid;    /* [f] */
	int64_t atime, mtime, ctime; /* [f] seconds */
};

struct mount_ops {
	/** Fills the zeroed structure. */
	void (*statfs)(const struct mount *, struct statfs *);
	int (*sync)(struct mount *);
	/** The same for the daemon, to whom no error is told. */
	void (*write_back)(struct mount *);
	/** Free what has neither names nor users. @pre no lock */
	void (*reap)(struct mount *);
	/** For good; the mount becomes read-only. */
	void (*shutdown)(struct mount *);
};
extern const struct mount_ops mount_ops_none;

struct mount {
	struct inode *root;	     /* [I] with a reference */
	struct inode *point;	     /* [I] covered directory; NULL: the root */
	uint64_t dev;		     /* [I] st_dev */
	uint32_t block_size;	     /* [I] for st_blksize */
	bool read_only;		     /* [a] */
	const struct mount_ops *ops; /* [I] */
	void *priv;		     /* [I] of the file system */
};

/** TS_inodes counts the inodes with references. */
void inode_hold(struct inode *);
void inode_drop(struct inode *);

/* Slots that several kinds share. */
int inode_lookup_enotdir(struct inode *, const char *, size_t,
    struct inode **);
int inode_readlink_einval(struct inode *, char *, size_t, size_t *);
int inode_readdir_enotdir(struct inode *, uint64_t *, struct dir_sink *);
int inode_open_enxio(struct inode *, unsigned, struct file **);
/** Any directory: reading it goes to the readdir slot. */
int inode_open_dir(struct inode *, unsigned, struct file **);
void inode_release_nothing(struct inode *);

void inode_stat(const struct inode *, struct stat *);
void inode_statfs(const struct inode *, struct statfs *);
/* File slots for files that are an inode. */
int inode_file_stat(struct file *, struct stat *);
uint64_t inode_file_size(struct file *);
void inode_file_release(struct file *);
/** DT_* of a mode. */
unsigned inode_dirent_type(uint32_t mode);

/* Each fills in root and priv of a mount with the other fields set. */
struct block_device;
/** @retval EINVAL refused, with a message @retval EIO @retval ENOMEM */
int __must_check ext2_mount(struct block_device *, struct mount *);
void ext2_unmount(struct mount *);
int __must_check procfs_mount(struct mount *);
int __must_check devfs_mount(struct mount *);

/* path.c */

/** Root of the name space, set by vfs_init(). */
extern struct mount *path_root;

#define WALK_NOFOLLOW 1u /* the last component may be a symbolic link */

/** The inode at @p path, with a reference. */
int __must_check path_walk(struct file *dir, const char *path, unsigned flags,
    struct inode **out);

/** What the last component of a path names. */
struct path_last {
	struct inode *dir;  /* where, with a reference; NULL: the root */
	struct inode *ip;   /* what is there, with a reference, or NULL */
	struct name name;   /* in buf; len 0: no name but "/", "." or ".." */
	bool dotdot;
	bool slash;	    /* a slash follows */
	char buf[NAME_MAX + 1];
};
/** @post path_last_put() drops the references */
int __must_check path_walk_last(struct file *dir, const char *path,
    unsigned flags, struct path_last *);
void path_last_put(struct path_last *);

#endif
