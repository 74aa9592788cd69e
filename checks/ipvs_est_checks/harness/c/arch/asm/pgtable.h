/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stands in for arch/.../asm/pgtable.h: enough for the headers to compile. */
#ifndef _ASM_PGTABLE_H
#define _ASM_PGTABLE_H

#include <asm-generic/pgtable-nopud.h>

#ifndef __ASSEMBLY__
#define VMALLOC_START		0UL
#define VMALLOC_END		(~0UL)
#define PAGE_KERNEL		__pgprot(0)
#define PAGE_SHARED		__pgprot(0)
#define pgprot_writecombine(prot)	(prot)
#define kern_addr_valid(addr)	1
#define swapper_pg_dir		((pgd_t *)NULL)
#endif

#endif
