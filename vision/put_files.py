"""Files that replace older ones: written whole beside their place, then put there in one step.

One writer at a time in a folder; what a killed one left beside is overwritten by the next.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from models.problems import InputError

try:
    import fcntl
except ImportError:  # Windows has none: two writers at once are not kept apart there
    fcntl = None


@contextlib.contextmanager
def one_writer(folder: Path) -> Iterator[None]:
    """Keep other writers of this machine out of a folder; made where it is missing.

    Raises:
        InputError: If it cannot be made.
    """
    with _told(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        if fcntl is not None:
            with contextlib.suppress(OSError):  # some network folders know no locks
                held = os.open(folder, os.O_RDONLY)
                stack.callback(os.close, held)
                fcntl.flock(held, fcntl.LOCK_EX)
        yield


class WrittenAside:
    """A whole file beside the place where it is to stand; see `written_aside`."""

    def __init__(self, path: Path) -> None:
        """Not written yet; a link is followed, so that it stays one."""
        self._named = path
        with _told(path):
            self._path = Path(os.path.realpath(path))
        self._aside = self._path.with_name(f".{self._path.name}.part")

    def write(self, content: bytes) -> None:
        """Write and make it last; the rights of an older file are kept."""
        with _told(self._named):
            if self._path.is_dir():
                raise IsADirectoryError(None, "a folder of that name stands there")
            with self._aside.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())  # else a power cut may leave the new name with nothing in it
            if self._path.exists():
                self._aside.chmod(stat.S_IMODE(self._path.stat().st_mode))

    def put(self) -> None:
        """Put it in place."""
        with _told(self._named):
            os.replace(self._aside, self._path)

    def drop(self) -> None:
        """Remove what was not put."""
        with contextlib.suppress(OSError):
            self._aside.unlink()


@contextlib.contextmanager
def written_aside(path: Path, content: str | bytes) -> Iterator[WrittenAside]:
    """Write a file beside its place; what is not `put` by the end of the block is removed.

    Args:
        path: Where it is to stand; its folder is there (see `one_writer`).
        content: All of it.

    Raises:
        InputError: If it cannot be written.
    """
    file = WrittenAside(path)
    try:
        file.write(content.encode() if isinstance(content, str) else content)
        yield file
    finally:
        file.drop()


def put_file(path: Path, content: str | bytes) -> None:
    """Write one file, in place of an older one.

    Raises:
        InputError: If it cannot be written; an older one stays as it was.
    """
    with one_writer(path.parent), written_aside(path, content) as file:
        file.put()


def surely_written(path: Path) -> None:
    """Make sure that a file can be put there later; one that stands there stays as it is.

    Raises:
        InputError: If it cannot be written.
    """
    with one_writer(path.parent), written_aside(path, b""):
        pass  # dropped: it was not put


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:  # ValueError: a name with a null character
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(f"{path} cannot be written ({reason}); choose another place.") from error
