/* SPDX-License-Identifier: MIT */
/**
 * @file spinlock.h
 * Spin locks.
 *
 * The kernel is not preemptive, so a plain spin_lock leaves interrupts alone;
 * a lock that an interrupt handler takes is taken everywhere with
 * spin_lock_irq.  DEBUG asserts both, and the ranks of rank.h.
 * Never wait for another CPU (shootdown, sleep) with a spin lock held.
 */
#ifndef SYNC_SPINLOCK_H
#define SYNC_SPINLOCK_H

#include "arch/cpu.h"
#include "lib/panic.h"
#include "sync/lockset.h"
#include "sync/rank.h"

struct spinlock {
	uint32_t held;
#ifdef DEBUG
	uint8_t rank;
	uint8_t irq;	/* 0 unknown, 1 plain, 2 interrupts off */
	uint16_t owner; /* cpu + 1 */
	const char *name;
#endif
};

#ifdef DEBUG
#define SPINLOCK_INIT(r, n)              \
	{                                \
		.rank = (r), .name = (n) \
	}
#else
#define SPINLOCK_INIT(r, n) \
	{                   \
		0           \
	}
#endif

void spin_init(struct spinlock *, enum lock_rank, const char *name);

/* Checks of the DEBUG build, in spinlock.c. */
void spin_check_before(struct spinlock *, bool irq, bool nested);
void spin_check_acquired(struct spinlock *);
void spin_check_release(struct spinlock *);

void spin_lock_slow(struct spinlock *);

static __always_inline void
spin_acquire(struct spinlock *l)
{
	if (unlikely(__atomic_exchange_n(&l->held, 1, __ATOMIC_ACQUIRE)))
		spin_lock_slow(l);
}

/** @ctx not in interrupts */
static __always_inline void
spin_lock(struct spinlock *l)
{
#ifdef DEBUG
	spin_check_before(l, false, false);
#endif
	spin_acquire(l);
#ifdef DEBUG
	spin_check_acquired(l);
#endif
}

/**
 * For short functions: take the lock if it is free, else leave it to a version
 * of the function that waits.  Without the call of the waiting loop the short
 * one is a leaf and saves no registers.  DEBUG always waits here, and checks.
 */
static __always_inline bool
spin_lock_fast(struct spinlock *l)
{
#ifdef DEBUG
	spin_lock(l);
	return true;
#else
	return likely(!__atomic_exchange_n(&l->held, 1, __ATOMIC_ACQUIRE));
#endif
}

/** Second lock of the same rank, in the order that rank.h names. */
static __always_inline void
spin_lock_nested(struct spinlock *l)
{
#ifdef DEBUG
	spin_check_before(l, false, true);
#endif
	spin_acquire(l);
#ifdef DEBUG
	spin_check_acquired(l);
#endif
}

/** Against the rank order: never waits. */
static __always_inline bool
spin_trylock(struct spinlock *l)
{
	if (__atomic_exchange_n(&l->held, 1, __ATOMIC_ACQUIRE))
		return false;
#ifdef DEBUG
	spin_check_acquired(l);
#endif
	return true;
}

static __always_inline void
spin_unlock(struct spinlock *l)
{
#ifdef DEBUG
	spin_check_release(l);
#endif
	__atomic_store_n(&l->held, 0, __ATOMIC_RELEASE);
}

/** For locks that interrupt handlers take. @return for spin_unlock_irq */
static __always_inline bool
spin_lock_irq(struct spinlock *l)
{
	bool on = intr_disable();

#ifdef DEBUG
	spin_check_before(l, true, false);
#endif
	spin_acquire(l);
#ifdef DEBUG
	spin_check_acquired(l);
#endif
	return on;
}

static __always_inline void
spin_unlock_irq(struct spinlock *l, bool on)
{
	spin_unlock(l);
	intr_restore(on);
}

/** Whether this CPU holds it (DEBUG), or anybody (release). For assertions. */
bool spin_held(const struct spinlock *);

#endif
