/* SPDX-License-Identifier: MIT */
/*
 * mapdb.pml - map, grant and unmap of one frame, by four CPUs at once.
 *
 * Five places (page-table entries) may show the frame; place 0 is what all
 * others come from.  Nodes stand in a preorder list with depth, as in mapdb.c,
 * and every entry is linked to its node.
 *
 *	A  l4_unmap of place 0, all rights, from others (take_slowly)
 *	B  l4_map 1 -> 2, then a grant of 2 to 3 (lock_and_look, give_locked)
 *	C  l4_unmap of place 0, W only
 *	D  l4_unmap of place 2 from its own space (take_leaf: the pmap first,
 *	   then the frame, which it only tries)
 *
 * Checked at every moment: no entry has a right that its parent's lacks.  When
 * the frame's lock is free: each entry with rights has a node, each node has an
 * entry.  A node with children is never removed; after A took the rights nobody
 * has any; nobody waits for ever.
 *
 * Planted bugs, with BUG=n:
 *	1	takes the rights of the parent before those of the children
 *	2	keeps the cursor over a preemption point while a grant re-parents
 *	3	does not look at the source again under the lock
 *	4	enters the mapping without the lock of the frame
 *	5	gives rights that the sender does not have
 *	6	a grant leaves the granter its entry
 *	7	waits for the frame with the page table locked
 */
#ifndef BUG
#define BUG 0
#endif
#define P	4	/* places */
#define NONE	15
#define R	1
#define RW	3

byte rights[P], link[P];		/* entries */
byte nxt[P], prv[P], depth[P];		/* nodes; depth 0: free */
byte frame, pm[P];			/* locks: 0 free */

#define LOCK(l)		atomic { l == 0 -> l = 1 }
#define UNLOCK(l)	l = 0

#define RIGHTS_OF(n)	((link[0] == n -> rights[0] : 0) | \
	(link[1] == n -> rights[1] : 0) | (link[2] == n -> rights[2] : 0) | \
	(link[3] == n -> rights[3] : 0))

/* The entry of node @n is edited under its pmap's lock. */
inline change(p, keep) {
	LOCK(pm[p]);
	rights[p] = rights[p] & (keep);
	UNLOCK(pm[p])
}

inline place_of(n, p) {
	d_step {
		if
		:: link[3] == n -> p = 3
		:: link[2] == n -> p = 2
		:: link[1] == n -> p = 1
		:: else -> p = 0
		fi
	}
}

inline insert(n, up) {
	d_step {
		nxt[n] = nxt[up]; prv[n] = up; depth[n] = depth[up] + 1;
		if :: nxt[n] != NONE -> prv[nxt[n]] = n :: else fi;
		nxt[up] = n
	}
}

inline unlink(n) {
	d_step {
		assert(depth[n] != 0);
		assert(nxt[n] == NONE || depth[nxt[n]] <= depth[n]);
		nxt[prv[n]] = nxt[n];
		if :: nxt[n] != NONE -> prv[nxt[n]] = prv[n] :: else fi;
		depth[n] = 0; nxt[n] = NONE; prv[n] = NONE
	}
}

inline last(top, n) {
	d_step {
		n = top;
		do
		:: nxt[n] != NONE && depth[nxt[n]] > depth[top] -> n = nxt[n]
		:: else -> break
		od
	}
}

/* One node loses @what; without any right it goes (revoke_node). */
inline revoke_node(n, p, what) {
	place_of(n, p);
	change(p, RW - what);
	if
	:: rights[p] == 0 -> d_step { link[p] = NONE } unlink(n)
	:: else
	fi
}

/* Everything below node 0, from the last to the first (revoke_below). */
inline revoke_below(n, before, p, what) {
#if BUG == 1
	n = nxt[0];
	do
	:: n != NONE -> before = nxt[n]; revoke_node(n, p, what); n = before
	:: else -> break
	od
#else
	last(0, n);
	do
	:: n != 0 ->
		before = prv[n];
		revoke_node(n, p, what);
#if BUG == 2
		/* a preemption point that goes on where it was */
		UNLOCK(frame);
		LOCK(frame);
#endif
		n = before
	:: else -> break
	od
#endif
}

proctype A() {
	byte n, before, p;

	LOCK(frame);
	revoke_below(n, before, p, RW);
	assert(rights[1] == 0 && rights[2] == 0 && rights[3] == 0);
	UNLOCK(frame)
}

proctype C() {
	byte n, before, p;

	LOCK(frame);
	revoke_below(n, before, p, (RW - R));
	UNLOCK(frame)
}

/* A node that nothing uses: place 0 has node 0. */
inline alloc(n) {
	d_step {
		if
		:: depth[1] == 0 -> n = 1
		:: depth[2] == 0 -> n = 2
		:: else -> n = 3
		fi
	}
}

proctype B() {
	byte n, up, have;

	/* map 1 -> 2: what was seen without the lock is looked at again */
	up = link[1]; have = rights[1];
	LOCK(frame);
#if BUG != 3
	up = link[1]; have = rights[1];
#endif
	if
	:: up != NONE && have != 0 && link[2] == NONE ->
		alloc(n);
		insert(n, up);
#if BUG == 4
		UNLOCK(frame);
#endif
		LOCK(pm[2]);
#if BUG == 5
		have = RW;
#endif
		d_step { link[2] = n; rights[2] = have }
		UNLOCK(pm[2])
	:: else
	fi;
	UNLOCK(frame);

	/* grant 2 -> 3: the node moves with its children */
	LOCK(frame);
	n = link[2]; have = rights[2];
	if
	:: n != NONE && have != 0 && link[3] == NONE ->
		LOCK(pm[3]);
		d_step { link[3] = n; rights[3] = have }
		UNLOCK(pm[3]);
		LOCK(pm[2]);
#if BUG == 6
		d_step { link[2] = NONE }
#else
		d_step { link[2] = NONE; rights[2] = 0 }
#endif
		UNLOCK(pm[2])
	:: else
	fi;
	UNLOCK(frame)
}

proctype D() {
	byte n;
	bit got;

	LOCK(pm[2]);
	if
	:: link[2] != NONE ->
#if BUG == 7
		LOCK(frame); got = 1;
#else
		atomic {
			if
			:: frame == 0 -> frame = 1; got = 1
			:: else
			fi
		}
#endif
		n = link[2];
		if
		:: got && n != NONE && (nxt[n] == NONE ||
		    depth[nxt[n]] <= depth[n]) ->
			d_step { rights[2] = 0; link[2] = NONE }
			unlink(n)
		:: else
		fi;
		if
		:: got -> UNLOCK(frame)
		:: else
		fi
	:: else
	fi;
	UNLOCK(pm[2])
}

/* Parent of @n in the list: the nearest before it that is less deep. */
#define UP1(n)	prv[n]
#define UP2(n)	prv[prv[n]]
#define PARENT(n) (depth[UP1(n)] < depth[n] -> UP1(n) : \
	(depth[UP2(n)] < depth[n] -> UP2(n) : 0))
#define EXCEEDS(n) (depth[n] != 0 && prv[n] != NONE && \
	(RIGHTS_OF(n) & (RW - RIGHTS_OF(PARENT(n)))) != 0)
#define ODD(p)	((rights[p] != 0) != (link[p] != NONE))
#define LOST(n)	(depth[n] != 0 && RIGHTS_OF(n) == 0)

proctype monitor() {
end:	do
	:: d_step { EXCEEDS(1) || EXCEEDS(2) || EXCEEDS(3) -> assert(false) }
	:: d_step { frame == 0 && (ODD(1) || ODD(2) || ODD(3)) ->
		assert(false) }
	:: d_step { frame == 0 && (LOST(1) || LOST(2) || LOST(3)) ->
		assert(false) }
	od
}

init {
	atomic {
		rights[0] = RW; rights[1] = RW;
		link[0] = 0; link[1] = 1; link[2] = NONE; link[3] = NONE;
		depth[0] = 1; nxt[0] = 1; prv[0] = NONE;
		depth[1] = 2; nxt[1] = NONE; prv[1] = 0;
		nxt[2] = NONE; nxt[3] = NONE; prv[2] = NONE; prv[3] = NONE;
		run monitor(); run A(); run B(); run C(); run D()
	}
}
