"""Door to numba: compiled functions keep the type of the Python function they were made from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba  # pyright: ignore[reportMissingTypeStubs]

_Function = TypeVar("_Function", bound=Callable[..., object])


def compiled(function: _Function) -> _Function:
    """Compile a numerical function on its first call and keep the machine code on disk.

    Strict arithmetic (no ``fastmath``): results are those of the Python function, NaN included.
    """
    decorate = cast("Callable[[_Function], _Function]", numba.njit(cache=True, nogil=True))  # pyright: ignore
    return decorate(function)
