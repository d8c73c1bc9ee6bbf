"""Writing so that nothing half-written stays, and checksums."""

from __future__ import annotations

import errno
import hashlib
import os
import platform
import re
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from models.problems import InputError

REPORT_FILES = (
    "summary.json",
    "captures.parquet",
    "cells.parquet",
    "alarms.parquet",
    "curves.parquet",
    "report.html",
    "annotated.mp4",
)
"""What a report folder may hold; a folder with anything else in it is not an older report."""

LEFT_S = 86400.0
"""Age from which on a folder aside is taken as left behind where its program cannot be asked for: no
analysis lasts a day."""


def _machine() -> str:
    """Where process numbers mean the same: the machine, and on Linux its space of process numbers."""
    try:
        space = str(os.stat("/proc/self/ns/pid").st_ino)
    except OSError:
        space = ""
    return hashlib.sha256(f"{platform.node()} {space}".encode()).hexdigest()[:8]


_HERE = _machine()

_USER_CAN_MEND = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EACCES: "writing is not permitted",
    errno.EPERM: "writing is not permitted",
    errno.EROFS: "the disk is read-only",
    errno.EFBIG: "the disk does not take files of that size",
    errno.ENAMETOOLONG: "the name is too long",
    errno.ENOTDIR: "a file stands where a folder is needed",
    errno.EEXIST: "a file stands where a folder is needed",
}


@contextmanager
def atomic_folder(
    path: Path, *, products: Collection[str] = REPORT_FILES, what: str = "report"
) -> Iterator[Path]:
    """Fill a folder aside and put it in place at the end, in one step.

    Where the block raises, the folder made aside is removed and an older one stays as it was. An
    older folder is replaced only if nothing but products is in it. What a killed program left aside
    for the same place is removed.

    Args:
        path: Where the folder is to stand.
        products: Names of files that an older folder may hold and that may be lost.
        what: What the folder is, for messages.

    Yields:
        The empty folder to fill, beside ``path``.

    Raises:
        InputError: If ``path`` is a file or holds anything else, or the disk is full or not writable.
    """
    path = Path(os.path.abspath(path))
    _check_target(path, products, what)
    aside: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path)
        prefix = f".{path.name[:60]}.{_HERE}-{os.getpid()}."
        aside = Path(tempfile.mkdtemp(prefix=prefix, suffix=".part", dir=path.parent))
        yield aside
        aside.chmod(0o777 & ~_umask())
        _put_in_place(aside, path)
    except OSError as trouble:
        reason = _USER_CAN_MEND.get(trouble.errno or 0)
        if reason is None:
            raise
        raise InputError(
            f"{path} cannot be written: {reason}; mend that or choose another folder."
        ) from trouble
    finally:
        if aside is not None:
            shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def atomic_file(path: Path, *, keep: bool = True) -> Iterator[Path]:
    """Write a new file aside and put it in place at the end; what is there already is never replaced.

    Args:
        path: Where the file is to stand; it must not exist.
        keep: False: it is only needed in between.

    Yields:
        The path to write to, beside it; nothing is there yet. Where the block raises, it is removed.

    Raises:
        InputError: If the file exists, or the disk is full or not writable.
    """
    if path.exists():
        raise InputError(f"{path} exists already; choose another name or remove it.")
    aside = path.with_name(f".{path.name[:60]}.{os.getpid()}.part")
    try:
        yield aside
        if keep:
            aside.rename(path)
    except OSError as trouble:
        reason = _USER_CAN_MEND.get(trouble.errno or 0)
        if reason is None:
            raise
        words = f"{path} cannot be written: {reason}; mend that or choose another place."
        raise InputError(words) from trouble
    finally:
        aside.unlink(missing_ok=True)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def sha256_of_all(paths: Sequence[Path]) -> str:
    """SHA-256 over the contents of several files in this order; their names do not count."""
    return hashlib.sha256("\n".join(sha256_of(path) for path in paths).encode()).hexdigest()


def _sweep(path: Path) -> None:
    """Remove what programs that were killed left aside for this place; whatever may be in use stays."""
    named = re.compile(re.escape(f".{path.name[:60]}.") + r"(?:([0-9a-f]{8})-(\d+)\.)?[a-z0-9_]{8}\.part")
    try:
        beside = tuple(path.parent.iterdir())
    except OSError:
        return  # one may write there and not look
    for aside in beside:
        found = named.fullmatch(aside.name)
        if found is None or aside.is_symlink() or not aside.is_dir():
            continue
        if found[1] == _HERE and os.name == "posix":
            left = not _runs(int(found[2]))
        else:
            left = time.time() - _touched_s(aside) > LEFT_S
        if left:
            shutil.rmtree(aside, ignore_errors=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True  # it is another user's
    return True


def _touched_s(folder: Path) -> float:
    """When anything in a folder was last written to; now where that cannot be told."""
    try:
        return max(one.stat().st_mtime for one in (folder, *folder.iterdir()))
    except OSError:
        return time.time()


def _check_target(path: Path, products: Collection[str], what: str) -> None:
    if not path.exists():
        return
    if not path.is_dir():
        raise InputError(f"{path} is a file; choose another folder to write to.")
    try:
        foreign = sorted(set(os.listdir(path)) - set(products) - {".DS_Store", "Thumbs.db"})
    except OSError as trouble:
        raise InputError(f"{path} cannot be read ({trouble.strerror}); choose another folder.") from trouble
    if foreign:
        raise InputError(
            f"{path} holds {foreign[0]}, so it is no older {what}; choose another folder or empty it."
        )


def _put_in_place(aside: Path, path: Path) -> None:
    if not path.exists():
        aside.rename(path)
        return
    older = Path(tempfile.mkdtemp(prefix=f".{path.name[:60]}.", suffix=".old", dir=path.parent))
    try:
        path.rename(older / "report")
        try:
            aside.rename(path)
        except OSError:
            (older / "report").rename(path)
            raise
    finally:
        shutil.rmtree(older, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
