/* SPDX-License-Identifier: MIT */
/*
 * names.h - included before every kernel source on the host: functions that the
 * C library has too get another name, so that the kernel's own are tested and
 * the library's stay whole.
 */
#ifndef HOST_NAMES_H
#define HOST_NAMES_H

#define memset	    tern_memset
#define memcpy	    tern_memcpy
#define memmove	    tern_memmove
#define memcmp	    tern_memcmp
#define strlen	    tern_strlen
#define strnlen	    tern_strnlen
#define strcmp	    tern_strcmp
#define strncmp	    tern_strncmp
#define strchr	    tern_strchr
#define strlcpy	    tern_strlcpy
#define snprintf    tern_snprintf
#define vsnprintf   tern_vsnprintf
#define sched_yield tern_sched_yield

#endif
