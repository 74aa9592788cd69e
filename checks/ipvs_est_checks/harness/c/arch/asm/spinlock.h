/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stands in for arch/.../asm/spinlock.h. Tasks are switched at points of the
 * runtime only, and none lies inside a spinlock: a lock is a flag.
 */
#ifndef _ASM_SPINLOCK_H
#define _ASM_SPINLOCK_H

#include <asm/spinlock_types.h>

#define arch_spin_is_locked(lock)	((lock)->held)
#define arch_spin_is_contended(lock)	0
#define arch_spin_value_unlocked(lock)	(!(lock).held)

static inline void arch_spin_lock(arch_spinlock_t *lock)
{
	lock->held = 1;
}

static inline int arch_spin_trylock(arch_spinlock_t *lock)
{
	lock->held = 1;
	return 1;
}

static inline void arch_spin_unlock(arch_spinlock_t *lock)
{
	lock->held = 0;
}

#define arch_read_lock(lock)		do { } while (0)
#define arch_read_unlock(lock)		do { } while (0)
#define arch_read_trylock(lock)		1
#define arch_write_lock(lock)		do { } while (0)
#define arch_write_unlock(lock)		do { } while (0)
#define arch_write_trylock(lock)	1

#endif
