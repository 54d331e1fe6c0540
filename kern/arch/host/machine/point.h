/* SPDX-License-Identifier: MIT */
/*
 * point.h - where the simulation may look in, let another CPU run, or deliver
 * an interrupt.
 */
#ifndef MACHINE_POINT_H
#define MACHINE_POINT_H

#include <stdbool.h>

enum host_point {
	HOST_INTR,  /* interrupts on or off, or asked for */
	HOST_MB,    /* a full fence */
	HOST_RELAX, /* in a spin loop: somebody else must run */
	HOST_PTE,   /* a page-table entry is read, or about to be changed */
	HOST_FLUSH, /* after a local flush */
	HOST_IPI,   /* after sending an interrupt */
	HOST_USER,  /* before an access of a program */
};

void host_point(enum host_point); /* kern/arch/host/cpu.c */

/* HOST_PTE points count: somebody may act there.  They are very many. */
extern bool host_watch_ptes;

#endif
