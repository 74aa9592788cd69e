"""What is said of memory that cannot be read."""


class UnreadableError(Exception):
    """Input that is not what it has to be, or that may not be read: one line for the user."""


class UnmappedError(UnreadableError):
    """An address at which there is no memory."""


class TornError(UnreadableError):
    """What was read cannot be one state: damaged, or changed while it was read."""
