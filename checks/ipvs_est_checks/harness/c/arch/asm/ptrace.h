/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stands in for arch/.../asm/ptrace.h. */
#ifndef _ASM_PTRACE_H
#define _ASM_PTRACE_H

#ifndef __ASSEMBLY__
struct pt_regs {
	unsigned long ip;
	unsigned long sp;
	unsigned long flags;
};

#define user_mode(regs)			1
#define instruction_pointer(regs)	((regs)->ip)
#define profile_pc(regs)		((regs)->ip)
#define user_stack_pointer(regs)	((regs)->sp)
#define arch_has_single_step()		0

static inline void instruction_pointer_set(struct pt_regs *regs, unsigned long ip)
{
	regs->ip = ip;
}

static inline int regs_return_value(struct pt_regs *regs)
{
	return 0;
}

static inline int is_syscall_success(struct pt_regs *regs)
{
	return 0;
}
#endif

#endif
