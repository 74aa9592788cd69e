/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stands in for arch/.../asm/current.h: the runtime's scheduler sets a global. */
#ifndef _ASM_CURRENT_H
#define _ASM_CURRENT_H

#ifndef __ASSEMBLY__
struct task_struct;

extern struct task_struct *glue_current;

#define get_current()	(glue_current)
#define current		get_current()
#endif

#endif
