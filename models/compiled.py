"""Door to numba: compiled functions keep the type of the Python function they were made from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba  # pyright: ignore[reportMissingTypeStubs]
import numpy as np
from numpy.typing import NDArray

from models import kernel_cache

_Function = TypeVar("_Function", bound=Callable[..., object])
_Scalar = TypeVar("_Scalar", bound=np.generic)

kernel_cache.use()


def compiled(function: _Function) -> _Function:
    """Compile a numerical function on its first call and keep the machine code on disk.

    Strict arithmetic (no ``fastmath``): results are those of the Python function, NaN included.
    """
    decorate = cast("Callable[[_Function], _Function]", numba.njit(cache=True, nogil=True))  # pyright: ignore
    return decorate(function)


def still(array: NDArray[_Scalar]) -> NDArray[_Scalar]:
    """The array as compiled functions are to know it: contiguous and read-only.

    A function is compiled once for each form of its arrays, for seconds: passed through this, arrays that
    are frozen and those that are not have one form.
    """
    view = np.ascontiguousarray(array).view()
    view.setflags(write=False)
    return view
