/* SPDX-License-Identifier: MIT */
/** @file pipe.h Pipes. */
#ifndef IPC_PIPE_H
#define IPC_PIPE_H

#include "proc/file.h"

#define PIPE_BUF  4096		       /* written in one piece */
#define PIPE_SIZE (16 * PAGE_SIZE)

void pipe_init(void);
/** The two ends; @p flags: O_NONBLOCK. @retval ENOMEM */
int __must_check pipe_create(unsigned flags, struct file **rd,
    struct file **wr);

#endif
