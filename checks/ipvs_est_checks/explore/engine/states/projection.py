"""What the properties of states read of a machine, as one hashable value.

Two machines of the same parameters with equal projections are the same abstract state, so each
property says the same of both. It leaves out what no property reads: time, timers, clocks, the
heap's books, where tasks stand. A test compares with the properties themselves.
"""

from ipvs_est.machine.hlist import linked, nodes
from ipvs_est.machine.memory import Life
from ipvs_est.machine.tasks import Task, TaskState
from ipvs_est.state.kthread_context import KthreadContext
from ipvs_est.state.machine import Machine
from ipvs_est.state.stats import StatsObject

Projection = tuple[object, ...]


def projection(machine: Machine) -> Projection:
    """The abstract state of now."""
    netns = machine.netns
    work = netns.reload_work
    return (
        netns.enable,
        netns.est_stopped,
        netns.est_add_ktid,
        netns.est_max_threads,
        netns.est_chain_max,
        netns.est_calc_phase,
        netns.est_genid == netns.est_genid_done,
        netns.run_estimation,
        netns.est_cpulist_valid,
        netns.est_cpulist,
        work.pending,
        work.running is None,
        tuple([est.stats.id for est in nodes(netns.est_temp_list)]),
        tuple([None if kd is None else _context(kd) for kd in netns.est_kt_arr]),
        tuple([_object(object_id, stats) for object_id, stats in machine.objects.items()]),
    )


def _context(kd: KthreadContext) -> Projection:
    return (
        kd.id,
        kd.est_count,
        kd.est_max_count,
        kd.chain_max,
        kd.tick_max,
        kd.est_row,
        kd.avail,
        tuple(kd.tick_len),
        tuple(
            [
                None
                if td is None
                else (
                    td.row,
                    td.present,
                    td.full,
                    tuple(td.chain_len),
                    tuple([tuple([est.stats.id for est in nodes(chain)]) for chain in td.chains]),
                )
                for td in kd.ticks
            ]
        ),
        None if kd.task is None else _task(kd.task),
    )


def _task(task: Task) -> Projection:
    return (
        task.state is TaskState.EXITED,
        task.life is Life.FREED,
        task.should_stop,
    )


def _object(object_id: int, stats: StatsObject) -> Projection:
    est = stats.est
    place = linked(est), est.ktid, est.ktrow, est.ktcid
    return object_id, stats.owner, *place, est.last, stats.kstats
