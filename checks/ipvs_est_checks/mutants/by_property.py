"""Mutants for the properties that no mistake of the reviews breaks."""

from ipvs_est.language.revision import MAINLINE
from ipvs_est_checks.mutants.mutant import Engine, Mutant
from ipvs_est_checks.text_edits import Edit

COMPLETING: tuple[Mutant, ...] = (
    Mutant(
        "P-ktcid",
        "Enqueueing does not store ktcid.",
        MAINLINE,
        ("place.fields",),
        (Edit("estimator.enqueue:enqueue", "    est.ktcid = cid\n", ""),),
    ),
    Mutant(
        "P-chain-len",
        "Stopping an estimator leaves chain_len.",
        MAINLINE,
        ("counts.chain-len",),
        (Edit("estimator.start_stop:_unlink_from_chain", "    td.chain_len[cid] -= 1\n", ""),),
    ),
    Mutant(
        "P-tick-len",
        "Stopping an estimator leaves tick_len.",
        MAINLINE,
        ("counts.tick-len",),
        (Edit("estimator.start_stop:_unlink_from_chain", "    kd.tick_len[row] -= 1\n", ""),),
    ),
    Mutant(
        "P-est-count",
        "Stopping an estimator leaves est_count.",
        MAINLINE,
        ("counts.est-count",),
        (Edit("estimator.start_stop:_unlink_from_chain", "    kd.est_count -= 1\n", ""),),
    ),
    Mutant(
        "P-tick",
        "A tick without estimators is kept.",
        MAINLINE,
        ("counts.tick",),
        (Edit("estimator.start_stop:_unlink_from_chain", "if not kd.tick_len[row]:", "if False:"),),
        directed="kthread-0-empties",
    ),
    Mutant(
        "P-present",
        "Stopping a chain's last estimator leaves its present bit.",
        MAINLINE,
        ("bitmaps.present",),
        (
            Edit(
                "estimator.start_stop:_unlink_from_chain",
                "        td.present &= ~(1 << cid)\n",
                "        pass\n",
            ),
        ),
        directed="kthread-0-empties",
    ),
    Mutant(
        "P-full",
        "Stopping an estimator leaves its chain's full bit.",
        MAINLINE,
        ("bitmaps.full",),
        (Edit("estimator.start_stop:_unlink_from_chain", "    td.full &= ~(1 << cid)\n", ""),),
    ),
    Mutant(
        "P-avail",
        "Stopping an estimator does not make its row available.",
        MAINLINE,
        ("bitmaps.avail",),
        (Edit("estimator.start_stop:_unlink_from_chain", "    kd.avail |= 1 << row\n", ""),),
        directed="last-estimator-goes",
    ),
    Mutant(
        "P-chain-limit",
        "A chain is full with one estimator more than chain_max.",
        MAINLINE,
        ("limits.chain",),
        (
            Edit(
                "estimator.enqueue:enqueue",
                "if td.chain_len[cid] >= kd.chain_max:",
                "if td.chain_len[cid] > kd.chain_max:",
            ),
        ),
    ),
    Mutant(
        "P-tick-limit",
        "A chain is marked as full only when its tick is.",
        MAINLINE,
        ("limits.tick",),
        (
            Edit(
                "estimator.enqueue:enqueue",
                "if td.chain_len[cid] >= kd.chain_max:",
                "if kd.tick_len[row] > kd.tick_max:",
            ),
        ),
    ),
    Mutant(
        "P-limits",
        "The calc phase stores est_chain_max but does not apply it to kd 0.",
        MAINLINE,
        ("limits.computed",),
        (
            Edit(
                "estimator.calc_phase:_finish",
                "        apply_limits(machine.params, kd0, chain_max)\n",
                "",
            ),
        ),
        directed="no-time-passes",
    ),
    Mutant(
        "P-stopped",
        "A restart is requested without recomputing est_stopped.",
        MAINLINE,
        ("limits.stopped",),
        (
            Edit(
                "estimator.kthread_tasks:_request",
                "    yield from write_stopped(machine, est_stopped)\n",
                "",
            ),
        ),
        directed="run-estimation-off",
    ),
    Mutant(
        "P-add-ktid",
        "With all kthreads full est_add_ktid becomes est_max_threads, not est_kt_count.",
        MAINLINE,
        ("array.add-ktid",),
        (
            Edit(
                "estimator.contexts:choose_add_ktid",
                "    return lowest_empty_slot(machine)\n",
                "    return machine.netns.est_max_threads\n",
            ),
        ),
        directed="kthread-0-empties",
    ),
    Mutant(
        "P-room",
        "Stopping an estimator does not lower est_add_ktid.",
        MAINLINE,
        ("progress.room",),
        (
            Edit(
                "estimator.start_stop:stop_estimator",
                "            netns.est_add_ktid = min(netns.est_add_ktid, kd.id)\n",
                "",
            ),
        ),
        Engine.DIRECTED,
        directed="room-at-the-thread-limit",
    ),
    Mutant(
        "P-recalculation",
        "A completed calc phase does not clear est_calc_phase.",
        MAINLINE,
        ("progress.recalculation",),
        (
            Edit(
                "estimator.calc_phase:_finish",
                "        yield from write_calc_phase(machine, False)\n",
                "        pass\n",
            ),
        ),
        directed="no-time-passes",
    ),
    Mutant(
        "P-tasks",
        "The reload work does not start kthreads above 0.",
        MAINLINE,
        ("progress.tasks",),
        (
            Edit(
                "estimator.reload_work:reload_work",
                "            wanted = not (yield from read_calc_phase(machine))\n",
                "            wanted = False\n",
            ),
        ),
        directed="two-kthreads-restart",
    ),
    Mutant(
        "P-stop",
        "The reload work starts tasks although est_stopped is set.",
        MAINLINE,
        ("progress.stopped",),
        (
            Edit(
                "estimator.reload_work:reload_work",
                "if kd.task is not None or (yield from read_stopped(machine)):",
                "if kd.task is not None:",
            ),
        ),
        directed="run-estimation-off",
    ),
    Mutant(
        "P-relinked-row",
        "A relinked estimator gets a row after the wanted one.",
        MAINLINE,
        ("delay.relinked-row",),
        (
            Edit(
                "estimator.enqueue:choose_row",
                "    row = find_next_bit(avail, nticks, crow)\n",
                "    row = find_next_bit(avail, nticks, crow + 1)\n",
            ),
        ),
        directed="limits-shrink",
    ),
    Mutant(
        "P-timer",
        "A kthread takes two ticks for each row.",
        MAINLINE,
        ("delay.first",),
        (
            Edit("estimator.kthread:estimation_kthread", "if gap > tick:", "if gap > 2 * tick:"),
            Edit(
                "estimator.kthread:estimation_kthread",
                "kd.est_timer = kd.est_timer + tick & mask",
                "kd.est_timer = kd.est_timer + 2 * tick & mask",
            ),
        ),
        directed="default-geometry",
    ),
    Mutant(
        "P-period",
        "A gap of just one tick is taken for one that is too long.",
        MAINLINE,
        ("delay.period",),
        (
            Edit(
                "estimator.kthread:estimation_kthread",
                "            if gap > tick:\n",
                "            if gap >= tick:\n",
            ),
        ),
        directed="last-estimator-goes",
    ),
    Mutant(
        "P-closest",
        "A task that starts catches up with eight ticks at once.",
        MAINLINE,
        ("delay.closest",),
        (
            Edit(
                "estimator.kthread_tasks:start_kthread",
                "    if abs(gap) > START_GAP_TICKS * params.tick_jiffies:\n"
                "        kd.est_timer = now\n",
                "    kd.est_timer = now - 8 * params.tick_jiffies & params.jiffies_mask\n",
            ),
        ),
        Engine.DIRECTED,
        directed="restart-after-a-revolution",
    ),
    Mutant(
        "P-published",
        "The thread limit is not tested when a context is added.",
        MAINLINE,
        ("limits.published",),
        (
            Edit(
                "estimator.contexts:_add_locked",
                "if (yield from _at_thread_limit(machine, under_est_mutex=True)):",
                "if False:",
            ),
        ),
        Engine.DIRECTED,
        directed="room-at-the-thread-limit",
    ),
    Mutant(
        "P-enabled",
        "The reload work does not test enable.",
        MAINLINE,
        ("tasks.enabled",),
        (
            Edit(
                "estimator.reload_work:reload_work",
                "        if not (yield from read_enable(machine)):\n"
                "            break\n"
                "        kd =",
                "        kd =",
            ),
            Edit(
                "estimator.reload_work:reload_work",
                "                if not (yield from read_enable(machine)):\n"
                "                    break\n",
                "",
            ),
        ),
        Engine.DIRECTED,
        directed="disable-with-work-pending",
    ),
    Mutant(
        "P-double-free",
        "A task frees itself when it exits, though a reference is held.",
        MAINLINE,
        ("memory.double-free",),
        (
            Edit(
                "estimator.kthread_tasks:exit_task",
                "    if task.serial and not task.references:\n",
                "    if task.serial:\n",
            ),
        ),
    ),
    Mutant(
        "P-leak",
        "A destination is freed without its stats.",
        MAINLINE,
        ("memory.leak",),
        (
            Edit(
                "control.services:_free_dest",
                "    if dest.stats is not None:\n        free(machine, dest.stats,"
                ' "ip_vs_dest_rcu_free")\n',
                "",
            ),
        ),
        directed="dest-from-the-trash",
    ),
    Mutant(
        "P-range",
        "Kthread 0 goes on after an aborted calc phase (D01).",
        MAINLINE,
        ("bitmaps.in-range",),
        (
            Edit(
                "estimator.kthread:estimation_kthread",
                "            if machine.revision.returns_after_aborted_calc_phase and aborted:\n",
                "            if False:\n",
            ),
        ),
        Engine.DIRECTED,
        directed="disable-in-limits-test",
    ),
    Mutant(
        "P-pointer",
        "The error path of adding a service unbinds the scheduler twice (D09).",
        MAINLINE,
        ("memory.pointer",),
        (
            Edit(
                "control.services:_add_service",
                "        if not machine.revision.unbinds_scheduler_once:\n",
                "        if True:\n",
            ),
        ),
        Engine.DIRECTED,
        directed="first-service-fails",
    ),
    Mutant(
        "P-division",
        "A test that took no time is not repeated with more loops.",
        MAINLINE,
        ("limits.division",),
        (Edit("estimator.calc_limits:measured", "if diff <= MIN_DIFF_NS:", "if False:"),),
        Engine.DIRECTED,
        directed="no-time-passes",
    ),
    Mutant(
        "P-known",
        "Kthread 0 does not ask for a calc phase before its first drain.",
        MAINLINE,
        ("limits.known",),
        (
            Edit(
                "estimator.kthread:estimation_kthread",
                "            yield from write_calc_phase(machine, True)\n",
                "            pass\n",
            ),
        ),
        directed="no-time-passes",
    ),
    Mutant(
        "P-zero",
        "Zeroing also forgets the sums from which the next rate is taken.",
        MAINLINE,
        ("rates.sums",),
        (
            Edit(
                "state.stats:zero",
                "    stats.est.last = stats.kstats\n",
                "    stats.est.last = ZERO\n",
            ),
        ),
        Engine.DIRECTED,
        directed="zero-after-traffic",
    ),
    Mutant(
        "P-longest",
        "A kthread that was late in its sleep leaves a row out.",
        MAINLINE,
        ("delay.longest",),
        (
            Edit(
                "estimator.kthread:estimation_kthread",
                "        if kd.tick_len[row]:\n",
                "        if kd.tick_len[row] and kd.est_timer // tick % (nticks + 1):\n",
            ),
        ),
        directed="load-ends",
    ),
    Mutant(
        "P-goal",
        "Twice as many estimators as fit are put into a chain.",
        MAINLINE,
        ("load.chain",),
        (
            Edit(
                "estimator.calc_limits:measured",
                "CHAIN_GOAL_NS // min_est if",
                "2 * CHAIN_GOAL_NS // min_est if",
            ),
        ),
    ),
    Mutant(
        "P-tick-load",
        "The goal of a chain is in ns, the measured cost is taken as us.",
        MAINLINE,
        ("load.tick",),
        (
            Edit(
                "estimator.calc_limits:measured",
                "CHAIN_GOAL_NS // min_est if",
                "CHAIN_GOAL_NS * 1000 // min_est if",
            ),
        ),
    ),
    Mutant(
        "P-cpu-load",
        "Twice as many kthreads as a CPU has room for are allowed.",
        MAINLINE,
        ("load.cpus",),
        (
            Edit(
                "estimator.thread_limits:max_threads",
                "machine.params.cpu_kthreads *",
                "2 * machine.params.cpu_kthreads *",
            ),
        ),
        Engine.DIRECTED,
        directed="default-geometry",
    ),
    Mutant(
        "P-weight",
        "The average moves by an eighth of its distance to the rate.",
        MAINLINE,
        ("rates.average",),
        (Edit("state.rates:average", "step >> 2", "step >> 3"),),
        Engine.DIRECTED,
        directed="constant-load",
    ),
    Mutant(
        "P-converges",
        "The average moves by a sixteenth of its distance to the rate.",
        MAINLINE,
        ("rates.converges",),
        (Edit("state.rates:average", "step >> 2", "step >> 4"),),
        Engine.DIRECTED,
        directed="constant-load",
    ),
    Mutant(
        "P-sign",
        "The distance to the rate is shifted as an unsigned number.",
        MAINLINE,
        ("rates.range",),
        (Edit("state.rates:average", "if step >= U64_SIGN:", "if False:"),),
        Engine.DIRECTED,
        directed="load-ends",
    ),
    Mutant(
        "P-rounding",
        "The average is rounded up.",
        MAINLINE,
        ("rates.error",),
        (Edit("state.rates:average", "step >> 2", "step + 3 >> 2"),),
        Engine.DIRECTED,
        directed="constant-load",
    ),
    Mutant(
        "P-last",
        "The last sums are kept when they are lower than before.",
        MAINLINE,
        ("rates.nothing-lost",),
        (
            Edit(
                "state.stats:estimate",
                "        est.last = sums\n",
                "        est.last = max(sums, est.last)\n",
            ),
        ),
        Engine.DIRECTED,
        directed="counters-wrap",
    ),
    Mutant(
        "P-order",
        "The calc phase takes the service mutex before it releases est_mutex.",
        MAINLINE,
        ("locks.order",),
        (
            Edit(
                "estimator.calc_phase:calc_phase",
                "        yield machine.unlock_est\n"
                "        if not done:\n"
                "            return\n"
                "        yield machine.lock_service\n",
                "        if not done:\n"
                "            yield machine.unlock_est\n"
                "            return\n"
                "        yield machine.lock_service\n"
                "        yield machine.unlock_est\n",
            ),
        ),
    ),
    Mutant(
        "P-lists",
        "An object is deleted without the service mutex.",
        MAINLINE,
        ("locks.lists",),
        (
            Edit("control.estimator_objects:stop_object", "    yield machine.lock_service\n", ""),
            Edit("control.estimator_objects:stop_object", "    yield machine.unlock_service\n", ""),
        ),
    ),
    Mutant(
        "P-service-fields",
        "The drain releases the service mutex while it adds a kthread context.",
        MAINLINE,
        ("locks.service-fields",),
        (
            Edit(
                "estimator.drain:drain_temp_list",
                "                added = yield from add_kthread_context(machine)\n",
                "                yield machine.unlock_service\n"
                "                added = yield from add_kthread_context(machine)\n"
                "                yield machine.lock_service\n",
            ),
        ),
        directed="two-kthreads-restart",
    ),
    Mutant(
        "P-est-fields",
        "est_nice is written without est_mutex.",
        MAINLINE,
        ("locks.est-fields",),
        (
            Edit("control.sysctl:set_nice", "    yield machine.lock_est\n", ""),
            Edit("control.sysctl:set_nice", "    yield machine.unlock_est\n", ""),
        ),
        directed="two-kthreads-restart",
    ),
    Mutant(
        "P-sysctl-kept",
        "The number of a write to est_nice at an offset is stored all the same.",
        MAINLINE,
        ("limits.sysctl-kept",),
        (Edit("control.sysctl:set_nice", "value = yield from", "yield from"),),
        Engine.DIRECTED,
        directed="nice-at-an-offset",
    ),
    Mutant(
        "P-dest",
        "A destination taken out of the trash is not entered into its service.",
        MAINLINE,
        ("memory.dest",),
        (
            Edit(
                "control.services:_add_trashed_dest",
                "    _publish(machine, dest, service, stats)\n",
                "",
            ),
        ),
        directed="dest-from-the-trash",
    ),
)
