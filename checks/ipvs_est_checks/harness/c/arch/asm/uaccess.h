/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stands in for arch/.../asm/uaccess.h: there is one address space. */
#ifndef _ASM_UACCESS_H
#define _ASM_UACCESS_H

#include <linux/string.h>

#define __access_ok(addr, size)	1
#define access_ok(addr, size)	1

static inline unsigned long raw_copy_from_user(void *to, const void *from,
					       unsigned long n)
{
	__builtin_memcpy(to, from, n);
	return 0;
}

static inline unsigned long raw_copy_to_user(void *to, const void *from,
					     unsigned long n)
{
	__builtin_memcpy(to, from, n);
	return 0;
}

static inline unsigned long clear_user(void *to, unsigned long n)
{
	__builtin_memset(to, 0, n);
	return 0;
}

#define __clear_user	clear_user

#define get_user(x, ptr)	({ (x) = *(ptr); 0; })
#define put_user(x, ptr)	({ *(ptr) = (x); 0; })
#define __get_user		get_user
#define __put_user		put_user

#define __get_kernel_nofault(dst, src, type, label)			\
do {									\
	*(type *)(dst) = *(type *)(src);				\
	if (0)								\
		goto label;						\
} while (0)
#define __put_kernel_nofault	__get_kernel_nofault

long strncpy_from_user(char *to, const char *from, long count);
long strnlen_user(const char *s, long count);

#endif
