"""Whether a scenario's setup can be done at all, so that a mistake in it is told in one line."""

import json

from ipvs_est import Oracle, Revision
from ipvs_est.language.input_error import InputError
from ipvs_est.language.operation_json import operation_to_json
from ipvs_est.language.operations import OperationError
from ipvs_est.language.violations import ViolationError, describe
from ipvs_est_checks.explore.scenarios.scenario import Scenario


def check_setup(scenario: Scenario, revision: Revision) -> None:
    """Do the setup once; raises InputError naming the operation that makes no sense there, or
    that breaks something on the revision before any task has begun."""
    oracle = Oracle(scenario.params, revision, raise_violations=True)
    for operation in scenario.setup:
        place = f"setup: {json.dumps(operation_to_json(operation))}"
        try:
            oracle.apply(operation)
        except OperationError as error:
            raise InputError(place, error.message) from None
        except ViolationError as error:
            reason = (
                f"breaks on {revision.name} before any task begins: {describe(error.violation)}"
            )
            raise InputError(place, reason) from None
        if oracle.ended:
            raise InputError(place, f"never returns on {revision.name}")
