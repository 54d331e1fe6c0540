/* SPDX-License-Identifier: MIT */
/*
 * virtio_blk.c - block devices "vda", "vdb", ... on virtio-pci, version 1.
 *
 * Path: block.c -> start -> virtqueue -> interrupt -> block_done.
 * Locks: the disk's spin lock around queue and waiting list; taken in
 *	interrupts.  block_done is called without it.
 * A request takes three descriptors of its own: head, data, status.  When all
 * are taken, requests wait in order.
 * Source: Virtual I/O Device (VIRTIO) 1.1, chapters 2.6, 4.1, 5.2.
 */
#include "abi/errno.h"
#include "arch/mmu.h"
#include "dev/dev.h"
#include "dev/pci.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mem/frame.h"
#include "mem/kmem.h"
#include "proc/block.h"

#define VENDOR_VIRTIO	    0x1af4
#define DEVICE_BLK	    0x1042
#define DEVICE_BLK_LEGACY   0x1001 /* has the modern registers too */

#define CONFIG_CAPS 0x34
#define CAP_VENDOR  9
enum { CAP_COMMON = 1, CAP_NOTIFY = 2, CAP_ISR = 3, CAP_DEVICE = 4 };

#define STATUS_ACKNOWLEDGE 1
#define STATUS_DRIVER	   2
#define STATUS_DRIVER_OK   4
#define STATUS_FEATURES_OK 8

#define F_BLK_RO    (1ull << 5)
#define F_BLK_FLUSH (1ull << 9)
#define F_VERSION_1 (1ull << 32)

#define QUEUE_SIZE   64
#define NREQUESTS    16
#define SECTOR_SHIFT 3 /* sectors of 512 bytes in a block */

/** Common configuration, as the device lays it out. */
struct common_regs {
	uint32_t device_feature_select, device_feature;
	uint32_t driver_feature_select, driver_feature;
	uint16_t msix_config, num_queues;
	uint8_t status, generation;
	uint16_t queue_select, queue_size, queue_msix, queue_enable;
	uint16_t queue_notify_off;
	uint32_t queue_desc[2], queue_driver[2], queue_device[2];
};
_Static_assert(sizeof(struct common_regs) == 56, "virtio 1.1, 4.1.4.3");

struct descriptor {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};
#define DESC_NEXT  1
#define DESC_WRITE 2 /* by the device */

struct head {
	uint32_t type, reserved;
	uint64_t sector;
};
enum { TYPE_IN = 0, TYPE_OUT = 1, TYPE_FLUSH = 4 };

/** What device and driver share: one frame. */
struct queue_page {
	struct descriptor desc[QUEUE_SIZE];
	struct head head[NREQUESTS];
	uint8_t status[NREQUESTS];
	struct {
		uint16_t flags, idx, ring[QUEUE_SIZE], event;
	} avail;
	struct {
		uint16_t flags, idx;
		struct {
			uint32_t id, len;
		} ring[QUEUE_SIZE];
	} used __attribute__((aligned(4)));
};
_Static_assert(sizeof(struct queue_page) <= PAGE_SIZE, "one frame");

struct disk {
	struct block_device bd;
	char name[4];
	bool read_only, can_flush;
	volatile struct common_regs *common;
	volatile uint16_t *notify;
	volatile uint8_t *isr;
	struct queue_page *q;
	struct spinlock lock;		       /* RANK_DISK */
	struct list waiting;		       /* [lock] no descriptors yet */
	struct block_request *slot[NREQUESTS]; /* [lock] in flight */
	uint16_t last_used;		       /* [lock] */
};

/* ---- requests ---- */

static void
fill(struct disk *d, unsigned i, struct block_request *rq)
{
	struct descriptor *desc = &d->q->desc[3 * i];
	bool data = rq->op != BLOCK_FLUSH;

	d->q->head[i] = (struct head){
		.type = !data ? TYPE_FLUSH : rq->op == BLOCK_READ ? TYPE_IN :
								     TYPE_OUT,
		.sector = data ? rq->block << SECTOR_SHIFT : 0,
	};
	d->q->status[i] = 0xff;
	desc[0].next = (uint16_t)(3 * i + (data ? 1 : 2));
	if (data) {
		desc[1].addr = virt_to_phys(rq->data);
		desc[1].flags = DESC_NEXT |
		    (rq->op == BLOCK_READ ? DESC_WRITE : 0);
	}
}

/* Give the device what waits, as far as descriptors go. @locks d->lock */
static void
push_locked(struct disk *d)
{
	struct queue_page *q = d->q;
	bool any = false;

	for (unsigned i = 0; i < NREQUESTS && !list_empty(&d->waiting); i++) {
		if (d->slot[i] != NULL)
			continue;
		d->slot[i] = LIST_ENTRY(list_pop_front(&d->waiting),
		    struct block_request, link);
		fill(d, i, d->slot[i]);
		q->avail.ring[q->avail.idx % QUEUE_SIZE] = (uint16_t)(3 * i);
		mb(); /* descriptors before the index */
		__atomic_store_n(&q->avail.idx, (uint16_t)(q->avail.idx + 1),
		    __ATOMIC_RELAXED);
		any = true;
	}
	mb(); /* the index before the bell */
	if (any)
		*d->notify = 0;
}

static void
disk_start(struct block_device *bd, struct block_request *rq)
{
	struct disk *d = bd->priv;
	bool on;

	if (rq->op == BLOCK_WRITE && d->read_only) {
		block_done(bd, rq, EROFS);
		return;
	}
	if (rq->op == BLOCK_FLUSH && !d->can_flush) {
		block_done(bd, rq, 0); /* writes are done when they are done */
		return;
	}
	on = spin_lock_irq(&d->lock);
	list_push_back(&d->waiting, &rq->link);
	push_locked(d);
	spin_unlock_irq(&d->lock, on);
}

/* The next finished request, or NULL. @locks d->lock */
static struct block_request *
pop_locked(struct disk *d, int *error)
{
	struct queue_page *q = d->q;
	struct block_request *rq;
	unsigned i;

	if (__atomic_load_n(&q->used.idx, __ATOMIC_ACQUIRE) == d->last_used)
		return NULL;
	i = q->used.ring[d->last_used++ % QUEUE_SIZE].id / 3;
	KASSERT_ALWAYS(i < NREQUESTS && d->slot[i] != NULL);
	rq = d->slot[i];
	d->slot[i] = NULL;
	*error = q->status[i] == 0 ? 0 : EIO;
	return rq;
}

static void
disk_interrupt(void *arg)
{
	struct disk *d = arg;
	struct block_request *rq;
	int error;
	bool on;

	(void)*d->isr; /* reading it quiets the line */
	for (;;) {
		on = spin_lock_irq(&d->lock);
		rq = pop_locked(d, &error);
		if (rq == NULL)
			push_locked(d);
		spin_unlock_irq(&d->lock, on);
		if (rq == NULL)
			return;
		block_done(&d->bd, rq, error);
	}
}

/* ---- start ---- */

/* The registers of capability @p type. NULL: not there */
static volatile void *
find_regs(const struct pci_device *pd, unsigned type, unsigned *cap)
{
	for (unsigned at = pd->config[CONFIG_CAPS]; at != 0;
	     at = pd->config[at + 1]) {
		unsigned bar = pd->config[at + 4];
		uint32_t offset = pci_read32(pd, at + 8);

		if (pd->config[at] != CAP_VENDOR ||
		    pd->config[at + 3] != type)
			continue;
		if (bar >= PCI_BARS || pd->bar[bar] == 0 ||
		    offset >= pd->bar_size[bar])
			return NULL;
		*cap = at;
		return (char *)phys_to_virt(pd->bar[bar]) + offset;
	}
	return NULL;
}

static bool
negotiate(struct disk *d)
{
	volatile struct common_regs *c = d->common;
	uint64_t features;

	c->status = 0;
	while (c->status != 0)
		cpu_relax();
	c->status = STATUS_ACKNOWLEDGE | STATUS_DRIVER;
	c->device_feature_select = 0;
	features = c->device_feature;
	c->device_feature_select = 1;
	features |= (uint64_t)c->device_feature << 32;
	d->read_only = features & F_BLK_RO;
	d->can_flush = features & F_BLK_FLUSH;
	features &= F_VERSION_1 | F_BLK_RO | F_BLK_FLUSH;
	c->driver_feature_select = 0;
	c->driver_feature = (uint32_t)features;
	c->driver_feature_select = 1;
	c->driver_feature = (uint32_t)(features >> 32);
	c->status = STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK;
	return (features & F_VERSION_1) && (c->status & STATUS_FEATURES_OK);
}

static void
set64(volatile uint32_t *reg, const volatile void *p)
{
	paddr_t pa = virt_to_phys((const void *)(uintptr_t)p);

	reg[0] = (uint32_t)pa;
	reg[1] = (uint32_t)(pa >> 32);
}

/* What never changes in the descriptors. */
static void
prepare(struct disk *d)
{
	struct queue_page *q = d->q;

	memset(q, 0, PAGE_SIZE);
	for (unsigned i = 0; i < NREQUESTS; i++) {
		struct descriptor *desc = &q->desc[3 * i];

		desc[0] = (struct descriptor){ virt_to_phys(&q->head[i]),
			sizeof(q->head[i]), DESC_NEXT, 0 };
		desc[1] = (struct descriptor){ 0, BLOCK_SIZE, 0,
			(uint16_t)(3 * i + 2) };
		desc[2] = (struct descriptor){ virt_to_phys(&q->status[i]), 1,
			DESC_WRITE, 0 };
	}
}

static const char *
disk_setup(struct disk *d, struct pci_device *pd)
{
	unsigned cap;
	volatile uint64_t *capacity = find_regs(pd, CAP_DEVICE, &cap);
	volatile struct common_regs *c;
	volatile char *notify;
	struct vm_page *pg;

	c = d->common = find_regs(pd, CAP_COMMON, &cap);
	d->isr = find_regs(pd, CAP_ISR, &cap);
	notify = find_regs(pd, CAP_NOTIFY, &cap);
	if (c == NULL || d->isr == NULL || notify == NULL || capacity == NULL)
		return "registers are missing";
	if (!negotiate(d))
		return "the device refuses version 1";
	c->queue_select = 0;
	if (c->queue_size < QUEUE_SIZE)
		return "its queue is too short";
	pg = frame_alloc(FRAME_NOFAIL_POINT);
	if (pg == NULL)
		return "no memory";
	d->q = page_to_virt(pg);
	prepare(d);
	c->queue_size = QUEUE_SIZE;
	set64(c->queue_desc, d->q->desc);
	set64(c->queue_driver, &d->q->avail);
	set64(c->queue_device, &d->q->used);
	c->queue_enable = 1;
	d->notify = (volatile uint16_t *)(volatile void *)(notify +
	    c->queue_notify_off * pci_read32(pd, cap + 16));
	d->bd.nblocks = *capacity >> SECTOR_SHIFT;
	pci_connect(pd, disk_interrupt, d);
	c->status = STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK |
	    STATUS_DRIVER_OK;
	return NULL;
}

static const struct block_ops disk_ops = { .start = disk_start };

static void
disk_add(struct pci_device *pd, unsigned n)
{
	struct disk *d = kzalloc(sizeof(*d));
	const char *why;

	if (d == NULL)
		return;
	d->name[0] = 'v';
	d->name[1] = 'd';
	d->name[2] = (char)('a' + n);
	d->bd.ops = &disk_ops;
	d->bd.name = d->name;
	d->bd.priv = d;
	spin_init(&d->lock, RANK_DISK, "disk");
	list_init(&d->waiting);
	why = disk_setup(d, pd);
	if (why != NULL) {
		kprintf("virtio: %s: %s\n", d->name, why);
		kfree(d, sizeof(*d));
		return;
	}
	block_register(&d->bd);
	kprintf("virtio: %s: %lu blocks\n", d->name,
	    (unsigned long)d->bd.nblocks);
}

void
virtio_blk_init(void)
{
	static const uint16_t ids[] = { DEVICE_BLK, DEVICE_BLK_LEGACY };
	struct pci_device *pd;
	unsigned n = 0;

	for (unsigned k = 0; k < ARRAY_SIZE(ids); k++)
		for (unsigned i = 0; n < 26 &&
		     (pd = pci_find(VENDOR_VIRTIO, ids[k], i)) != NULL;
		     i++)
			disk_add(pd, n++);
}
