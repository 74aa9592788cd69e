/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stands in for arch/.../asm/bug.h: BUG() ends the history, see runtime/failure.c. */
#ifndef _ASM_BUG_H
#define _ASM_BUG_H

#ifndef __ASSEMBLY__
void rt_bug(const char *file, int line) __attribute__((noreturn));

#define HAVE_ARCH_BUG
#define BUG()	rt_bug(__FILE__, __LINE__)
#endif

#include <asm-generic/bug.h>

#endif
