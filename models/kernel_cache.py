"""When machine code on disk is out of date: where anything has changed that it was made from.

Numba holds a kernel's code against the kernel's own file alone. Code of another kernel that it calls, and
constants from other files, are inside it too: changed there, the older code stayed.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import numpy as np
from numba.core import caching, config  # pyright: ignore[reportMissingTypeStubs]


@cache
def made_from(function: Callable[..., object]) -> str:
    """Checksum of what a kernel's machine code follows from.

    That is its own file, those of the kernels that it imports by name, theirs in turn, and the numbers and
    arrays that it imports. What is reached through a module (``module.name``) is not followed.

    Args:
        function: As it was written, while its file is being imported: all imports stand above it.
    """
    own = inspect.getfile(function)
    digest = sha256(Path(own).read_bytes())
    known = cast("dict[str, object]", getattr(function, "__globals__", {}))
    for name, value in sorted(known.items()):
        kernel = cast("Callable[..., object] | None", getattr(value, "py_func", None))
        if kernel is not None and inspect.getfile(kernel) != own:
            digest.update(f"{name} {made_from(kernel)}\n".encode())
        elif isinstance(value, np.ndarray):
            array = cast("np.ndarray[Any, np.dtype[Any]]", value)
            digest.update(f"{name} {array.dtype} {array.shape}\n".encode() + array.tobytes())
        elif not name.startswith("__") and _plain(value):
            digest.update(f"{name} {value!r}\n".encode())
    return digest.hexdigest()


def _plain(value: object) -> bool:
    """Whether it is a constant to a kernel, and the same text in every process."""
    if isinstance(value, tuple):
        return all(_plain(one) for one in cast("tuple[object, ...]", value))
    return isinstance(value, bool | int | float | complex | str | np.generic)


class _MadeFrom:
    """Of one kernel; the class of numba's that it is put before says where the code lies."""

    def __init__(self, py_func: Callable[..., object], py_file: str) -> None:
        super().__init__(py_func, py_file)  # type: ignore[call-arg]
        self._made_from = made_from(py_func)

    def get_source_stamp(self) -> bytes:
        """What numba compares; called by numba."""
        return self._made_from.encode()


class Given(_MadeFrom, caching.UserProvidedCacheLocator):
    """In the folder that ``NUMBA_CACHE_DIR`` names."""


class InTree(_MadeFrom, caching.InTreeCacheLocator):
    """Beside the source."""


class UserWide(_MadeFrom, caching.UserWideCacheLocator):
    """In the user's own cache, where beside the source nothing may be written."""


def use() -> None:
    """From now on numba keeps machine code by these; where they know no place, as it would without them."""
    ours = [f"{__name__}.{one.__name__}" for one in (Given, InTree, UserWide)]
    kept = ",".join([*ours, "IPythonCacheLocator", "ZipCacheLocator"])
    config.CACHE_LOCATOR_CLASSES = kept  # pyright: ignore[reportAttributeAccessIssue]
