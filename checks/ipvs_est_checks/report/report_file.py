"""Report files that are there in full or not at all."""

import errno
import os
import stat
from pathlib import Path


def check_report_file(path: Path) -> None:
    """Raise OSError if `write_report_file` could not write there now; changes nothing."""
    if not _is_replaced(path):
        # Opening one end of a pipe waits for the other, so ask only.
        if not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, "Permission denied")
        return
    target = _target(path)
    if target.exists() and not os.access(target, os.W_OK):
        # It could be replaced all the same, but somebody protected it.
        raise PermissionError(errno.EACCES, "Permission denied")
    probe = _beside(target)
    probe.touch(exist_ok=False)
    probe.unlink()


def write_report_file(path: Path, text: str | bytes) -> None:
    """Write a file, by renaming if it is one; raises OSError, and then it is as it was."""
    data = text.encode() if isinstance(text, str) else text
    if not _is_replaced(path):
        path.write_bytes(data)
        return
    target = _target(path)
    temporary = _beside(target)
    try:
        with temporary.open("xb") as file:
            if target.exists():
                os.chmod(temporary, stat.S_IMODE(target.stat().st_mode))
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _is_replaced(path: Path) -> bool:
    """Whether it is a file or will be one; a device or a pipe is written to."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return True
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "Is a directory")
    return stat.S_ISREG(mode)


def _target(path: Path) -> Path:
    """What a symbolic link leads to: the link is to stay."""
    return Path(os.path.realpath(path))


def _beside(target: Path) -> Path:
    """A new name in the same directory, short enough for any file system."""
    return target.with_name(f".{os.urandom(8).hex()}.tmp")
