/* SPDX-License-Identifier: MIT */
/**
 * @file ext2.h
 * The second extended file system: on-disk layout, and the reader's parts.
 *
 * All numbers on disk are little-endian, as both our machines are.  None of
 * them is believed: each is checked where it is read, and a wrong one is EIO.
 * Source: Card, Ts'o, Tweedie, Design and Implementation of the Second Extended
 * Filesystem, 1994; https://www.nongnu.org/ext2-doc/ext2.html
 */
#ifndef FS_EXT2_H
#define FS_EXT2_H

#include "fs/buf.h"
#include "fs/vfs.h"
#include "sync/sleeplock.h"

#define EXT2_SUPER_OFFSET 1024
#define EXT2_MAGIC	  0xef53
#define EXT2_ROOT_INO	  2

#define EXT2_INCOMPAT_FILETYPE 0x0002u /* the only one that we know */

struct ext2_super {
	uint32_t s_inodes_count;
	uint32_t s_blocks_count;
	uint32_t s_r_blocks_count;
	uint32_t s_free_blocks_count;
	uint32_t s_free_inodes_count;
	uint32_t s_first_data_block;
	uint32_t s_log_block_size;
	uint32_t s_log_frag_size;
	uint32_t s_blocks_per_group;
	uint32_t s_frags_per_group;
	uint32_t s_inodes_per_group;
	uint32_t s_mtime;
	uint32_t s_wtime;
	uint16_t s_mnt_count;
	uint16_t s_max_mnt_count;
	uint16_t s_magic;
	uint16_t s_state;
	uint16_t s_errors;
	uint16_t s_minor_rev_level;
	uint32_t s_lastcheck;
	uint32_t s_checkinterval;
	uint32_t s_creator_os;
	uint32_t s_rev_level;
	uint16_t s_def_resuid;
	uint16_t s_def_resgid;
	/* Revision 1 only. */
	uint32_t s_first_ino;
	uint16_t s_inode_size;
	uint16_t s_block_group_nr;
	uint32_t s_feature_compat;
	uint32_t s_feature_incompat;
	uint32_t s_feature_ro_compat;
};
_Static_assert(sizeof(struct ext2_super) == 104, "ext2_super");

struct ext2_group {
	uint32_t bg_block_bitmap;
	uint32_t bg_inode_bitmap;
	uint32_t bg_inode_table;
	uint16_t bg_free_blocks_count;
	uint16_t bg_free_inodes_count;
	uint16_t bg_used_dirs_count;
	uint16_t bg_pad;
	uint32_t bg_reserved[3];
};
_Static_assert(sizeof(struct ext2_group) == 32, "ext2_group");

#define EXT2_NDIRECT	12
#define EXT2_NBLOCKS	15 /* direct, single, double, triple indirect */
#define EXT2_FAST_LINK	60 /* a shorter target stands in i_block */

struct ext2_dinode {
	uint16_t i_mode;
	uint16_t i_uid;
	uint32_t i_size;
	uint32_t i_atime;
	uint32_t i_ctime;
	uint32_t i_mtime;
	uint32_t i_dtime;
	uint16_t i_gid;
	uint16_t i_links_count;
	uint32_t i_blocks; /* of 512 bytes */
	uint32_t i_flags;
	uint32_t i_osd1;
	uint32_t i_block[EXT2_NBLOCKS];
	uint32_t i_generation;
	uint32_t i_file_acl;
	uint32_t i_size_high; /* of directories: an ACL */
	uint32_t i_faddr;
	uint8_t i_osd2[12];
};
_Static_assert(sizeof(struct ext2_dinode) == 128, "ext2_dinode");

/* i_flags of ext4 that change what i_block means. */
#define EXT4_FL_EXTENTS	    0x00080000u
#define EXT4_FL_INLINE_DATA 0x10000000u

struct ext2_dirent {
	uint32_t inode; /* 0: unused */
	uint16_t rec_len;
	uint8_t name_len;
	uint8_t file_type; /* EXT2_FT_*, with the FILETYPE feature */
	char name[];
};

/** Letters: I immutable after mount, l lock. */
struct ext2_fs {
	struct mount *mnt;	  /* [I] */
	struct block_device *dev; /* [I] */
	uint32_t block_size;	  /* [I] 1, 2 or 4 KiB */
	uint32_t block_shift;	  /* [I] */
	uint32_t first_block;	  /* [I] of the first group */
	uint32_t nblocks;	  /* [I] checked against the device */
	uint32_t ninodes;	  /* [I] */
	uint32_t inodes_per_group; /* [I] */
	uint32_t inode_size;	  /* [I] */
	uint32_t ngroups;	  /* [I] */
	bool filetype;		  /* [I] dirents carry a type */
	uint32_t *inode_table;	  /* [I] first block of each group's table */
	struct spinlock lock;	  /* RANK_MISC: the cache of inodes */
	struct list lru;	  /* [l] unused inodes, oldest first */
	struct list hash[32];	  /* [l] */
	struct ext2_inode *pool;  /* [I] EXT2_POOL of them */
};

/** Inodes that can be in use at a time; the unused ones are a cache. */
#define EXT2_POOL 256

/** Letters as above; h whoever holds a reference. */
struct ext2_inode {
	struct inode vfs;	/* [h] */
	struct ext2_fs *fs;	/* [I] */
	struct list hash;	/* [l] */
	struct list lru;	/* [l] linked: unused */
	struct sleeplock load;	/* RANK_INODE */
	bool valid;		/* [load] the rest was read */
	bool fast_link;		/* [h] */
	uint32_t block[EXT2_NBLOCKS]; /* [h] */
};

static inline struct ext2_inode *
ext2_inode_of(struct inode *ip)
{
	return container_of(ip, struct ext2_inode, vfs);
}

/* ext2.c: blocks of the file system, which may be smaller than the device's. */

/** Contents of a block, at @p *data until buf_put(). @retval EIO */
int __must_check ext2_block_get(struct ext2_fs *, uint32_t block,
    struct buf **, const uint8_t **data);
/** Whether a number from disk names a block that can hold data. */
bool ext2_block_valid(const struct ext2_fs *, uint32_t block);

/* ext2_inode.c */

int __must_check ext2_icache_init(struct ext2_fs *);
void ext2_icache_fini(struct ext2_fs *);
/** @retval EIO no such inode, or damaged @retval ENFILE */
int __must_check ext2_inode_get(struct ext2_fs *, uint32_t ino,
    struct inode **out);
/** The release slot of all inodes of ext2. */
void ext2_inode_release(struct inode *);

/* ext2_file.c */

extern const struct inode_ops ext2_file_ops;
extern const struct inode_ops ext2_link_ops;
/** File block @p n of an inode, as it stands on disk, unchecked; 0 is a hole.
 * @retval EIO */
int __must_check ext2_bmap(struct ext2_inode *, uint64_t n, uint32_t *block);

/* ext2_dir.c */

extern const struct inode_ops ext2_dir_ops;

#endif
