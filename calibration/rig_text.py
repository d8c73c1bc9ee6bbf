"""Changing parts of a ``rig.toml``: what is not calibrated now stays; the older file is kept.

The covariance of what was estimated is written beside it, as ``[rgb.covariance]`` with ``parameters`` and
``matrix``.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from models.geometry import Floats
from models.problems import InputError
from models.rig_file import RIG_SCHEMA, read_rig

Toml = dict[str, object]


def read_tables(path: Path) -> Toml:
    """All tables of a rig that `models.rig_file.read_rig` accepts.

    Raises:
        InputError: If it is not there or not sound.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read ({error}); give the rig.toml to go on from.") from error
    read_rig(text, where=str(path))
    return cast("Toml", tomllib.loads(text))


def table_of(tables: Toml, name: str) -> Toml:
    """A table by its dotted name, made where it is missing."""
    here = tables
    for part in name.split("."):
        here = cast("Toml", here.setdefault(part, {}))
    return here


def covariance_table(parameters: Sequence[str], matrix: Floats) -> Toml:
    """A covariance as it stands in ``rig.toml``: 1 sigma squared, only what was estimated.

    Args:
        parameters: Names with units.
        matrix: Shape (n, n).
    """
    return {"parameters": list(parameters), "matrix": [[float(v) for v in row] for row in matrix]}


def rig_text(tables: Mapping[str, object], *, now: datetime) -> str:
    """The text of the rig, with ``created`` set.

    Raises:
        InputError: If `models.rig_file.read_rig` would not read it.
    """
    whole = {"schema": RIG_SCHEMA, "created": now.astimezone(UTC).replace(microsecond=0)}
    whole |= {key: value for key, value in tables.items() if key not in whole}
    text = "\n".join(_lines("", whole)).strip() + "\n"
    read_rig(text, where="The new rig.toml")
    return text


def put_rig(path: Path, text: str, *, now: datetime) -> Path | None:
    """Put a rig in place in one step; an older one is kept beside it under its time.

    Returns:
        Where the older one is kept.

    Raises:
        InputError: If the folder cannot be written to.
    """
    aside = path.with_name(f".{path.name}.part")
    kept: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(text, encoding="utf-8")
        if path.exists():
            kept = _free(path, now)
            os.link(path, kept)
        os.replace(aside, path)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}); choose another place.") from error
    finally:
        aside.unlink(missing_ok=True)
    return kept


def _free(path: Path, now: datetime) -> Path:
    stem = f"{path.stem}-until-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    name, k = path.with_name(f"{stem}{path.suffix}"), 1
    while name.exists():
        k += 1
        name = path.with_name(f"{stem}-{k}{path.suffix}")
    return name


def _lines(name: str, table: Mapping[str, object]) -> list[str]:
    plain = {key: value for key, value in table.items() if not _is_table(value)}
    lines = [f"{_key(key)} = {_value(value)}" for key, value in plain.items()]
    for key, value in table.items():
        path = f"{name}.{_key(key)}" if name else _key(key)
        if isinstance(value, Mapping):
            lines += ["", f"[{path}]", *_lines(path, cast("Mapping[str, object]", value))]
        elif _is_table(value):
            for item in cast("Sequence[Mapping[str, object]]", value):
                lines += ["", f"[[{path}]]", *_lines(path, item)]
    return lines


def _is_table(value: object) -> bool:
    if isinstance(value, Mapping):
        return True
    items = cast("list[object]", value) if isinstance(value, list) else []
    return bool(items) and all(isinstance(item, Mapping) for item in items)


def _key(key: str) -> str:
    bare = key.isascii() and key.replace("_", "").replace("-", "").isalnum()
    return key if bare else _value(key)


def _value(value: object) -> str:
    """One value; text is escaped as TOML's basic strings are."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, list):
        return f"[{', '.join(_value(item) for item in cast('list[object]', value))}]"
    if isinstance(value, dict):
        inner = ", ".join(f"{_key(key)} = {_value(item)}" for key, item in cast("Toml", value).items())
        return f"{{{inner}}}"
    text = str(value)
    escaped = "".join(
        f"\\u{ord(c):04x}" if ord(c) < 32 or ord(c) == 127 else f"\\{c}" if c in '\\"' else c for c in text
    )
    return f'"{escaped}"'
