/* SPDX-License-Identifier: MIT */
/** @file bootarg.h Boot arguments, beyond arch/boot.h. */
#ifndef BOOTARG_H
#define BOOTARG_H

#include "lib/types.h"

/** Words key=value that the kernel does not know, test= and bench= among them:
 * the environment of the first process. Copied into @p buf; @p envp ends with
 * NULL. @return how many */
unsigned bootarg_environment(const char **envp, unsigned max, char *buf,
    size_t size);

#endif
