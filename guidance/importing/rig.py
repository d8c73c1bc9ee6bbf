"""The rig file of an imported session: the user's own text, with what the import has done written in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from models.corrected_file import NAME as CORRECTED
from models.corrected_file import corrected_lines
from models.problems import InputError
from models.rig import Corrected, Rig
from models.rig_file import read_rig, write_rig


def open_rig(path: Path) -> tuple[str, Rig, tuple[str, ...]]:
    """Text of a rig file, what it says, and what was left out.

    Raises:
        InputError: If it cannot be read or anything in it is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as trouble:
        raise InputError(f"{path} is not UTF-8 text; write it with a text editor.") from trouble
    except OSError as trouble:
        raise InputError(f"{path} cannot be read ({trouble.strerror}); check the path.") from trouble
    rig, warnings = read_rig(text, where=str(path))
    return text, rig, warnings


def rig_text(text: str, rig: Rig, *, emissivity: float, corrected: Corrected, on_session_clock: bool) -> str:
    """The rig file with what was applied to the temperatures.

    Everything else of the text stays as the user has it, tables that this version does not know among it.

    Args:
        text: The user's file.
        rig: What it says.
        emissivity: That the temperatures were corrected with.
        corrected: What else they were corrected for.
        on_session_clock: The thermal times are seconds on the session clock already, so the offset becomes 0.
    """
    if rig.thermal is None:
        return text
    thermal = replace(rig.thermal, emissivity=emissivity, corrected=corrected)
    figures = {"emissivity": emissivity}
    if on_session_clock:
        thermal = replace(thermal, rgb_minus_thermal_s=0.0)
        figures["rgb_minus_thermal_s"] = 0.0
    wanted = replace(rig, thermal=thermal)
    edited = _edited(text, figures, corrected)
    if edited is not None:
        found, _ = read_rig(edited, where="rig.toml")
        if write_rig(found) == write_rig(wanted):
            return edited
    return write_rig(wanted)  # written in a way that lines cannot be edited in, e.g. as an inline table


def _edited(text: str, figures: Mapping[str, float], corrected: Corrected) -> str | None:
    """Replace numbers in the table [thermal], line by line, and put the table of the correction at the end.

    None where a number is not found.
    """
    table, done, lines = "", set[str](), list[str]()
    for line in text.splitlines():
        if heading := re.match(r"\s*\[+\s*([^\]]*?)\s*\]+", line):
            table = heading[1]
        entry = re.match(r"(\s*)([A-Za-z_]+)(\s*=\s*)([^#]*?)(\s*(?:#.*)?)$", line)
        if table == "thermal" and entry and entry[2] in figures:
            done.add(entry[2])
            lines.append(f"{entry[1]}{entry[2]}{entry[3]}{figures[entry[2]]!r}{entry[5]}")
        elif table != f"thermal.{CORRECTED}":  # that of an earlier import is replaced
            lines.append(line)
    if done != set(figures):
        return None
    return "\n".join([*lines, "", *corrected_lines(corrected)]) + "\n"
