// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stands in for the rest of the kernel as far as the estimator's surroundings
 * reach it: files of proc, hooks of netfilter, rights, routes, strings. Nothing
 * of it decides how the estimator behaves.
 */
#include <string.h>

#include "runtime.h"

#define KERNEL_ENOENT	2
#define KERNEL_E2BIG	7
#define RTN_UNICAST	1
#define SOME_HANDLE	((void *)8)

/* ---- files ---- */

int sysctl_vals[] = { 0, 1, 2, 3, 4, 100, 200, 1000, 3000, INT32_MAX, 65535, -1 };

void *proc_create_net_data(const char *name, unsigned short mode, void *parent,
			   const void *ops, unsigned int size, void *data);
void *proc_create_net_single(const char *name, unsigned short mode, void *parent,
			     void *show, void *data);
void remove_proc_entry(const char *name, void *parent);

void *proc_create_net_data(const char *name, unsigned short mode, void *parent,
			   const void *ops, unsigned int size, void *data)
{
	(void)name;
	(void)mode;
	(void)parent;
	(void)ops;
	(void)size;
	(void)data;
	return SOME_HANDLE;
}

void *proc_create_net_single(const char *name, unsigned short mode, void *parent,
			     void *show, void *data)
{
	(void)name;
	(void)mode;
	(void)parent;
	(void)show;
	(void)data;
	return SOME_HANDLE;
}

void remove_proc_entry(const char *name, void *parent)
{
	(void)name;
	(void)parent;
}

/* ---- network ---- */

int nf_register_net_hooks(void *net, const void *ops, unsigned int count);
void nf_unregister_net_hooks(void *net, const void *ops, unsigned int count);
unsigned int inet_addr_type(void *net, unsigned int address);

int nf_register_net_hooks(void *net, const void *ops, unsigned int count)
{
	(void)net;
	(void)ops;
	(void)count;
	return 0;
}

void nf_unregister_net_hooks(void *net, const void *ops, unsigned int count)
{
	(void)net;
	(void)ops;
	(void)count;
}

unsigned int inet_addr_type(void *net, unsigned int address)
{
	(void)net;
	(void)address;
	return RTN_UNICAST;
}

/* ---- the machine and rights ---- */

unsigned long nr_free_buffer_pages(void);
bool capable(int capability);
bool ns_capable(void *namespace, int capability);
int __request_module(bool wait, const char *format, ...);
void get_random_bytes(void *buffer, size_t size);

unsigned long nr_free_buffer_pages(void)
{
	return 1 << 20;
}

bool capable(int capability)
{
	(void)capability;
	return true;
}

bool ns_capable(void *namespace, int capability)
{
	(void)namespace;
	(void)capability;
	return true;
}

int __request_module(bool wait, const char *format, ...)
{
	(void)wait;
	(void)format;
	return -KERNEL_ENOENT;
}

/* The same in each run. */
void get_random_bytes(void *buffer, size_t size)
{
	memset(buffer, 7, size);
}

/* ---- strings ---- */

long sized_strscpy(char *to, const char *from, size_t size);
char *skip_spaces(const char *text);
char *strnchrnul(const char *text, size_t count, int c);

long sized_strscpy(char *to, const char *from, size_t size)
{
	size_t length = strnlen(from, size);

	if (!size)
		return -KERNEL_E2BIG;
	if (length == size) {
		memcpy(to, from, size - 1);
		to[size - 1] = 0;
		return -KERNEL_E2BIG;
	}
	memcpy(to, from, length + 1);
	return length;
}

char *skip_spaces(const char *text)
{
	while (*text == ' ' || (*text >= '\t' && *text <= '\r'))
		text++;
	return (char *)text;
}

char *strnchrnul(const char *text, size_t count, int c)
{
	while (count-- && *text && *text != (char)c)
		text++;
	return (char *)text;
}
