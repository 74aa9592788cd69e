// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stands in for the kernel's tasks: each is a coroutine, with a real struct
 * task_struct behind it that the kernel's code may look at. One runs until it
 * pauses; who runs next is decided elsewhere (schedule.c, explore.c).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

#define STACK_SIZE	(256UL * 1024)
#define MAX_STACKS	4096
#define SPARE_STACKS	16	/* that a scheduled run may need besides */

struct task *current_task;
struct task *tasks;

static struct task *caller;
static unsigned long tasks_created;
#ifdef __SANITIZE_ADDRESS__
static ucontext_t scheduler;
#else
static jmp_buf scheduler;
#endif
static char *stacks;
static unsigned long stacks_size = MAX_STACKS * STACK_SIZE;
static unsigned long stacks_used;
static void *free_stacks[MAX_STACKS];
static int free_stack_count;

/* The struct task_struct lies right behind, so that each finds the other. */
#define KERNEL_OFFSET	((sizeof(struct task) + LINE_SIZE - 1) / LINE_SIZE * LINE_SIZE)

void *task_kernel(struct task *task)
{
	return (char *)task + KERNEL_OFFSET;
}

struct task *task_of(const void *kernel)
{
	return (struct task *)((char *)kernel - KERNEL_OFFSET);
}

bool task_is_caller(void)
{
	return current_task == caller;
}

struct task *task_new(enum task_kind kind, const char *name, int rank)
{
	struct task *task = memory_allocate(KERNEL_OFFSET + glue_task_size(), true);

	memory_keep(task);
	task->kind = kind;
	task->state = TASK_NEW;
	task->rank = rank;
	task->age = ++tasks_created;
	snprintf(task->name, sizeof(task->name), "%s", name);
	glue_task_init(task_kernel(task), kind == TASK_KTHREAD);
	if (kind != TASK_CALLER) {
		task->next = tasks;
		tasks = task;
	}
	return task;
}

void task_boot(void)
{
	stacks = map_space(&stacks_size);
	caller = task_new(TASK_CALLER, "control process", -1);
	caller->state = TASK_RUNNING;
	current_task = caller;
	glue_set_current(task_kernel(caller));
}

static void *stack_get(void)
{
	if (free_stack_count)
		return free_stacks[--free_stack_count];
	if (stacks_used + STACK_SIZE > stacks_size)
		fail("more than %lu tasks", stacks_used / STACK_SIZE);
	stacks_used += STACK_SIZE;
	return stacks + stacks_used - STACK_SIZE;
}

static void stack_put(void *stack)
{
	free_stacks[free_stack_count++] = stack;
}

/* For a checkpoint. */
void task_keep_stacks(void)
{
	unsigned long end = stacks_used + SPARE_STACKS * STACK_SIZE;
	unsigned long at;

	if (end > stacks_size)
		end = stacks_size;
	for (at = 0; at < end; at += STACK_SIZE)
		checkpoint_keep_stack(stacks + at, STACK_SIZE, at >= stacks_used);
	if (end < stacks_size)
		checkpoint_keep_stack(stacks + end, stacks_size - end, true);
}

/* Before and after a switch, AddressSanitizer wants to know the stack. */
static void leave_stack(void **fake_stack, const void *bottom, size_t size)
{
#ifdef __SANITIZE_ADDRESS__
	__sanitizer_start_switch_fiber(fake_stack, bottom, size);
#else
	(void)fake_stack;
	(void)bottom;
	(void)size;
#endif
}

static void enter_stack(void *fake_stack)
{
#ifdef __SANITIZE_ADDRESS__
	__sanitizer_finish_switch_fiber(fake_stack, NULL, NULL);
#else
	(void)fake_stack;
#endif
}

/*
 * Switches. Those of ucontext.h call the system for the mask of signals, which
 * is most of their time; AddressSanitizer follows no others.
 */
#ifdef __SANITIZE_ADDRESS__

static void enter_task(struct task *task)
{
	swapcontext(&scheduler, &task->context);
}

static void leave_task(struct task *task)
{
	swapcontext(&task->context, &scheduler);
}

NORETURN static void leave_for_ever(void)
{
	setcontext(&scheduler);
	abort();
}

#else

static void enter_task(struct task *task)
{
	if (_setjmp(scheduler))
		return;
	if (task->started)
		_longjmp(task->registers, 1);
	task->started = true;
	setcontext(&task->context);
}

static void leave_task(struct task *task)
{
	if (!_setjmp(task->registers))
		_longjmp(scheduler, 1);
}

NORETURN static void leave_for_ever(void)
{
	_longjmp(scheduler, 1);
}

#endif

static void exit_task(struct task *task)
{
	struct task **link = &tasks;
	struct task *other;

	task->state = TASK_EXITED;
	while (*link != task)
		link = &(*link)->next;
	*link = task->next;
	for (other = tasks; other; other = other->next) {
		if (other->state == TASK_JOINING && other->joined == task)
			other->state = TASK_RUNNABLE;
	}
	event_task_exited(task);
	if (task->kind == TASK_WORK)
		work_exited(task);
	task_put(task);
}

/* Where each task begins. One that is asked to stop before does not run. */
static void run_task(void)
{
	struct task *task = current_task;

	enter_stack(NULL);
	if (task->kind != TASK_KTHREAD || !task->should_stop)
		task->function(task->argument);
	exit_task(task);
	leave_stack(NULL, NULL, 0);
	leave_for_ever();
}

/* Run the task until it pauses or exits. */
void task_slice(struct task *task)
{
	struct task *before = current_task;
	void *kernel_before = glue_current_task();
	void *fake_stack = NULL;

	if (!task->stack) {
		task->stack = stack_get();
		getcontext(&task->context);
		task->context.uc_stack.ss_sp = task->stack;
		task->context.uc_stack.ss_size = STACK_SIZE;
		task->context.uc_link = NULL;
		makecontext(&task->context, run_task, 0);
	}
	current_task = task;
	task->state = TASK_RUNNING;
	glue_set_current(task_kernel(task));
	glue_task_set_running(task_kernel(task));
	event_resumed(task);
	leave_stack(&fake_stack, task->stack, STACK_SIZE);
	enter_task(task);
	enter_stack(fake_stack);
	event_paused(task);
	current_task = before;
	glue_set_current(kernel_before);
	if (task->state == TASK_EXITED) {
		stack_put(task->stack);
		task->stack = NULL;
	}
}

/* The running task gives the CPU back; its state says what it waits for. */
void task_pause(void)
{
	struct task *task = current_task;

	leave_stack(&task->fake_stack, NULL, 0);
	leave_task(task);
	enter_stack(task->fake_stack);
}

/* Wait until `ready`; the caller of an operation lets others run by the rule. */
void task_wait(enum task_state state, bool (*ready)(void *), void *argument)
{
	struct task *task = current_task;

	if (task_is_caller()) {
		task->state = state;
		event_paused(task);
		schedule_until(ready, argument);
		task->state = TASK_RUNNING;
		event_resumed(task);
		return;
	}
	task->ready = ready;
	task->ready_argument = argument;
	while (!ready(argument)) {
		task->state = state;
		task_pause();
	}
	task->ready = NULL;
}

static bool has_exited(void *task)
{
	return ((struct task *)task)->state == TASK_EXITED;
}

void task_join(struct task *other)
{
	if (other->state == TASK_EXITED)
		return;
	current_task->joined = other;
	task_wait(TASK_JOINING, has_exited, other);
	current_task->joined = NULL;
}

void task_wake(struct task *task)
{
	if (task->state == TASK_NEW || task->state == TASK_SLEEPING)
		task->state = TASK_RUNNABLE;
}

/* Drop a reference. The memory of a task without any stays recognisable. */
void task_put(struct task *task)
{
	if (glue_task_references(task_kernel(task)) <= 0)
		violation("double-free", task->name, "put_task_struct");
	else
		glue_task_put(task_kernel(task));
}

int rt_task_runs(const void *kernel)
{
	return task_of(kernel)->state != TASK_EXITED;
}
