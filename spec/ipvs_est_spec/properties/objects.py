"""Objects by their ids: what is on record of an id may be of another object that had it before."""

from ipvs_est.language.events import StartReturned


class Objects:
    """Which objects the ids of a record name, as far as the record tells.

    An id names an address. A destination in the trash keeps its id, and under another service a
    new one may get that id meanwhile: of one that comes back from the trash it is then unknown
    which of the two it is.
    """

    __slots__ = ("_two", "_unknown")

    def __init__(self) -> None:
        self._two: dict[int, bool] = {}
        self._unknown: set[int] = set()

    def changed(self, event: StartReturned) -> bool:
        """Whether the id names, from here on, another object than before, or an unknown one. To
        be called with each start, in order."""
        if event.new:
            self._two[event.id] = event.id in self._two
            self._unknown.discard(event.id)
            return True
        if self._two.get(event.id, False):
            self._unknown.add(event.id)
            return True
        return False

    def known(self, object_id: int) -> bool:
        """Whether everything that happened to the object of this id is on record."""
        return object_id not in self._unknown
