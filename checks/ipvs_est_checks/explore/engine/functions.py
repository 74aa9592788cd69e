"""Where a thread is, in the kernel's names: its innermost suspended function."""

import json
from types import GeneratorType
from typing import cast

from ipvs_est.language.operation_json import operation_to_json
from ipvs_est.language.operations import Operation
from ipvs_est_checks.explore.engine.bodies import actor_body
from ipvs_est_checks.explore.engine.world import Thread

KERNEL_NAMES = {
    "add_kthread_context": "ip_vs_est_add_kthread",
    "calc_limits": "ip_vs_est_calc_limits",
    "calc_phase": "ip_vs_est_calc_phase",
    "count_packets": "ip_vs_in_stats",
    "destroy_context": "ip_vs_est_kthread_destroy",
    "drain_temp_list": "ip_vs_est_drain_temp_list",
    "estimate_tick": "ip_vs_tick_estimation",
    "estimation_kthread": "ip_vs_estimation_kthread",
    "exit_netns": "ip_vs_control_net_cleanup",
    "max_threads": "ip_vs_est_max_threads",
    "reload_work": "est_reload_work_handler",
    "request_restart": "ip_vs_est_reload_start",
    "start_estimator": "ip_vs_start_estimator",
    "start_kthread": "ip_vs_est_kthread_start",
    "stop_estimator": "ip_vs_stop_estimator",
    "stop_kthread": "ip_vs_est_kthread_stop",
    "sum_split": "ip_vs_chain_estimation",
    "sum_whole": "ip_vs_chain_estimation",
}
"""By name of a function of the model that may wait: the kernel's, as its docstring says too. A
table, since docstrings are gone under -OO."""


def place_of(thread: Thread) -> str:
    """The innermost function that has a name of the kernel's, or else the operation it is for."""
    place = thread.task.name
    body: object = thread.body
    while isinstance(body, GeneratorType) and body.gi_frame is not None:
        if body.gi_code is actor_body.__code__:
            place = _operation(body.gi_frame.f_locals)
        else:
            place = KERNEL_NAMES.get(body.gi_code.co_name, place)
        body = body.gi_yieldfrom
    return place


def operation_text(operation: Operation) -> str:
    """An operation as `write_cpulist text="0"`."""
    value = operation_to_json(operation)
    fields = [f"{name}={json.dumps(item)}" for name, item in value.items() if name != "op"]
    return " ".join([str(value["op"]), *fields])


def _operation(locals_: dict[str, object]) -> str:
    """What the control process with these local variables does now, or first."""
    operation = locals_.get("operation")
    if operation is None:
        operations = locals_["operations"]
        assert isinstance(operations, tuple)
        operation = operations[0] if operations else None
    # cast: a frame's local variables have no types; the caller named this one.
    return "" if operation is None else operation_text(cast("Operation", operation))
