/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stands in for arch/.../asm/bitsperlong.h: the word size that is compiled for. */
#ifndef _ASM_BITSPERLONG_H
#define _ASM_BITSPERLONG_H

#ifdef __LP64__
#define __BITS_PER_LONG 64
#else
#define __BITS_PER_LONG 32
#endif

#include <asm-generic/bitsperlong.h>

#endif
