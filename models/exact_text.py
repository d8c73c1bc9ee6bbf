"""Frozen messages as JSON and back, to the last bit of every number.

Python writes a float with the fewest digits that read back as the same float. Numbers that JSON lacks are
written as the words ``NaN``, ``Infinity`` and ``-Infinity``. An array keeps its kind, its shape and the order
in which it lies in memory, because sums over it are added up in that order.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import math
import types
import typing
from datetime import datetime
from functools import lru_cache
from typing import Any, Union, cast

import numpy as np

from models.geometry import frozen

LONGEST_LIST = 128
"""Arrays of more elements are written in base64: readable to nobody, but a third of the size."""

_KINDS = ("|b1", "|u1", "<u2", "<i4", "<i8", "<f4", "<f8")
"""Element types that are written; anything else is refused on both sides."""

_WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def to_text(message: object) -> str:
    """Write a message made of dataclasses, tuples, dictionaries, arrays, numbers, words and times.

    Raises:
        TypeError: If there is anything else in it.
    """
    return json.dumps(to_plain(message), allow_nan=False, separators=(",", ":"))


def from_text(text: str | bytes, kind: Any) -> Any:
    """Read what `to_text` wrote.

    Args:
        text: JSON.
        kind: Type of the message, unions included.

    Raises:
        ValueError: If the text is not such a message.
    """
    return from_plain(json.loads(text), kind)


def to_plain(value: object) -> Any:
    """What `json` can write, of a message."""
    if isinstance(value, np.ndarray):
        return _array_to_plain(cast("np.ndarray[Any, np.dtype[Any]]", value))
    if isinstance(value, np.bool_ | np.integer | np.floating):
        return to_plain(cast("object", value.item()))
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        return "NaN" if math.isnan(value) else "Infinity" if value > 0.0 else "-Infinity"
    if isinstance(value, datetime):
        return value.isoformat()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        told = {f.name: to_plain(getattr(value, f.name)) for f in dataclasses.fields(value) if f.init}
        return {"is": type(value).__name__} | told
    if isinstance(value, tuple | list):
        return [to_plain(item) for item in cast("tuple[object, ...]", value)]
    if isinstance(value, dict):
        return {str(key): to_plain(item) for key, item in cast("dict[object, object]", value).items()}
    raise TypeError(f"A {type(value).__name__} has no place in a recorded message.")


def from_plain(plain: Any, kind: Any) -> Any:
    """The message of a type that `to_plain` made ``plain`` of.

    A field that is not there takes the value that it has where nobody gives one; a field that nobody knows
    is an error.

    Raises:
        ValueError: If it is not such a message.
    """
    origin = typing.get_origin(kind)
    if origin in (Union, types.UnionType):
        return _one_of(plain, typing.get_args(kind))
    if origin is np.ndarray or kind is np.ndarray:
        return _array_from_plain(plain)
    if origin is tuple:
        return _tuple_from_plain(plain, typing.get_args(kind))
    if origin is dict:
        if not isinstance(plain, dict):
            raise ValueError(f"a table was expected, not {plain!r:.60}")
        value_kind = typing.get_args(kind)[1]
        table = cast("dict[str, Any]", plain)
        return {key: from_plain(item, value_kind) for key, item in table.items()}
    if dataclasses.is_dataclass(kind):
        return _dataclass_from_plain(plain, cast("type[Any]", kind))
    if kind is datetime and isinstance(plain, str):
        return datetime.fromisoformat(plain)
    if kind is float and isinstance(plain, str) and plain in _WORDS:
        return _WORDS[plain]
    if _fits(plain, kind):
        return plain
    raise ValueError(f"{getattr(kind, '__name__', kind)} was expected, not {plain!r:.60}")


def _fits(plain: Any, kind: Any) -> bool:
    if kind is None or kind is type(None):
        return plain is None
    if kind is float:
        return isinstance(plain, float | int) and not isinstance(plain, bool)
    if kind is int:
        return isinstance(plain, int) and not isinstance(plain, bool)
    return kind in (str, bool) and isinstance(plain, kind)


def _one_of(plain: Any, kinds: tuple[Any, ...]) -> Any:
    named = cast("dict[str, Any]", plain).get("is") if isinstance(plain, dict) else None
    for kind in kinds:
        if dataclasses.is_dataclass(kind):
            if named == cast("type[Any]", kind).__name__:
                return from_plain(plain, kind)
            continue
        try:
            return from_plain(plain, kind)
        except ValueError:
            continue
    raise ValueError(f"{named or 'this'} is none of what was expected")


def _tuple_from_plain(plain: Any, kinds: tuple[Any, ...]) -> tuple[Any, ...]:
    if not isinstance(plain, list):
        raise ValueError(f"a list was expected, not {plain!r:.60}")
    items = cast("list[Any]", plain)
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return tuple(from_plain(item, kinds[0]) for item in items)
    if len(items) != len(kinds):
        raise ValueError(f"{len(kinds)} values were expected, not {len(items)}")
    return tuple(from_plain(item, kind) for item, kind in zip(items, kinds, strict=True))


@lru_cache(maxsize=128)
def _field_kinds(kind: type[Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind) if field.init}


def _dataclass_from_plain(plain: Any, kind: type[Any]) -> Any:
    if not isinstance(plain, dict):
        raise ValueError(f"a {kind.__name__} was expected, not {plain!r:.60}")
    told = cast("dict[str, Any]", plain)
    if told.get("is") != kind.__name__:
        raise ValueError(f"a {kind.__name__} was expected, not {told.get('is')!r:.60}")
    kinds = _field_kinds(kind)
    unknown = sorted(set(told) - set(kinds) - {"is"})
    if unknown:
        raise ValueError(f"{kind.__name__} has no field {unknown[0]}")
    values = {name: from_plain(item, kinds[name]) for name, item in told.items() if name != "is"}
    try:
        return kind(**values)
    except TypeError as trouble:
        raise ValueError(f"{kind.__name__}: {trouble}") from trouble


def _array_to_plain(array: np.ndarray[Any, np.dtype[Any]]) -> dict[str, Any]:
    fortran = array.flags.f_contiguous and not array.flags.c_contiguous
    plain = np.asarray(array, array.dtype.newbyteorder("<"))
    if plain.dtype.str not in _KINDS:
        raise TypeError(f"An array of {array.dtype} has no place in a recorded message.")
    told: dict[str, Any] = {"kind": plain.dtype.str, "shape": list(array.shape)}
    if fortran:
        told["order"] = "F"
    if array.size > LONGEST_LIST:
        told["base64"] = base64.b64encode(plain.tobytes(order="F" if fortran else "C")).decode()
    else:
        told["values"] = [to_plain(item) for item in plain.ravel(order="F" if fortran else "C").tolist()]
    return told


def _array_from_plain(plain: Any) -> np.ndarray[Any, np.dtype[Any]]:
    if not isinstance(plain, dict) or cast("dict[str, Any]", plain).get("kind") not in _KINDS:
        raise ValueError(f"an array was expected, not {plain!r:.60}")
    told = cast("dict[str, Any]", plain)
    try:
        if "base64" in told:
            flat = np.frombuffer(base64.b64decode(told["base64"], validate=True), told["kind"])
        else:
            flat = np.array([_WORDS.get(item, item) for item in told["values"]], told["kind"])
        shaped = flat.reshape(tuple(told["shape"]), order=told.get("order", "C"))
    except (KeyError, TypeError, ValueError) as trouble:
        raise ValueError(f"an array was expected, not {plain!r:.60}") from trouble
    return frozen(shaped.astype(flat.dtype.newbyteorder("=")))
