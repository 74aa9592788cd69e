"""The option that names a subject."""

from ipvs_est_checks.history.subject_failure import SubjectError
from ipvs_est_checks.subjects.keeper import Keeper, running
from ipvs_est_checks.terminal.bad_input import BadInputError
from ipvs_est_checks.terminal.printable import printable


def started_keeper(name: str, seconds: float) -> Keeper:
    """The subject, started: what cannot be started is bad input."""
    keeper = Keeper(name, seconds)
    try:
        running(keeper)
    except (OSError, ValueError, SubjectError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BadInputError(f"--subject {printable(name)}: {printable(why)}") from None
    return keeper
