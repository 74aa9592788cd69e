// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a scheduled run may change, kept so that the next run begins where this one
 * did: the program's static data, the kernel's memory and the runtime's, and the
 * stacks of tasks. To copy that back takes a small part of the time that a process
 * for each run takes. What runs leave to others on purpose lies in shared memory.
 */
#include <string.h>
#include <sys/mman.h>

#include "runtime.h"

#define MAX_AREAS	512
#define MOST_KEPT	(4UL << 20)	/* with more, a process for each run takes less */
#define WARM		(16UL << 10)
#define PAGE		4096UL

/*
 * Of an area one part is kept. A part beside it that runs often use is zeroed after
 * each; the rest goes back to the system, and reads as zero from then on.
 */
struct area {
	char *start;
	char *end;
	char *kept;
	char *kept_end;
	char *warm;
	char *warm_end;
	char *copy;
};

/* From the linker: all static data lies between them. */
extern char __data_start[];
extern char _end[];

static struct area areas[MAX_AREAS];
static int area_count;
static char *copies;
static size_t copies_size;
static bool is_current;

static char *page_at(const char *address)
{
	return (char *)((uintptr_t)address / PAGE * PAGE);
}

static char *page_behind(const char *address)
{
	return page_at(address + PAGE - 1);
}

static void add_area(struct area area)
{
	/* One too many says that they are too many. */
	if (area_count < MAX_AREAS)
		areas[area_count++] = area;
}

/* An area of whole pages that is used from its start on. */
void checkpoint_keep(void *start, unsigned long size, unsigned long used)
{
	struct area area = { .start = start, .kept = start };
	char *warm_end;

	area.end = area.start + size;
	area.kept_end = area.warm = area.start + used;
	warm_end = page_behind(area.warm + WARM);
	area.warm_end = warm_end < area.end ? warm_end : area.end;
	add_area(area);
}

static bool is_zero(const char *page)
{
	const unsigned long *at = (const unsigned long *)page;
	size_t i;

	for (i = 0; i < PAGE / sizeof(*at); i++) {
		if (at[i])
			return false;
	}
	return true;
}

/* A stack, which is used from its end on; a new one was never used. */
void checkpoint_keep_stack(void *start, unsigned long size, bool is_new)
{
	struct area area = { .start = start };

	area.end = area.kept_end = area.start + size;
	area.kept = is_new ? area.end : area.start;
	while (area.kept < area.end && is_zero(area.kept))
		area.kept += PAGE;
	area.warm_end = area.kept;
	area.warm = area.end - WARM < area.kept ? area.end - WARM : area.kept;
	add_area(area);
}

static void keep_static_data(void)
{
	add_area((struct area){
		.start = __data_start,
		.end = _end,
		.kept = __data_start,
		.kept_end = _end,
		.warm = _end,
		.warm_end = _end,
	});
}

static size_t size_kept(void)
{
	size_t size = 0;
	int i;

	for (i = 0; i < area_count; i++)
		size += areas[i].kept_end - areas[i].kept;
	return size;
}

/* Copy all; this file's own variables are among them, and do not change any more. */
static void copy_areas(void)
{
	char *at = copies;
	int i;

	for (i = 0; i < area_count; i++) {
		areas[i].copy = at;
		at += areas[i].kept_end - areas[i].kept;
	}
	for (i = 0; i < area_count; i++)
		memcpy(areas[i].copy, areas[i].kept, areas[i].kept_end - areas[i].kept);
}

/* What was kept is not what the next run is to begin with. */
void checkpoint_forget(void)
{
	is_current = false;
}

/* False if it cannot be, or would not pay: each run wants a process of its own. */
bool checkpoint_take(void)
{
#ifdef __SANITIZE_ADDRESS__
	/* Its allocator's state cannot be put back. */
	return false;
#else
	if (is_current)
		return area_count > 0;
	if (copies)
		munmap(copies, copies_size);
	copies = NULL;
	area_count = 0;
	is_current = true;
	memory_keep_areas();
	own_keep_area();
	task_keep_stacks();
	keep_static_data();
	copies_size = size_kept();
	if (area_count == MAX_AREAS || copies_size > MOST_KEPT) {
		area_count = 0;
		return false;
	}
	copies = mmap(NULL, copies_size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (copies == MAP_FAILED)
		fail("no memory for a checkpoint");
	copy_areas();
	return true;
#endif
}

static void give_back(char *start, char *end)
{
	if (start < end)
		madvise(start, end - start, MADV_DONTNEED);
}

/* Everything is as it was when the checkpoint was taken. */
void checkpoint_return(void)
{
	int i;

	for (i = 0; i < area_count; i++) {
		const struct area *area = &areas[i];

		memcpy(area->kept, area->copy, area->kept_end - area->kept);
		memset(area->warm, 0, area->warm_end - area->warm);
		give_back(area->start, area->warm < area->kept ? area->warm : area->kept);
		give_back(area->warm_end > area->kept_end ? area->warm_end : area->kept_end,
			  area->end);
	}
}
