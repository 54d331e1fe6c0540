/* SPDX-License-Identifier: MIT */
/**
 * @file ext2.h
 * The second extended file system in memory, between its parts.
 *
 * No number on the disk is believed: each is checked where it is read, and a
 * wrong one is EIO.
 */
#ifndef FS_EXT2_H
#define FS_EXT2_H

#include "fs/ext2_disk.h"
#include "fs/vfs.h"
#include "proc/block.h"
#include "sync/sleeplock.h"

/**
 * What bitmaps count: blocks, or inodes.  What is freed becomes free on disk,
 * and can be used again, only after everything that referred to it has been
 * written: until then its bit is in one of two sets, the one that grows and
 * the one whose references are being written.  Letters: I, A fs->alloc.
 */
struct ext2_map {
	uint32_t first, total, per_group; /* [I] */
	uint8_t bitmap_at, free_at; /* [I] offsets in struct ext2_group */
	uint32_t nfree;		    /* [A] in the bitmaps */
	uint64_t *freed[2];	    /* [A] */
	uint32_t nfreed[2];	    /* [A] */
};

/**
 * Letters: I immutable after mount, l lock, A alloc.
 * Order of locks: names, one inode, sync, alloc, one block (BUSY).
 */
struct ext2_fs {
	struct mount *mnt;	  /* [I] */
	struct block_device *dev; /* [I] */
	uint32_t block_size;	  /* [I] 1, 2 or 4 KiB */
	uint32_t block_shift;	  /* [I] */
	uint32_t first_block;	  /* [I] of the first group */
	uint32_t nblocks;	  /* [I] checked against the device */
	uint32_t ninodes;	  /* [I] */
	uint32_t blocks_per_group; /* [I] */
	uint32_t inodes_per_group; /* [I] */
	uint32_t inode_size;	  /* [I] */
	uint32_t first_ino;	  /* [I] the first that is not reserved */
	uint32_t ngroups;	  /* [I] */
	bool filetype;		  /* [I] dirents carry a type */
	uint32_t *inode_table;	  /* [I] first block of each group's table */
	struct vm_object meta;	  /* blocks of the device: all but contents */
	struct sleeplock names;	  /* RANK_NAMES: all directories */
	struct sleeplock reap;	  /* RANK_REAP: one at a time */
	struct sleeplock sync;	  /* RANK_SYNC: one at a time */
	bool writing;		  /* [sync] until it is shut down */
	struct sleeplock alloc;	  /* RANK_ALLOC */
	struct ext2_map blocks, inodes; /* [A] */
	struct spinlock lock;	  /* RANK_ICACHE: the cache of inodes */
	struct list lru;	  /* [l] unused inodes, oldest first */
	struct list orphans;	  /* [l] unused, without a name: to be freed */
	struct list hash[32];	  /* [l] */
	struct ext2_inode *pool;  /* [I] EXT2_POOL of them */
};

/** Inodes that can be in use at a time; the unused ones are a cache. */
#define EXT2_POOL 256

/** Letters as above; h whoever holds a reference; i lock for files, and for
 * directories fs->names. */
struct ext2_inode {
	struct inode vfs;	/* [h] [i] */
	struct ext2_fs *fs;	/* [I] */
	struct vm_object object; /* contents of a regular file */
	struct list hash;	/* [l] */
	struct list lru;	/* [l] linked: unused */
	struct sleeplock lock;	/* RANK_INODE */
	bool valid;		/* [i] the rest was read */
	bool fast_link;		/* [h] */
	uint32_t flags;		/* [i] i_flags */
	uint32_t file_acl;	/* [h] */
	uint32_t goal;		/* [i] where to look for a block first */
	uint32_t block[EXT2_NBLOCKS]; /* [i] */
};

static inline struct ext2_inode *
ext2_inode_of(struct inode *ip)
{
	return container_of(ip, struct ext2_inode, vfs);
}

static inline struct ext2_fs *
ext2_of(const struct inode *ip)
{
	return ip->mnt->priv;
}

/* ext2.c: blocks of the file system, which may be smaller than the device's. */

/** Contents of a block, at @p *data until page_drop(). @retval EIO */
int __must_check ext2_block_get(struct ext2_fs *, uint32_t block,
    struct vm_page **, const uint8_t **data);
/** The same to change it, until vm_object_put(pg, true). */
int __must_check ext2_block_edit(struct ext2_fs *, uint32_t block,
    struct vm_page **, uint8_t **data);
/** The same of a block just allocated: all zero. */
int __must_check ext2_block_new(struct ext2_fs *, uint32_t block,
    struct vm_page **, uint8_t **data);
/** Write one block now, before others. @retval EIO */
int __must_check ext2_block_flush(struct ext2_fs *, uint32_t block);
/** Whether a number from disk names a block that can hold data. */
bool ext2_block_valid(const struct ext2_fs *, uint32_t block);
/** Copy of a group descriptor. */
int __must_check ext2_group_get(struct ext2_fs *, uint32_t g,
    struct ext2_group *);
/** Add to one of its 16-bit counters, by offset. */
int ext2_group_add(struct ext2_fs *, uint32_t g, size_t at, int n);
/** Contents first, then all else; what was freed is free after.  Errors of
 * single pages stay with their objects. @retval EIO */
int ext2_sync(struct ext2_fs *);
/** Something on the disk contradicts itself. @return EIO */
int ext2_damaged(struct ext2_fs *, const char *what, uint64_t value);

/* ext2_alloc.c */

/** Read all bitmaps. @retval EINVAL they are damaged: do not write */
int __must_check ext2_maps_init(struct ext2_fs *);
void ext2_maps_fini(struct ext2_fs *);
/** A free one, near @p goal. @retval ENOSPC @retval EIO
 * @pre no BUSY block: it may sync */
int __must_check ext2_alloc(struct ext2_fs *, struct ext2_map *,
    uint32_t goal, uint32_t *out);
/** @pre nothing in memory refers to it any more, and what did is modified */
void ext2_free(struct ext2_fs *, struct ext2_map *, uint32_t n);
/** Around the writing of references, see struct ext2_map. */
void ext2_freed_begin(struct ext2_fs *);
/** @p stored: they are on the disk; else, and where a bitmap cannot be had, the
 * bits stay for the next time. */
void ext2_freed_end(struct ext2_fs *, bool stored);
/** Free now, or after a sync. */
uint32_t ext2_count_free(struct ext2_fs *, const struct ext2_map *);

/* ext2_inode.c */

int __must_check ext2_icache_init(struct ext2_fs *);
void ext2_icache_fini(struct ext2_fs *);
/** @retval EIO no such inode, or damaged @retval ENFILE */
int __must_check ext2_inode_get(struct ext2_fs *, uint32_t ino,
    struct inode **out);
/** A new one on disk and in memory, with no link yet. @retval ENOSPC */
int __must_check ext2_inode_new(struct ext2_inode *dir, uint32_t mode,
    struct inode **out);
/** Copy it to its block. @locks as for its fields @retval EIO */
int ext2_inode_store(struct ext2_inode *);
/** Seconds since 1970. */
int64_t ext2_now(void);
/** The release slot of all inodes of ext2. */
void ext2_inode_release(struct inode *);
/** Free the inodes that have neither names nor users; on return no other thread
 * is at it either, so that what counts afterwards counts all. @pre no lock */
void ext2_reap(struct ext2_fs *);
extern const struct inode_ops ext2_special_ops;

/* ext2_map.c: where blocks of files are. */

/** File block @p n of an inode, as it stands on disk, unchecked; 0 is a hole.
 * @retval EIO */
int __must_check ext2_bmap(struct ext2_inode *, uint64_t n, uint32_t *block);
/** The same, and make one if there is none: the caller stores the inode.
 * @retval ENOSPC @retval EIO @retval EFBIG */
int __must_check ext2_bmap_alloc(struct ext2_inode *, uint64_t n,
    uint32_t *block);
/** Free the blocks of [@p n, end); stores the inode. @locks inode */
int ext2_bmap_free(struct ext2_inode *, uint64_t n);

/* ext2_file.c */

extern const struct inode_ops ext2_file_ops;
extern const struct inode_ops ext2_link_ops;
extern const struct vm_object_ops ext2_object_ops;
int ext2_resize(struct inode *, uint64_t size);
struct vm_object *ext2_object(struct inode *);

/* ext2_dir.c; fs->names held, exclusively for changes */

extern const struct inode_ops ext2_dir_ops;

/** Where an entry stands. */
struct ext2_place {
	uint32_t block; /* of the file system */
	uint32_t off;	/* in it */
	uint32_t prev;	/* the entry before it in the block; = off: none */
	uint32_t ino;
};
/** @retval ENOENT @retval EIO */
int __must_check ext2_dir_find(struct ext2_inode *dir, const struct name *,
    struct ext2_place *);
/** @pre the name is not there @retval ENOSPC */
int __must_check ext2_dir_add(struct ext2_inode *dir, const struct name *,
    const struct inode *ip, struct ext2_place *);
int __must_check ext2_dir_remove(struct ext2_inode *dir,
    const struct ext2_place *);
/** Let an entry name another inode. */
int __must_check ext2_dir_set(struct ext2_inode *dir,
    const struct ext2_place *, const struct inode *ip);
/** "." and ".." of a new directory. */
int __must_check ext2_dir_init(struct ext2_inode *dir, uint32_t parent);
/** @retval ENOTEMPTY */
int __must_check ext2_dir_empty(struct ext2_inode *dir);

/* ext2_name.c */

extern const struct inode_edit_ops ext2_edit_ops;

#endif
