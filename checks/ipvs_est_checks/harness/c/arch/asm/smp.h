/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stands in for arch/.../asm/smp.h. There may be many CPUs with counters of
 * their own, but the code runs on one of them.
 */
#ifndef _ASM_SMP_H
#define _ASM_SMP_H

struct cpumask;

#define raw_smp_processor_id()	0

static inline void arch_send_call_function_single_ipi(int cpu)
{
}

static inline void arch_send_call_function_ipi_mask(const struct cpumask *mask)
{
}

static inline void arch_smp_send_reschedule(int cpu)
{
}

#endif
