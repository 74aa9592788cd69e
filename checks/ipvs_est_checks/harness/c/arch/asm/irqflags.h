/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stands in for arch/.../asm/irqflags.h: there are no interrupts. */
#ifndef _ASM_IRQFLAGS_H
#define _ASM_IRQFLAGS_H

#ifndef __ASSEMBLY__
static inline unsigned long arch_local_save_flags(void)
{
	return 0;
}

static inline unsigned long arch_local_irq_save(void)
{
	return 0;
}

static inline int arch_irqs_disabled_flags(unsigned long flags)
{
	return 0;
}

static inline int arch_irqs_disabled(void)
{
	return 0;
}

static inline void arch_local_irq_restore(unsigned long flags)
{
}

static inline void arch_local_irq_disable(void)
{
}

static inline void arch_local_irq_enable(void)
{
}

static inline void arch_safe_halt(void)
{
}
#endif

#endif
