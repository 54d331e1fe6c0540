/* SPDX-License-Identifier: MIT */
/** @file sys_file.h Paths as arguments, for the handlers of files. */
#ifndef SYS_SYS_FILE_H
#define SYS_SYS_FILE_H

#include "fs/vfs.h"

/** A path argument with the directory where it starts. */
struct at_path {
	struct file *dir; /* reference, or NULL: the root */
	char *path;
};

/** @retval EBADF @retval EFAULT @retval ENAMETOOLONG @retval ENOMEM
 * @post at_path_put() on success */
int __must_check at_path_get(uintptr_t dirfd, uintptr_t user,
    struct at_path *);
void at_path_put(struct at_path *);
/** The working directory, with a reference. */
struct file *cwd_get(void);

#endif
