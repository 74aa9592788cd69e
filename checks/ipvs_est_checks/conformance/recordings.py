"""The recorded traces that travel with the package, so that the model can be held to the kernel
wherever it is installed.

They are the files of tests/data/traces in one compressed archive; a test compares the two.
`python -m ipvs_est_checks.conformance.recordings DIRECTORY` packs a directory's traces anew.
"""

import sys
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from io import BytesIO
from pathlib import Path

ARCHIVE = "recordings.tar.xz"
SUFFIX = ".jsonl"


@dataclass(frozen=True, slots=True)
class Recording:
    """One recorded trace."""

    name: str
    """Its name as a file, such as `exit-1003.jsonl`."""
    data: bytes
    """What that file holds; see `ipvs_est.replay.replay_bytes`."""


@cache
def recordings() -> tuple[Recording, ...]:
    """All recordings of the package, sorted by name.

    Raises OSError if the package was installed without them, and tarfile.TarError or
    lzma.LZMAError if the archive is damaged.
    """
    archive = resources.files(__package__).joinpath(ARCHIVE)
    return unpack(archive.read_bytes())


def unpack(archive: bytes) -> tuple[Recording, ...]:
    """The recordings in an archive, sorted by name."""
    found: list[Recording] = []
    with tarfile.open(fileobj=BytesIO(archive), mode="r:xz") as tar:
        for member in tar:
            content = tar.extractfile(member)
            if content is not None:
                found.append(Recording(member.name, content.read()))
    return tuple(sorted(found, key=lambda recording: recording.name))


def pack(wanted: Iterable[Recording]) -> bytes:
    """An archive of recordings; equal ones give equal bytes, whoever packs them and when."""
    packed = BytesIO()
    with tarfile.open(
        fileobj=packed, mode="w:xz", format=tarfile.USTAR_FORMAT, preset=9
    ) as archive:
        for recording in sorted(wanted, key=lambda recording: recording.name):
            member = tarfile.TarInfo(recording.name)  # no owner, no time
            member.size = len(recording.data)
            archive.addfile(member, BytesIO(recording.data))
    return packed.getvalue()


def read_directory(directory: Path) -> tuple[Recording, ...]:
    """The traces in a directory, sorted by name."""
    files = sorted(directory.glob(f"*{SUFFIX}"))
    return tuple(Recording(file.name, file.read_bytes()) for file in files)


if __name__ == "__main__":
    Path(__file__).with_name(ARCHIVE).write_bytes(pack(read_directory(Path(sys.argv[1]))))
