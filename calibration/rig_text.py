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
from vision.put_files import one_writer, written_aside

Toml = dict[str, object]


class TablesRead(Toml):
    """Tables that know the file they were read from, so that what others write meanwhile is not lost."""

    def __init__(self, tables: Toml, *, path: Path, content: bytes) -> None:
        """A copy of tables.

        Args:
            tables: What stands there.
            path: Where they were read.
            content: The file at that time.
        """
        super().__init__(tables)
        self.path, self.content = path, content


def read_tables(path: Path) -> Toml:
    """All tables of a rig that `models.rig_file.read_rig` accepts.

    Raises:
        InputError: If it is not there or not sound.
    """
    try:
        content = path.read_bytes()
        text = content.decode()
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}); give the rig.toml to go on from."
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no text in UTF-8; give the rig.toml to go on from.") from error
    text = text.replace("\r\n", "\n")
    read_rig(text, where=str(path))
    return TablesRead(tomllib.loads(text), path=path, content=content)


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


def put_rig(path: Path, text: str, *, now: datetime, part_of: Toml | None = None) -> Path | None:
    """Put a rig in place in one step; an older one is kept beside it under its time.

    Args:
        path: Where.
        text: All of it.
        now: For the name of the one that is kept.
        part_of: The tables that were read there and changed since, if any.

    Returns:
        Where the older one is kept.

    Raises:
        InputError: If it cannot be written, or another program wrote there since ``part_of`` was read.
    """
    with one_writer(path.parent), written_aside(path, text) as new:
        kept = keep_older(path, now=now, part_of=part_of)
        new.put()
    return kept


def keep_older(path: Path, *, now: datetime, part_of: Toml | None = None) -> Path | None:
    """Keep a copy of the rig that is about to be replaced, a plain file even where that is a link.

    Raises:
        InputError: See `put_rig`.
    """
    try:
        older = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); choose another place.") from error
    if (
        isinstance(part_of, TablesRead)
        and os.path.realpath(part_of.path) == os.path.realpath(path)
        and older != part_of.content
    ):
        raise InputError(
            f"{path} was changed by another program since this step read it; nothing was written: run the"
            " step again."
        )
    kept = _free(path, now)
    with written_aside(kept, older) as copy:
        copy.put()
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
