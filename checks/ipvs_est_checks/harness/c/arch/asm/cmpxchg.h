/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stands in for arch/.../asm/cmpxchg.h, by the compiler's builtins. */
#ifndef _ASM_CMPXCHG_H
#define _ASM_CMPXCHG_H

#define arch_xchg(ptr, new)						\
({									\
	typeof(*(ptr)) __new = (typeof(*(ptr)))(new);			\
	__atomic_exchange_n((ptr), __new, __ATOMIC_SEQ_CST);		\
})

#define arch_try_cmpxchg(ptr, old, new)					\
({									\
	typeof(ptr) __ptr = (ptr);					\
	typeof(*(ptr)) __new = (typeof(*(ptr)))(new);			\
	__atomic_compare_exchange_n(__ptr, (typeof(__ptr))(old), __new,	\
				    0, __ATOMIC_SEQ_CST,		\
				    __ATOMIC_SEQ_CST);			\
})

#define arch_cmpxchg(ptr, old, new)					\
({									\
	typeof(*(ptr)) __found = (typeof(*(ptr)))(old);			\
	arch_try_cmpxchg((ptr), &__found, (new));			\
	__found;							\
})

#define arch_cmpxchg64		arch_cmpxchg
#define arch_cmpxchg_local	arch_cmpxchg
#define arch_cmpxchg64_local	arch_cmpxchg

#endif
