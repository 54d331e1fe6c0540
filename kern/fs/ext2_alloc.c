/* SPDX-License-Identifier: MIT */
/*
 * ext2_alloc.c - free blocks and inodes: bitmaps and their counters.
 *
 * Path: ext2_map.c, ext2_inode.c -> HERE -> blocks of fs->meta.
 * Locks: fs->alloc, then one block at a time.
 * Invariants: map->nfree is the number of zero bits; a bit in a freed set is
 *	set in its bitmap too, so nothing is used again before the disk has
 *	forgotten its former user (after a power cut no file has a block of
 *	another one).
 */
#include "abi/errno.h"
#include "fs/ext2.h"
#include "lib/bits.h"
#include "lib/string.h"
#include "mem/kmem.h"

#define WORD_BITS 64u

static size_t
set_bytes(const struct ext2_map *m)
{
	return ROUND_UP(m->total, WORD_BITS) / 8;
}

/* Bits of the last group's bitmap may be fewer. */
static uint32_t
group_bits(const struct ext2_map *m, uint32_t g)
{
	return MIN(m->per_group, m->total - g * m->per_group);
}

static bool
bit_get(const void *bitmap, uint32_t i)
{
	return ((const uint8_t *)bitmap)[i / 8] >> i % 8 & 1;
}

static void
bit_flip(void *bitmap, uint32_t i)
{
	((uint8_t *)bitmap)[i / 8] ^= (uint8_t)(1u << i % 8);
}

/* First zero bit of [@p from, @p end), or @p end. */
static uint32_t
find_zero(const uint8_t *bitmap, uint32_t from, uint32_t end)
{
	const uint64_t *w = (const uint64_t *)(const void *)bitmap;

	while (from < end) {
		if (from % WORD_BITS == 0 && end - from >= WORD_BITS &&
		    w[from / WORD_BITS] == UINT64_MAX)
			from += WORD_BITS;
		else if (!bit_get(bitmap, from))
			break;
		else
			from++;
	}
	return from;
}

static int
bitmap_block(struct ext2_fs *fs, const struct ext2_map *m, uint32_t g,
    uint32_t *block, uint16_t *nfree)
{
	struct ext2_group gd;
	int error = ext2_group_get(fs, g, &gd);

	if (error != 0)
		return error;
	memcpy(block, (char *)&gd + m->bitmap_at, sizeof(*block));
	memcpy(nfree, (char *)&gd + m->free_at, sizeof(*nfree));
	return 0;
}

/* ---- at mount ---- */

/* The file system's own blocks of a group must be marked as used. */
static bool
own_blocks_used(const struct ext2_fs *fs, const struct ext2_group *gd,
    uint32_t g, const uint8_t *bitmap)
{
	uint32_t start = fs->first_block + g * fs->blocks_per_group;
	uint32_t table = (uint32_t)ROUND_UP((uint64_t)fs->inodes_per_group *
	    fs->inode_size, fs->block_size) >> fs->block_shift;
	uint32_t own[2] = { gd->bg_block_bitmap, gd->bg_inode_bitmap };
	uint32_t gd_blocks = (fs->ngroups * (uint32_t)sizeof(*gd) +
	    fs->block_size - 1) >> fs->block_shift;
	bool used = true;

	/* They may lie in another group; then that is not looked at. */
	for (unsigned i = 0; i < 2; i++)
		if (own[i] - start < group_bits(&fs->blocks, g))
			used = used && bit_get(bitmap, own[i] - start);
	for (uint32_t b = gd->bg_inode_table - start, i = 0; i < table;
	     i++, b++)
		if (b < group_bits(&fs->blocks, g))
			used = used && bit_get(bitmap, b);
	for (uint32_t b = 0; g == 0 && b <= gd_blocks; b++)
		used = used && bit_get(bitmap, b);
	return used;
}

static int
check_group(struct ext2_fs *fs, struct ext2_map *m, uint32_t g)
{
	uint32_t block, bits = group_bits(m, g), nfree = 0;
	struct ext2_group gd;
	struct vm_page *pg;
	const uint8_t *data;
	uint16_t said;
	bool sound = true;
	int error = bitmap_block(fs, m, g, &block, &said);

	if (error == 0)
		error = ext2_group_get(fs, g, &gd);
	if (error == 0)
		error = ext2_block_get(fs, block, &pg, &data);
	if (error != 0)
		return error;
	for (uint32_t i = find_zero(data, 0, bits); i < bits;
	     i = find_zero(data, i + 1, bits))
		nfree++;
	if (m == &fs->blocks)
		sound = own_blocks_used(fs, &gd, g, data);
	else if (g == 0)
		sound = find_zero(data, 0, bits) >= fs->first_ino - 1;
	page_drop(pg);
	m->nfree += nfree;
	return sound && nfree == said ? 0 : EINVAL;
}

static int
map_init(struct ext2_fs *fs, struct ext2_map *m)
{
	int error = 0;

	m->nfree = 0;
	for (unsigned i = 0; i < 2; i++) {
		m->nfreed[i] = 0;
		m->freed[i] = kzalloc(set_bytes(m));
		if (m->freed[i] == NULL)
			return ENOMEM;
	}
	for (uint32_t g = 0; error == 0 && g < fs->ngroups; g++)
		error = check_group(fs, m, g);
	return error;
}

int
ext2_maps_init(struct ext2_fs *fs)
{
	int error;

	fs->blocks = (struct ext2_map){
		.first = fs->first_block,
		.total = fs->nblocks - fs->first_block,
		.per_group = fs->blocks_per_group,
		.bitmap_at = offsetof(struct ext2_group, bg_block_bitmap),
		.free_at = offsetof(struct ext2_group, bg_free_blocks_count),
	};
	fs->inodes = (struct ext2_map){
		.first = 1,
		.total = fs->ninodes,
		.per_group = fs->inodes_per_group,
		.bitmap_at = offsetof(struct ext2_group, bg_inode_bitmap),
		.free_at = offsetof(struct ext2_group, bg_free_inodes_count),
	};
	error = map_init(fs, &fs->blocks);
	if (error == 0)
		error = map_init(fs, &fs->inodes);
	if (error != 0)
		ext2_maps_fini(fs);
	return error;
}

static void
map_fini(struct ext2_map *m)
{
	for (unsigned i = 0; i < 2; i++) {
		if (m->freed[i] != NULL)
			kfree(m->freed[i], set_bytes(m));
		m->freed[i] = NULL;
	}
}

void
ext2_maps_fini(struct ext2_fs *fs)
{
	map_fini(&fs->blocks);
	map_fini(&fs->inodes);
	fs->blocks.per_group = 0; /* nobody counts any more */
}

/* ---- taking ---- */

/* A zero bit of group @p g, from @p from on and then from its start. */
static int
take_in_group(struct ext2_fs *fs, struct ext2_map *m, uint32_t g,
    uint32_t from, uint32_t *out)
{
	uint32_t block, bits = group_bits(m, g), i;
	struct vm_page *pg;
	uint16_t nfree;
	uint8_t *data;
	int error = bitmap_block(fs, m, g, &block, &nfree);

	if (error == 0 && nfree == 0)
		error = ENOSPC;
	if (error == 0)
		error = ext2_block_edit(fs, block, &pg, &data);
	if (error != 0)
		return error;
	i = find_zero(data, from, bits);
	if (i == bits && (i = find_zero(data, 0, from)) == from)
		i = bits;
	if (i < bits)
		bit_flip(data, i);
	vm_object_put(pg, i < bits);
	if (i == bits)
		return ext2_damaged(fs, "free count of group", g);
	m->nfree--;
	*out = m->first + g * m->per_group + i;
	return ext2_group_add(fs, g, m->free_at, -1);
}

static int
take(struct ext2_fs *fs, struct ext2_map *m, uint32_t goal, uint32_t *out)
{
	uint32_t at = goal - m->first < m->total ? goal - m->first : 0;
	uint32_t g = at / m->per_group, from = at % m->per_group;
	int error = ENOSPC;

	sleep_lock(&fs->alloc);
	for (uint32_t n = 0; n < fs->ngroups && error == ENOSPC; n++) {
		error = take_in_group(fs, m, g, from, out);
		g = (g + 1) % fs->ngroups;
		from = 0;
	}
	sleep_unlock(&fs->alloc);
	return error;
}

int
ext2_alloc(struct ext2_fs *fs, struct ext2_map *m, uint32_t goal,
    uint32_t *out)
{
	int error = take(fs, m, goal, out);

	if (error == ENOSPC && ext2_count_free(fs, m) > 0) {
		/* What is left was freed a moment ago. */
		error = ext2_sync(fs);
		if (error == 0)
			error = take(fs, m, goal, out);
	}
	return error;
}

/* ---- giving back ---- */

void
ext2_free(struct ext2_fs *fs, struct ext2_map *m, uint32_t n)
{
	uint32_t i = n - m->first;
	bool sound;

	sleep_lock(&fs->alloc);
	sound = i < m->total && !bit_get(m->freed[0], i) &&
	    !bit_get(m->freed[1], i);
	if (sound) {
		bit_flip(m->freed[0], i);
		m->nfreed[0]++;
	}
	sleep_unlock(&fs->alloc);
	if (!sound)
		(void)ext2_damaged(fs, "freed twice", n);
}

uint32_t
ext2_count_free(struct ext2_fs *fs, const struct ext2_map *m)
{
	uint32_t n;

	sleep_lock(&fs->alloc);
	n = m->nfree + m->nfreed[0] + m->nfreed[1];
	sleep_unlock(&fs->alloc);
	return n;
}

static void
swap_sets(struct ext2_map *m)
{
	uint64_t *set = m->freed[0];

	KASSERT(m->nfreed[1] == 0);
	m->freed[0] = m->freed[1];
	m->freed[1] = set;
	m->nfreed[1] = m->nfreed[0];
	m->nfreed[0] = 0;
}

void
ext2_freed_begin(struct ext2_fs *fs)
{
	sleep_lock(&fs->alloc);
	swap_sets(&fs->blocks);
	swap_sets(&fs->inodes);
	sleep_unlock(&fs->alloc);
}

/* Clear the bits of one group, also those of the set. */
static int
give_in_group(struct ext2_fs *fs, struct ext2_map *m, uint32_t g)
{
	uint32_t block, base = g * m->per_group, bits = group_bits(m, g), n = 0;
	uint64_t *set = m->freed[1];
	struct vm_page *pg;
	uint16_t nfree;
	uint8_t *data;
	int error = bitmap_block(fs, m, g, &block, &nfree);

	if (error == 0)
		error = ext2_block_edit(fs, block, &pg, &data);
	if (error != 0)
		return error;
	for (uint32_t i = 0; i < bits; i++) {
		if ((base + i) % WORD_BITS == 0 &&
		    set[(base + i) / WORD_BITS] == 0) {
			i += WORD_BITS - 1;
			continue;
		}
		if (!bit_get(set, base + i))
			continue;
		bit_flip(set, base + i);
		m->nfreed[1]--;
		if (!bit_get(data, i)) {
			(void)ext2_damaged(fs, "free already", base + i);
			continue;
		}
		bit_flip(data, i);
		n++;
	}
	vm_object_put(pg, n > 0);
	m->nfree += n;
	return n > 0 ? ext2_group_add(fs, g, m->free_at, (int)n) : 0;
}

/* What cannot be given back now counts as freed again. */
static void
give(struct ext2_fs *fs, struct ext2_map *m, bool stored)
{
	int error = 0;

	for (uint32_t g = 0; stored && m->nfreed[1] > 0 && g < fs->ngroups;
	     g++) {
		error = give_in_group(fs, m, g);
		if (error != 0 && error != ENOMEM)
			(void)ext2_damaged(fs, "bitmap of group", g);
	}
	for (uint32_t i = 0; m->nfreed[1] > 0 && i < m->total; i += WORD_BITS) {
		m->freed[0][i / WORD_BITS] |= m->freed[1][i / WORD_BITS];
		m->freed[1][i / WORD_BITS] = 0;
	}
	m->nfreed[0] += m->nfreed[1];
	m->nfreed[1] = 0;
}

void
ext2_freed_end(struct ext2_fs *fs, bool stored)
{
	sleep_lock(&fs->alloc);
	give(fs, &fs->blocks, stored);
	give(fs, &fs->inodes, stored);
	sleep_unlock(&fs->alloc);
}
