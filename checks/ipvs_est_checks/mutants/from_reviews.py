"""The mistakes found in reviews, planted again (known defects, section 2, and D02)."""

from ipvs_est.language.revision import MAINLINE, REPAIRED, STABLE
from ipvs_est_checks.mutants.mutant import Engine, Mutant
from ipvs_est_checks.text_edits import Edit

REVIEWED: tuple[Mutant, ...] = (
    Mutant(
        "D02",
        "A kthread that exits by itself is joined through a dangling pointer: starting it takes"
        " no reference.",
        STABLE,
        ("tasks.referenced",),
        (
            Edit(
                "estimator.kthread_tasks:start_kthread",
                "        task.references = 1\n",
                "        task.references = 0\n",
            ),
        ),
        Engine.DIRECTED,
        directed="exit-in-limits-test",
    ),
    Mutant(
        "D20",
        "Deletion waits, a jiffy at a time, for a kthread that gave way inside a tick.",
        MAINLINE,
        ("locks.deletion",),
        (
            Edit(
                "estimator.start_stop:stop_estimator",
                "        _unlink_from_chain(machine, kd, est, place)\n",
                "        from ipvs_est.machine.points import Sleep\n"
                "        from ipvs_est.machine.tasks import TaskState\n"
                "        inside = (TaskState.RUNNABLE, TaskState.RUNNING)\n"
                "        if kd.task is not None and kd.task.state in inside:\n"
                "            yield Sleep(1, _STOP)\n"
                "        _unlink_from_chain(machine, kd, est, place)\n",
            ),
        ),
        Engine.SCHEDULES,
        scenario="two-control-processes",
        preemptions=1,
    ),
    Mutant(
        "D21",
        "An estimator that fails to start is not reported: its object comes to exist.",
        MAINLINE,
        ("place.start",),
        (
            Edit(
                "control.estimator_objects:start_object",
                "        error = yield from start_estimator(machine, stats.est)\n",
                "        yield from start_estimator(machine, stats.est)\n",
            ),
        ),
        Engine.DIRECTED,
        directed="first-start-fails",
    ),
    Mutant(
        "D22",
        "When no context can be added, the first kthread is overfilled.",
        MAINLINE,
        ("limits.kthread",),
        (
            Edit(
                "estimator.drain:drain_temp_list",
                "error = added if isinstance(added, int) else enqueue(machine, added, est)\n",
                "if isinstance(added, int):\n"
                "                    added = netns.est_kt_arr[0]\n"
                "                    added.avail |= 1 << added.est_row\n"
                "                    if added.ticks[added.est_row] is not None:\n"
                "                        added.ticks[added.est_row].full = 0\n"
                "                error = enqueue(machine, added, est)\n",
            ),
        ),
        Engine.DIRECTED,
        directed="room-at-the-thread-limit",
    ),
    Mutant(
        "D23",
        "est_add_ktid is not reset when the last estimator goes.",
        MAINLINE,
        ("array.add-ktid-usable",),
        (
            Edit(
                "estimator.start_stop:_release_kd0",
                "        yield machine.unlock_est\n    netns.est_add_ktid = 0\n",
                "        yield machine.unlock_est\n",
            ),
        ),
        Engine.DIRECTED,
        directed="last-estimator-goes",
    ),
    Mutant(
        "D24",
        "Only one trailing empty slot is trimmed.",
        MAINLINE,
        ("array.trailing-hole",),
        (Edit("estimator.contexts:trim_array", "    while len", "    if len"),),
        Engine.DIRECTED,
        directed="kthreads-go-in-order",
    ),
    Mutant(
        "D30",
        "The search at or below the wanted row is skipped for row 0.",
        MAINLINE,
        ("delay.new-row",),
        (
            Edit(
                "estimator.enqueue:choose_row",
                "        row = find_last_bit_upto(avail, nticks, crow)\n",
                "        row = find_last_bit_upto(avail, nticks, crow) if crow else nticks\n",
            ),
        ),
        directed="recalculated-in-each-row",
    ),
    Mutant(
        "D31",
        "Starting an estimator returns garbage on success: the object is undone, its"
        " estimator stays linked.",
        MAINLINE,
        ("place.start",),
        (
            Edit(
                "estimator.start_stop:start_estimator",
                "    return 0\n",
                "    return -netns.est_genid\n",
            ),
        ),
    ),
    Mutant(
        "D33",
        "The thread limit is not tied to the CPUs for kthreads.",
        MAINLINE,
        ("limits.max-threads",),
        (
            Edit(
                "estimator.thread_limits:max_threads",
                "len(cpus)",
                "machine.params.possible_cpus",
            ),
        ),
        directed="writer-with-one-cpu",
    ),
    Mutant(
        "D34",
        "Writing est_cpulist does not request a calc phase.",
        MAINLINE,
        ("limits.requested",),
        (
            Edit(
                "control.sysctl:set_cpulist",
                "    yield from write_calc_phase(machine, True)\n",
                "",
            ),
        ),
        directed="writer-with-one-cpu",
    ),
    Mutant(
        "D35",
        "The writer's own CPUs do not restrict est_cpulist.",
        MAINLINE,
        ("limits.cpulist",),
        (Edit("control.sysctl:write_cpulist", "cpus & allowed", "cpus"),),
        directed="writer-with-one-cpu",
    ),
    Mutant(
        "D36",
        "kd 0 is released with its last estimator, though others are left.",
        MAINLINE,
        ("array.kd0",),
        (
            Edit(
                "estimator.start_stop:stop_estimator",
                "        if kd.id > 0:\n",
                "        if True:\n",
            ),
        ),
        Engine.DIRECTED,
        directed="kthread-0-empties",
    ),
    Mutant(
        "D50",
        "Relinked estimators want the delay of a new one.",
        MAINLINE,
        ("delay.remaining",),
        (
            Edit(
                "estimator.calc_phase:_relink",
                "    est.ktrow = delay\n",
                "    est.ktrow = delay = machine.params.nticks - 1\n",
            ),
        ),
        directed="limits-shrink",
    ),
    Mutant(
        "D51",
        "The calc phase does not move the total to the head of est_temp_list.",
        MAINLINE,
        ("place.total",),
        (
            Edit(
                "estimator.calc_phase:_finish",
                "    move_total_to_head(netns)\n",
                "",
            ),
        ),
        directed="limits-shrink",
    ),
    Mutant(
        "D53-reader",
        "32-bit: a kthread reads the counters without looking at the seqcount.",
        MAINLINE,
        ("readers.group", "readers.counter"),
        (
            Edit("state.seqcount:read_group", "if before & 1:", "if False:"),
            Edit("state.seqcount:read_group", "if words[SYNCP] == before:", "if True:"),
        ),
        Engine.SCHEDULES,
        scenario="packets-while-kthreads-read",
        preemptions=2,
    ),
    Mutant(
        "D53-writer",
        "32-bit: packets are counted without a write section.",
        MAINLINE,
        ("readers.group",),
        (
            Edit(
                "state.seqcount:count_split",
                "        words = cpustats[cpu] = [0] * (WORDS + 1)\n"
                "    yield WordAccess(cpu, SYNCP, write=True)\n"
                "    words[SYNCP] = words[SYNCP] + 1 & U32_MASK\n",
                "        words = cpustats[cpu] = [0] * (WORDS + 1)\n",
            ),
            Edit(
                "state.seqcount:count_split",
                "    yield WordAccess(cpu, SYNCP, write=True)\n"
                "    words[SYNCP] = words[SYNCP] + 1 & U32_MASK\n"
                "    return 0\n",
                "    return 0\n",
            ),
        ),
        Engine.SCHEDULES,
        scenario="packets-while-kthreads-read",
        preemptions=2,
    ),
    Mutant(
        "D53-init",
        "32-bit: syncp is not initialised and happens to be odd: a kthread reads for ever.",
        MAINLINE,
        ("locks.deadlock",),
        (Edit("state.seqcount:count_split", "[0] * (WORDS + 1)", "[0] * WORDS + [1]"),),
        Engine.DIRECTED,
        directed="traffic-and-a-revolution",
    ),
    Mutant(
        "R1",
        "Kthreads above 0 run on while estimators are relinked: neither the reload work nor the"
        " calc phase keeps them stopped.",
        MAINLINE,
        ("readers.moved",),
        (
            Edit(
                "estimator.calc_phase:calc_phase",
                "        done = yield from _stop_other_tasks(machine, task)\n",
                "        done = True\n",
            ),
            # Alone, the other edit shows nothing: the reload work has stopped them already.
            Edit(
                "estimator.reload_work:reload_work",
                "            wanted = not (yield from read_calc_phase(machine))\n",
                "            wanted = True\n",
            ),
        ),
        Engine.DIRECTED,
        directed="thread-limit-shrinks",
    ),
    Mutant(
        "R2",
        "Stats are freed at once, not from an RCU callback.",
        MAINLINE,
        ("memory.use-after-free",),
        (
            Edit(
                "control.estimator_objects:free_stats_later",
                "    stats.life = Life.WAITING\n"
                '    call_rcu(machine.rcu, lambda: free(machine, stats, "ip_vs_stats_rcu_free"))\n',
                '    free(machine, stats, "ip_vs_stats_free")\n',
            ),
        ),
        Engine.SCHEDULES,
        scenario="exit-under-packets",
        preemptions=1,
    ),
    Mutant(
        "R3",
        "Kthreads above 0 take est_mutex for each tick.",
        MAINLINE,
        ("locks.kthreads",),
        (
            Edit(
                "estimator.estimate_tick:estimate_tick",
                "    yield RCU_READ_LOCK\n",
                "    if kd.id:\n"
                "        yield machine.lock_est\n"
                "        yield machine.unlock_est\n"
                "    yield RCU_READ_LOCK\n",
            ),
        ),
        directed="two-kthreads-restart",
    ),
    Mutant(
        "R4-genid",
        "est_calc_phase is cleared although est_genid has changed meanwhile.",
        MAINLINE,
        ("progress.not-lost",),
        (
            Edit(
                "estimator.calc_phase:_finish",
                "    if netns.est_genid == genid:\n",
                "    if True:\n",
            ),
        ),
        Engine.SCHEDULES,
        scenario="cpulist-in-calc-phase",
        preemptions=1,
    ),
    Mutant(
        "R4-count",
        "est_genid is no atomic counter: it is read, and then one more is stored.",
        STABLE,
        ("progress.not-lost",),
        (
            Edit(
                "state.shared_fields:count_genid",
                "    machine.netns.est_genid += 1\n",
                "    genid = machine.netns.est_genid\n"
                "    yield COUNT_GENID\n"
                "    machine.netns.est_genid = genid + 1\n",
            ),
        ),
        Engine.SCHEDULES,
        scenario="first-service-and-two-writers",
        preemptions=1,
    ),
    Mutant(
        "R4-barrier",
        "No full barrier after est_calc_phase is set: the store may come after est_genid is read.",
        MAINLINE,
        (),
        (
            Edit(
                "estimator.kthread:estimation_kthread",
                "            yield SMP_MB\n        if (yield from read_calc_phase(machine)):\n",
                "            pass\n        if (yield from read_calc_phase(machine)):\n",
            ),
        ),
        Engine.BUFFERS,
        reason="kthread 0 takes est_mutex after it has read est_genid and before anything depends"
        " on est_calc_phase; who changes est_genid holds est_mutex, and all others store 1",
        scenario="cpulist-in-calc-phase",
        preemptions=1,
    ),
    Mutant(
        "R5",
        "The reload work starts kthreads above 0 during the calc phase.",
        MAINLINE,
        ("tasks.relinking",),
        (
            Edit(
                "estimator.reload_work:reload_work",
                "            wanted = not (yield from read_calc_phase(machine))\n",
                "            wanted = True\n",
            ),
        ),
        Engine.SCHEDULES,
        scenario="memory-runs-out-in-recalculation",
        preemptions=1,
    ),
    Mutant(
        "R6-enable",
        "Netns exit clears enable last.",
        # On mainline the same property is broken without it (F16).
        REPAIRED,
        ("tasks.enabled",),
        (
            Edit("control.netns_life:disable", "    machine.netns.enable = False\n", "    pass\n"),
            Edit(
                "control.netns_life:_release_estimators",
                "    netns.est_kt_arr.clear()\n",
                "    netns.est_kt_arr.clear()\n    netns.enable = False\n",
            ),
        ),
        Engine.SCHEDULES,
        scenario="exit-and-sysctl",
        preemptions=1,
    ),
    Mutant(
        "R6-order",
        "Netns exit frees the contexts before it cancels the reload work.",
        MAINLINE,
        ("memory.use-after-free",),
        (
            Edit("control.netns_life:_release_estimators", "    yield CANCEL_WORK\n", ""),
            Edit(
                "control.netns_life:_release_estimators",
                "    netns.est_kt_arr.clear()\n",
                "    yield CANCEL_WORK\n    netns.est_kt_arr.clear()\n",
            ),
        ),
        Engine.SCHEDULES,
        scenario="exit-and-sysctl",
    ),
    Mutant(
        "R7-slot",
        "After the break of the calc phase its slot is not tested against est_kt_count.",
        MAINLINE,
        ("bitmaps.in-range",),
        (
            Edit(
                "estimator.calc_phase:_relink_row",
                "                return _Next.LAST_KD\n",
                "                from ipvs_est.state.machine import report\n"
                "                from ipvs_est.language.violations import IndexOutOfRange\n"
                "                count = netns.est_kt_count\n"
                '                report(machine, IndexOutOfRange("est_kt_arr", walk.id, count,'
                " _WHERE))\n",
            ),
        ),
        Engine.SCHEDULES,
        scenario="break-in-recalculation",
    ),
    Mutant(
        "R7-kd",
        "After the break of the calc phase it is not tested whether the kd is the same.",
        MAINLINE,
        ("memory.use-after-free",),
        (
            Edit(
                "estimator.calc_phase:_relink_row",
                "            if netns.est_kt_arr[walk.id] is not kd:\n"
                "                return _Next.KD\n",
                "",
            ),
        ),
        Engine.SCHEDULES,
        scenario="delete-from-three-kthreads",
        preemptions=1,
    ),
    Mutant(
        "R7-tick",
        "After the break of the calc phase it is not tested whether the tick is the same.",
        MAINLINE,
        ("memory.use-after-free",),
        (
            Edit(
                "estimator.calc_phase:_relink_row",
                "            if kd.ticks[row] is not td:\n                return _Next.KD\n",
                "",
            ),
        ),
        Engine.SCHEDULES,
        scenario="break-in-recalculation",
    ),
)
