// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The runtime's own memory, beside the kernel's (kernel/memory.c). It lies in one
 * area, so that a checkpoint holds all of it; libc's allocator hides where it is.
 */
#include <string.h>
#include <sys/mman.h>

#include "runtime.h"

#if UINTPTR_MAX > UINT32_MAX
#define OWN_SIZE	(32UL << 30)
#else
#define OWN_SIZE	(256UL << 20)
#endif
#define LEAST_SIZE	(1UL << 20)
#define SMALLEST	5	/* blocks of 32 bytes, and of each power of two above */

/* In front of each block. */
struct block {
	struct block *next;	/* of those that are free and as large */
	int power;		/* its size, with this */
} __attribute__((aligned(16)));

static char *own;
static unsigned long own_size = OWN_SIZE;
static unsigned long own_used;
static struct block *free_blocks[64];

/* Address space, not memory; where it is limited, an eighth, or an eighth of that. */
void *map_space(unsigned long *size)
{
	void *area;

	for (; *size >= LEAST_SIZE; *size /= 8) {
		area = mmap(NULL, *size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (area != MAP_FAILED)
			return area;
	}
	fail("no address space");
}

void own_boot(void)
{
	own = map_space(&own_size);
}

static int power_for(size_t size)
{
	int power = SMALLEST;

	while ((1UL << power) - sizeof(struct block) < size)
		power++;
	return power;
}

static struct block *block_of(void *memory)
{
	return (struct block *)memory - 1;
}

/* Zeroed. */
void *own_new(size_t size)
{
	int power = power_for(size);
	struct block *block = free_blocks[power];

	if (block) {
		free_blocks[power] = block->next;
		memset(block + 1, 0, size);
	} else {
		if (1UL << power > own_size - own_used)
			fail("the runtime has used up its %lu MB", own_size >> 20);
		block = (struct block *)(own + own_used);
		own_used += 1UL << power;
		block->power = power;
	}
	return block + 1;
}

/* What there was comes along; what is new is not zeroed. */
void *own_grow(void *memory, size_t size)
{
	size_t old_size;
	void *new;

	if (!memory)
		return own_new(size);
	old_size = (1UL << block_of(memory)->power) - sizeof(struct block);
	if (size <= old_size)
		return memory;
	new = own_new(size);
	memcpy(new, memory, old_size);
	own_drop(memory);
	return new;
}

void own_drop(void *memory)
{
	struct block *block;

	if (!memory)
		return;
	block = block_of(memory);
	block->next = free_blocks[block->power];
	free_blocks[block->power] = block;
}

void own_keep_area(void)
{
	checkpoint_keep(own, own_size, own_used);
}
