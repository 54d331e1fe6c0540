/* SPDX-License-Identifier: MIT */
int real_function(void);
