"""Input that cannot be used."""


class InputError(ValueError):
    """Malformed data from outside; `.field` is the path of the culprit, or ''."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.field = field
        self.message = message

    def __reduce__(self) -> tuple[object, ...]:
        # Makes the error pass between processes.
        return type(self), (self.field, self.message)


def join(path: str, name: str) -> str:
    """The path of a member of the object at `path`."""
    return f"{path}.{name}" if path else name
