/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stands in for arch/.../asm/sigcontext.h: no signal is ever delivered. */
#ifndef _ASM_SIGCONTEXT_H
#define _ASM_SIGCONTEXT_H

struct sigcontext {
	int unused;
};

#endif
