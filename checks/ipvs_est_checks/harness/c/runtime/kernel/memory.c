// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stands in for the slab and per-CPU allocators. Memory is never used again, so
 * that a freed object stays recognisable and keeps its values, as in the
 * recordings. Allocations are numbered, so that a chosen one can be made to fail.
 *
 * Under AddressSanitizer objects come from its allocator instead.
 */
#include <stdlib.h>
#include <string.h>

#include "runtime.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

#if UINTPTR_MAX > UINT32_MAX
#define HEAP_SIZE	(32UL << 30)
#define PER_CPU_SIZE	(4UL << 40)
#define CPU_STRIDE	(256UL << 20)
#else
#define HEAP_SIZE	(512UL << 20)
#define PER_CPU_SIZE	(512UL << 20)
#define CPU_STRIDE	(64UL << 20)
#endif
#define MAGIC	0x68656170
#define UNKNOWN_TYPE	"a heap object"

/* In front of each object; as large as the kernel's alignment. */
struct header {
	struct header *next;	/* allocated before */
	unsigned long magic;
	unsigned long size;
	bool freed;
	bool is_kept;		/* is not meant to be freed */
	bool per_cpu;
	bool is_mask;		/* of CPUs */
	bool is_task;
} __attribute__((aligned(LINE_SIZE)));

extern unsigned long __per_cpu_offset[];
void *kmalloc_caches[32][32];

/* Less if the system does not give so much, see map_space(). */
static unsigned long heap_size = HEAP_SIZE;
static unsigned long per_cpu_size = PER_CPU_SIZE;
static char *heap;
static unsigned char *freed_lines;	/* of the heap, one byte each */
static unsigned long heap_used;
static char *per_cpu;
static unsigned long per_cpu_stride;
static unsigned long per_cpu_used;
static struct header *newest;
static uint64_t allocations;
static uint64_t first_failing = 1;
static uint64_t last_failing;
static unsigned long last_size;

void kfree(const void *object);
void kvfree(const void *object);
void *__kmalloc_noprof(unsigned long size, unsigned int gfp);
void *__kmalloc_cache_noprof(void *cache, unsigned int gfp, unsigned long size);
void *__kmalloc_cache_node_noprof(void *cache, unsigned int gfp, int node,
				  unsigned long size);
void *__kmalloc_node_noprof(unsigned long size, void *buckets, unsigned int gfp,
			    int node);
void *__kmalloc_large_noprof(unsigned long size, unsigned int gfp);
void *__kvmalloc_node_noprof(unsigned long size, void *buckets, unsigned long align,
			     unsigned int gfp, int node);
void *krealloc(const void *object, unsigned long size, unsigned int gfp);
void *krealloc_node_align_noprof(const void *object, unsigned long size,
				 unsigned long align, unsigned int gfp, int node);
void *kmemdup_noprof(const void *from, unsigned long size, unsigned int gfp);
void *pcpu_alloc_noprof(unsigned long size, unsigned long align, bool reserved,
			unsigned int gfp);
void free_percpu(void *object);

static unsigned long aligned(unsigned long size)
{
	return (size + LINE_SIZE - 1) / LINE_SIZE * LINE_SIZE;
}

void memory_boot(int possible_cpus)
{
	unsigned long lines;
	int cpu;

	heap = map_space(&heap_size);
	lines = heap_size / LINE_SIZE;
	freed_lines = map_space(&lines);
	heap_size = lines * LINE_SIZE;
	per_cpu_stride = CPU_STRIDE;
	while (per_cpu_stride > per_cpu_size / possible_cpus)
		per_cpu_stride /= 2;
	per_cpu_size = per_cpu_stride * possible_cpus;
	per_cpu = map_space(&per_cpu_size);
	while (per_cpu_stride > per_cpu_size / possible_cpus)
		per_cpu_stride /= 2;
	for (cpu = 0; cpu < possible_cpus; cpu++)
		__per_cpu_offset[cpu] = cpu * per_cpu_stride;
}

void memory_fail(uint64_t nth, uint64_t count)
{
	first_failing = allocations + nth;
	last_failing = first_failing + count - 1;
}

int rt_allocation_fails(void)
{
	allocations++;
	return first_failing <= allocations && allocations <= last_failing;
}

static void *remember(struct header *header, unsigned long size, bool is_per_cpu)
{
	header->next = newest;
	header->magic = MAGIC;
	header->size = size;
	header->per_cpu = is_per_cpu;
	newest = header;
	return header + 1;
}

void *memory_allocate(unsigned long size, bool zeroed)
{
	struct header *header;
	void *object;

#ifdef __SANITIZE_ADDRESS__
	header = calloc(1, sizeof(*header) + size);
	if (!header)
		fail("no memory");
#else
	if (heap_used + sizeof(*header) + aligned(size) > heap_size)
		fail("the history has used up the heap of %lu MB", heap_size >> 20);
	header = (struct header *)(heap + heap_used);
	heap_used += sizeof(*header) + aligned(size);
#endif
	object = remember(header, size, false);
	if (!zeroed)
		memset(object, 0xa5, size);
	return object;
}

static void *allocate(unsigned long size, unsigned int gfp)
{
	last_size = size;
	if (rt_allocation_fails())
		return NULL;
	return memory_allocate(size, glue_wants_zeroed(gfp));
}

void *rt_allocate_uncounted(unsigned long size, int zeroed)
{
	void *mask = memory_allocate(size, zeroed);

	((struct header *)mask - 1)->is_mask = true;
	return mask;
}

static const char *type_name(unsigned long size)
{
	const struct glue_type *type;

	for (type = glue_types(); type->name; type++) {
		if (type->size == size)
			return type->name;
	}
	return UNKNOWN_TYPE;
}

static void forget(struct header *header)
{
#ifdef __SANITIZE_ADDRESS__
	struct header **link = &newest;

	while (*link != header)
		link = &(*link)->next;
	*link = header->next;
	free(header);
#else
	unsigned long line = ((char *)(header + 1) - heap) / LINE_SIZE;

	header->freed = true;
	memset(freed_lines + line, 1, aligned(header->size) / LINE_SIZE);
#endif
}

void kfree(const void *object)
{
	struct header *header = (struct header *)object - 1;
	bool is_mask;

	/* NULL, an error code, or ZERO_SIZE_PTR. */
	if ((uintptr_t)object < 4096)
		return;
	if (header->magic != MAGIC)
		end_history("invalid-pointer", "an object that is freed",
			    __builtin_return_address(0));
	if (header->freed) {
		violation("double-free", type_name(header->size), "kfree");
		return;
	}
	is_mask = header->is_mask;
	forget(header);
	/* A cpulist goes without a lock at which the record would show it (F06). */
	if (is_mask) {
		event_paused(current_task);
		event_resumed(current_task);
	}
}

void kvfree(const void *object)
{
	kfree(object);
}

void *__kmalloc_noprof(unsigned long size, unsigned int gfp)
{
	return allocate(size, gfp);
}

void *__kmalloc_cache_noprof(void *cache, unsigned int gfp, unsigned long size)
{
	(void)cache;
	return allocate(size, gfp);
}

void *__kmalloc_cache_node_noprof(void *cache, unsigned int gfp, int node,
				  unsigned long size)
{
	(void)cache;
	(void)node;
	return allocate(size, gfp);
}

void *__kmalloc_node_noprof(unsigned long size, void *buckets, unsigned int gfp,
			    int node)
{
	(void)buckets;
	(void)node;
	return allocate(size, gfp);
}

void *__kmalloc_large_noprof(unsigned long size, unsigned int gfp)
{
	return allocate(size, gfp);
}

void *__kvmalloc_node_noprof(unsigned long size, void *buckets, unsigned long align,
			     unsigned int gfp, int node)
{
	(void)buckets;
	(void)align;
	(void)node;
	return allocate(size, gfp);
}

void *krealloc(const void *object, unsigned long size, unsigned int gfp)
{
	void *new = allocate(size, gfp);
	unsigned long old_size;

	if (!new || !object)
		return new;
	old_size = ((struct header *)object - 1)->size;
	memcpy(new, object, old_size < size ? old_size : size);
	kfree(object);
	return new;
}

void *krealloc_node_align_noprof(const void *object, unsigned long size,
				 unsigned long align, unsigned int gfp, int node)
{
	(void)align;
	(void)node;
	return krealloc(object, size, gfp);
}

void *kmemdup_noprof(const void *from, unsigned long size, unsigned int gfp)
{
	void *new = allocate(size, gfp);

	if (new)
		memcpy(new, from, size);
	return new;
}

static bool is_stats(unsigned long size)
{
	return !strncmp(type_name(size), "ip_vs_stats", strlen("ip_vs_stats"));
}

/*
 * A stats object and its per-CPU part count as one allocation, as in the
 * recordings. The header lies before the first CPU's part.
 */
void *pcpu_alloc_noprof(unsigned long size, unsigned long align, bool reserved,
			unsigned int gfp)
{
	struct header *header;

	(void)align;
	(void)reserved;
	(void)gfp;
	if (!is_stats(last_size) && rt_allocation_fails())
		return NULL;
	last_size = 0;
	if (per_cpu_used + sizeof(*header) + aligned(size) > per_cpu_stride)
		fail("the history has used up the per-CPU memory");
	header = (struct header *)(per_cpu + per_cpu_used);
	per_cpu_used += sizeof(*header) + aligned(size);
	return remember(header, size, true);
}

void free_percpu(void *object)
{
	struct header *header = (struct header *)object - 1;

	if (!object)
		return;
	if (header->freed)
		violation("double-free", "per-CPU counters", "free_percpu");
	header->freed = true;
}

/* What the namespace itself needs is no leak. */
void memory_mark_boot(void)
{
	struct header *header;

	for (header = newest; header; header = header->next)
		header->is_kept = true;
}

/* A task is the runtime's own. */
void memory_keep(void *object)
{
	((struct header *)object - 1)->is_kept = true;
	((struct header *)object - 1)->is_task = true;
}

/*
 * Objects of the estimator and its owners, counted as the model does: a service
 * and a destination are two with their counters; arrays and tables are none.
 */
static int objects_of(const struct header *header)
{
	struct task *task = (struct task *)(header + 1);
	const char *type;

	if (header->is_task)
		return task->kind == TASK_KTHREAD &&
		       glue_task_references(task_kernel(task)) > 0;
	if (header->freed || header->is_kept || header->per_cpu)
		return 0;
	if (header->is_mask)
		return 1;
	type = type_name(header->size);
	if (!strcmp(type, "ip_vs_service") || !strcmp(type, "ip_vs_dest"))
		return 2;
	return strcmp(type, UNKNOWN_TYPE) != 0;
}

/* The member `memory` of a snapshot. */
void memory_out(void)
{
	const struct header *header;
	uint64_t first = first_failing > allocations ? first_failing : allocations + 1;
	uint64_t live = 0;

	for (header = newest; header; header = header->next)
		live += objects_of(header);
	out_format(",\"memory\":{\"allocations\":%llu,\"failing\":",
		   (unsigned long long)allocations);
	if (first <= last_failing)
		out_format("[%llu,%llu]", (unsigned long long)first,
			   (unsigned long long)last_failing);
	else
		out_raw("null");
	out_format(",\"live\":%llu,\"waiting\":[],\"callbacks\":%d}",
		   (unsigned long long)live, rcu_callbacks());
}

/* Tell, and forget, what is still allocated. */
void memory_report_leaks(void)
{
	struct header *header;

	for (header = newest; header; header = header->next) {
		if (header->freed || header->is_kept)
			continue;
		header->is_kept = true;
		violation("leak-at-exit",
			  header->per_cpu ? "per-CPU counters" : type_name(header->size),
			  NULL);
	}
}

static const struct header *header_of(unsigned long at)
{
	const struct header *header;

	header = (const struct header *)(heap + at / LINE_SIZE * LINE_SIZE);
	while (header->magic != MAGIC && (const char *)header > heap)
		header--;
	return header;
}

static void describe(const void *address, const struct header *header,
		     const char **type, unsigned long *offset)
{
	*type = type_name(header->size);
	*offset = (const char *)address - (const char *)(header + 1);
}

/* Whether the address lies in a freed object; of what type, and where in it. */
bool memory_freed(const void *address, const char **type, unsigned long *offset)
{
	unsigned long at = (uintptr_t)address - (uintptr_t)heap;

	if (at >= heap_used || !freed_lines[at / LINE_SIZE])
		return false;
	describe(address, header_of(at), type, offset);
	return true;
}

/* The same for any object of the heap. */
bool memory_type(const void *address, const char **type, unsigned long *offset)
{
	unsigned long at = (uintptr_t)address - (uintptr_t)heap;

	if (at >= heap_used)
		return false;
	describe(address, header_of(at), type, offset);
	return true;
}

bool memory_type_is_known(const char *type)
{
	return strcmp(type, UNKNOWN_TYPE) != 0;
}

int rt_is_freed(const void *object)
{
	const char *type;
	unsigned long offset;

	return memory_freed(object, &type, &offset);
}

/* For a checkpoint. */
void memory_keep_areas(void)
{
	unsigned long at;

	checkpoint_keep(heap, heap_size, heap_used);
	checkpoint_keep(freed_lines, heap_size / LINE_SIZE, heap_used / LINE_SIZE);
	for (at = 0; at < per_cpu_size; at += per_cpu_stride)
		checkpoint_keep(per_cpu + at, per_cpu_stride, per_cpu_used);
}
