/* SPDX-License-Identifier: MIT */
/**
 * @file ext2_disk.h
 * The second extended file system on the disk.
 *
 * All numbers are little-endian, as both our machines are.
 * Source: Card, Ts'o, Tweedie, Design and Implementation of the Second Extended
 * Filesystem, 1994; https://www.nongnu.org/ext2-doc/ext2.html
 */
#ifndef FS_EXT2_DISK_H
#define FS_EXT2_DISK_H

#include <stdint.h>

#define EXT2_SUPER_OFFSET 1024
#define EXT2_MAGIC	  0xef53
#define EXT2_ROOT_INO	  2

#define EXT2_INCOMPAT_FILETYPE	0x0002u /* the only one that we know */
#define EXT2_RO_COMPAT_SPARSE	0x0001u /* likewise, for writing */
#define EXT2_RO_COMPAT_LARGE	0x0002u
#define EXT2_STATE_CLEAN	1u
#define EXT2_STATE_ERROR	2u

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
#define EXT2_FL_INDEX	    0x00001000u /* a directory has a hash tree */

#define EXT2_LINKS_MAX 32000u

struct ext2_dirent {
	uint32_t inode; /* 0: unused */
	uint16_t rec_len;
	uint8_t name_len;
	uint8_t file_type; /* EXT2_FT_*, with the FILETYPE feature */
	char name[];
};

#endif
