/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stands in for arch/.../asm/atomic.h: the operations on atomic_t and atomic64_t
 * by the compiler's builtins. What is not here, the kernel derives by itself.
 */
#ifndef _ASM_ATOMIC_H
#define _ASM_ATOMIC_H

#include <linux/types.h>
#include <asm/barrier.h>
#include <asm/cmpxchg.h>

#define ATOMIC64_INIT(i)	{ (i) }

#define DEFINE_VOID_OP(prefix, op, type, value)				\
static __always_inline void prefix##_##op(value i, type *v)		\
{									\
	__atomic_fetch_##op(&v->counter, i, __ATOMIC_SEQ_CST);		\
}

#define DEFINE_FETCH_OP(prefix, op, type, value)			\
static __always_inline value prefix##_fetch_##op(value i, type *v)	\
{									\
	return __atomic_fetch_##op(&v->counter, i, __ATOMIC_SEQ_CST);	\
}

#define DEFINE_RETURN_OP(prefix, op, type, value)			\
static __always_inline value prefix##_##op##_return(value i, type *v)	\
{									\
	return __atomic_##op##_fetch(&v->counter, i, __ATOMIC_SEQ_CST);	\
}

#define DEFINE_OPS(prefix, type, value)					\
static __always_inline value prefix##_read(const type *v)		\
{									\
	return *(const volatile value *)&v->counter;			\
}									\
static __always_inline void prefix##_set(type *v, value i)		\
{									\
	*(volatile value *)&v->counter = i;				\
}									\
DEFINE_VOID_OP(prefix, add, type, value)				\
DEFINE_VOID_OP(prefix, sub, type, value)				\
DEFINE_VOID_OP(prefix, and, type, value)				\
DEFINE_VOID_OP(prefix, or, type, value)					\
DEFINE_VOID_OP(prefix, xor, type, value)				\
DEFINE_FETCH_OP(prefix, add, type, value)				\
DEFINE_FETCH_OP(prefix, sub, type, value)				\
DEFINE_FETCH_OP(prefix, and, type, value)				\
DEFINE_FETCH_OP(prefix, or, type, value)				\
DEFINE_FETCH_OP(prefix, xor, type, value)				\
DEFINE_RETURN_OP(prefix, add, type, value)				\
DEFINE_RETURN_OP(prefix, sub, type, value)

DEFINE_OPS(arch_atomic, atomic_t, int)
DEFINE_OPS(arch_atomic64, atomic64_t, s64)

#undef DEFINE_OPS
#undef DEFINE_RETURN_OP
#undef DEFINE_FETCH_OP
#undef DEFINE_VOID_OP

/* Tells the kernel's fallbacks which operations there are. */
#define arch_atomic_add_return		arch_atomic_add_return
#define arch_atomic_sub_return		arch_atomic_sub_return
#define arch_atomic_fetch_add		arch_atomic_fetch_add
#define arch_atomic_fetch_sub		arch_atomic_fetch_sub
#define arch_atomic_fetch_and		arch_atomic_fetch_and
#define arch_atomic_fetch_or		arch_atomic_fetch_or
#define arch_atomic_fetch_xor		arch_atomic_fetch_xor
#define arch_atomic64_add_return	arch_atomic64_add_return
#define arch_atomic64_sub_return	arch_atomic64_sub_return
#define arch_atomic64_fetch_add		arch_atomic64_fetch_add
#define arch_atomic64_fetch_sub		arch_atomic64_fetch_sub
#define arch_atomic64_fetch_and		arch_atomic64_fetch_and
#define arch_atomic64_fetch_or		arch_atomic64_fetch_or
#define arch_atomic64_fetch_xor		arch_atomic64_fetch_xor

#endif
