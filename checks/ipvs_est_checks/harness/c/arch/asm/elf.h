/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stands in for arch/.../asm/elf.h; nothing is ever loaded. */
#ifndef _ASM_ELF_H
#define _ASM_ELF_H

#define ELF_CLASS		ELFCLASS64
#define ELF_DATA		ELFDATA2LSB
#define ELF_ARCH		EM_NONE
#define ELF_EXEC_PAGESIZE	4096
#define ELF_PLATFORM		NULL
#define ELF_HWCAP		0
#define ELF_ET_DYN_BASE		0
#define SET_PERSONALITY(ex)
#define elf_check_arch(x)	1

typedef unsigned long elf_greg_t;
typedef elf_greg_t elf_gregset_t[32];
typedef unsigned long elf_fpregset_t[32];

#endif
