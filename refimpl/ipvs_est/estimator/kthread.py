"""The function of a kthread's task (semantics section 8)."""

from ipvs_est.estimator.calc_phase import calc_phase
from ipvs_est.estimator.drain import drain_temp_list
from ipvs_est.estimator.estimate_tick import estimate_tick
from ipvs_est.language.fixed import signed
from ipvs_est.machine.points import (
    READ_ENABLE,
    READ_TEMP_LIST,
    SMP_MB,
    Body,
    FieldAccess,
    Sleep,
)
from ipvs_est.machine.tasks import Task, asked_to_stop, reads_stop_request
from ipvs_est.state.kthread_context import KthreadContext
from ipvs_est.state.machine import Machine, jiffies
from ipvs_est.state.shared_fields import read_calc_phase, write_calc_phase

# A kthread that is later than this forgets the past instead of catching up.
CATCH_UP_TICKS = 8


def estimation_kthread(machine: Machine, kd: KthreadContext, task: Task) -> Body:
    """Estimate row after row until asked to stop (`ip_vs_estimation_kthread`)."""
    netns = machine.netns
    params = machine.params
    nticks = params.nticks
    tick = params.tick_jiffies
    mask = params.jiffies_mask
    row = kd.est_row
    if kd.id > 0:
        if not netns.est_chain_max:
            return
    else:
        if not netns.est_chain_max:
            yield from write_calc_phase(machine, True)
        if machine.interleaved:
            # Before est_genid is read; nothing where nothing was stored.
            yield SMP_MB
        if (yield from read_calc_phase(machine)):
            yield from calc_phase(machine, task)
            # The request to stop is looked at first: one that comes before `enable` is looked at is
            # seen in the loop.
            stopping = task.should_stop
            if machine.interleaved:
                yield READ_ENABLE
            aborted = stopping or not netns.enable
            if machine.revision.returns_after_aborted_calc_phase and aborted:
                return
    while True:
        if machine.interleaved and kd.id == 0:
            yield READ_TEMP_LIST
        if kd.id == 0 and netns.est_temp_list.next is not None:
            yield from drain_temp_list(machine, task)
        if machine.interleaved:
            yield reads_stop_request(task)
        if task.should_stop:
            return
        now = jiffies(machine)
        gap = signed(kd.est_timer - now, params.word_bits)
        if gap > 0:
            if gap > tick:
                kd.est_timer = now - tick & mask
                gap = tick
            yield Sleep(gap, "ip_vs_estimation_kthread")
            if machine.revision.keeps_row_when_stopped_in_sleep and asked_to_stop(task):
                return
        elif gap < -CATCH_UP_TICKS * tick:
            kd.est_timer = now
        if machine.interleaved:
            yield FieldAccess(kd, "tick_len", write=False)
        if kd.tick_len[row]:
            yield from estimate_tick(machine, kd, task, row)
        row = (row + 1) % nticks
        if machine.interleaved and kd.id:
            # Kthread 0 reads est_row of the others.
            yield FieldAccess(kd, "est_row", write=True)
        kd.est_row = row
        kd.est_timer = kd.est_timer + tick & mask
        if machine.interleaved and kd.id:
            # set_current_state(TASK_IDLE), before it looks whether it is asked to stop; what
            # kthread 0 has stored since it last slept nobody else reads without a lock.
            yield SMP_MB
