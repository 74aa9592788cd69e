/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stands in for arch/.../asm/processor.h. */
#ifndef _ASM_PROCESSOR_H
#define _ASM_PROCESSOR_H

#ifndef __ASSEMBLY__
struct task_struct;
struct pt_regs;

struct thread_struct {
	unsigned long sp;
};

#define INIT_THREAD		{ 0 }
#define TASK_SIZE		(~0UL >> 1)
#define TASK_UNMAPPED_BASE	0
#define STACK_TOP		TASK_SIZE
#define STACK_TOP_MAX		TASK_SIZE
#define KSTK_EIP(task)		0
#define KSTK_ESP(task)		0
#define task_pt_regs(task)	((struct pt_regs *)NULL)
#define cpu_relax()		barrier()
#define prefetch(x)		__builtin_prefetch(x)

static inline void start_thread(struct pt_regs *regs, unsigned long pc,
				unsigned long sp)
{
}

unsigned long __get_wchan(struct task_struct *task);
#endif

#endif
