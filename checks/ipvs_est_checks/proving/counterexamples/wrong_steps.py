"""The wrong steps of the induction's twins, as edits of the model."""

from collections.abc import Mapping

from ipvs_est_checks.text_edits import Edit

_STOP = "estimator.start_stop:stop_estimator"
_UNLINK = "estimator.start_stop:_unlink_from_chain"
_ENQUEUE = "estimator.enqueue:enqueue"

_KEEPS_FULL_KD = Edit(
    _ENQUEUE,
    "    if kd.est_count == kd.est_max_count:\n"
    "        netns.est_add_ktid = choose_add_ktid(machine)\n",
    "",
)
_KEEPS_ADD_KTID_AT_EXIT = Edit(
    "control.netns_life:cleanup_estimators", "    netns.est_add_ktid = 0\n", ""
)
_KEEPS_MAX_THREADS = Edit(
    "control.sysctl:set_cpulist", "    yield from write_max_threads(machine, threads)\n", ""
)

WRONG_STEPS: Mapping[str, tuple[Edit, ...]] = {
    "place.one-list": (
        Edit(
            _STOP,
            "    if place.ktid == TEMP_LIST_KTID:\n        unlink(est)\n",
            "    if place.ktid == TEMP_LIST_KTID:\n        pass\n",
        ),
    ),
    "place.fields": (Edit(_ENQUEUE, "    est.ktcid = cid\n", ""),),
    "place.total": (Edit(_ENQUEUE, "    est.ktid = kd.id\n", ""),),
    "counts.chain-len": (
        Edit(
            _UNLINK,
            "    td.chain_len[cid] -= 1\n    if not td.chain_len[cid]:\n",
            "    if td.chain_len[cid] == 1:\n",
        ),
    ),
    "counts.tick-len": (
        Edit(_ENQUEUE, "    kd.tick_len[row] += 1\n", ""),
        Edit(
            _ENQUEUE,
            "if kd.tick_len[row] >= kd.tick_max:",
            "if kd.tick_len[row] + 1 >= kd.tick_max:",
        ),
    ),
    "counts.est-count": (Edit(_UNLINK, "    kd.est_count -= 1\n", ""),),
    "counts.tick": (
        Edit(
            _UNLINK,
            "        kd.ticks[row] = None\n        free_tick_later(machine, td)\n",
            "        pass\n",
        ),
    ),
    "bitmaps.present": (Edit(_UNLINK, "        td.present &= ~(1 << cid)\n", "        pass\n"),),
    "bitmaps.full": (Edit(_UNLINK, "    td.full &= ~(1 << cid)\n", ""),),
    "bitmaps.avail": (Edit(_UNLINK, "    kd.avail |= 1 << row\n", ""),),
    # These are taken when they must not be, or as an older revision takes them.
    "limits.chain": (),
    "limits.tick": (),
    "limits.kthread": (),
    "limits.known": (),
    "limits.threads": (),
    "array.kd0": (),
    "aux.total": (),
    "limits.computed": (
        Edit(
            "state.kthread_context:apply_limits",
            "    kd.tick_max = params.tick_chains * kd.chain_max\n"
            "    kd.est_max_count = params.nticks * kd.tick_max\n",
            "    kd.est_max_count = params.nticks * params.tick_chains * kd.chain_max\n",
        ),
    ),
    "limits.max-threads": (_KEEPS_MAX_THREADS,),
    "limits.stopped": (
        Edit(
            "estimator.kthread_tasks:_request",
            "    yield from write_stopped(machine, est_stopped)\n",
            "",
        ),
    ),
    "array.trailing-hole": (Edit(_STOP, "            trim_array(machine)\n", ""),),
    "array.add-ktid": (
        Edit(
            _STOP,
            "            if netns.est_add_ktid == kd.id:\n"
            "                netns.est_add_ktid = choose_add_ktid(machine)\n",
            "",
        ),
    ),
    "array.add-ktid-usable": (_KEEPS_FULL_KD,),
    "aux.room": (_KEEPS_FULL_KD,),
    "aux.one-slot": (_KEEPS_ADD_KTID_AT_EXIT,),
    "aux.empty-array": (_KEEPS_ADD_KTID_AT_EXIT,),
    "aux.full": (Edit(_UNLINK, "    td.full &= ~(1 << cid)\n", ""),),
    "aux.lowest": (
        Edit(
            _STOP,
            "            netns.est_add_ktid = min(netns.est_add_ktid, kd.id)\n"
            "            if machine.revision.stop_prefers_room_to_holes and"
            " usable_context(netns) is None:\n"
            "                netns.est_add_ktid = choose_add_ktid(machine)\n",
            "",
        ),
    ),
    "aux.threads": (_KEEPS_MAX_THREADS,),
}
"""By invariant; () = the model is not changed."""
