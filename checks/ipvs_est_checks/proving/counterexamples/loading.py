"""A machine of the model in a state that a proof has found."""

from ipvs_est import Params, Revision
from ipvs_est.machine.hlist import add_head
from ipvs_est.state.kthread_context import KthreadContext, Tick, new_context, new_tick
from ipvs_est.state.machine import Machine, allocate, boot, jiffies
from ipvs_est.state.netns import Cpumask
from ipvs_est.state.stats import StatsObject
from ipvs_est_spec.proof.inductive import concrete
from ipvs_est_spec.proof.inductive.concrete import Concrete


def loaded(state: Concrete, revision: Revision) -> Machine:
    """No task, and nobody holds a mutex; the estimator that the step is about comes first on the
    temp list."""
    params = state.params
    machine = boot(params, revision)
    netns = machine.netns
    netns.enable = state.enable
    netns.est_stopped = state.est_stopped
    netns.est_calc_phase = state.est_calc_phase
    netns.run_estimation = state.run_estimation
    netns.est_add_ktid = state.est_add_ktid
    netns.est_max_threads = state.est_max_threads
    netns.est_chain_max = state.est_chain_max
    if state.cpulist_valid:
        netns.est_cpulist_mask = Cpumask()
        allocate(machine, netns.est_cpulist_mask)
        netns.est_cpulist_valid = True
        netns.est_cpulist = frozenset(range(state.kthread_cpus))
    netns.est_kt_arr = [None] * state.est_kt_count
    for context in state.contexts:
        netns.est_kt_arr[context.slot] = _context(machine, params, context)
    # Lists grow at the head.
    for est in sorted(state.estimators, key=lambda estimator: estimator.id == state.inputs.est):
        _estimator(machine, est)
    return machine


def stats_of(machine: Machine, est: concrete.ConcreteEstimator) -> StatsObject:
    """The estimator's object, also one that is not started."""
    known = machine.objects.get(est.id)
    return StatsObject(id=est.id, owner="dest") if known is None else known


def _context(machine: Machine, params: Params, given: concrete.ConcreteContext) -> KthreadContext:
    kd = new_context(params, given.slot, jiffies(machine), 0)
    kd.est_count = given.est_count
    kd.est_max_count = given.est_max_count
    kd.chain_max = given.chain_max
    kd.tick_max = given.tick_max
    kd.avail = given.avail
    kd.tick_len = list(given.tick_len)
    # Whether it is `needed` is not part of the state.
    kd.needed = True
    allocate(machine, kd)
    if given.slot == 0:
        kd.calc_stats = StatsObject(owner="calc")
        allocate(machine, kd.calc_stats)
    for tick in given.ticks:
        kd.ticks[tick.row] = _tick(machine, params, tick)
    return kd


def _tick(machine: Machine, params: Params, given: concrete.ConcreteTick) -> Tick:
    td = new_tick(params, given.row)
    td.present = given.present
    td.full = given.full
    td.chain_len = list(given.chain_len)
    allocate(machine, td)
    return td


def _estimator(machine: Machine, given: concrete.ConcreteEstimator) -> None:
    netns = machine.netns
    stats = StatsObject(id=given.id, owner="total" if given.is_total else "dest")
    allocate(machine, stats)
    est = stats.est
    est.ktid, est.ktrow, est.ktcid = given.ktid, given.ktrow, given.ktcid
    if given.is_object:
        machine.objects[given.id] = stats
    if given.is_total:
        netns.total = stats
    if given.waits:
        add_head(netns.est_temp_list, est)
    elif given.place is not None:
        slot, row, cid = given.place
        kd = netns.est_kt_arr[slot]
        td = None if kd is None else kd.ticks[row]
        assert td is not None, "an estimator's chain is one of a tick that there is"
        add_head(td.chains[cid], est)
