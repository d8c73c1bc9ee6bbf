"""The collar as `print collar` wrote it, for a rig that has no nozzle yet."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import cast

from calibration.rig_text import Toml
from models.problems import InputError


def printed_nozzle(file: Path) -> Toml:
    """The ``[nozzle]`` part that is in a ``collar.toml``.

    Raises:
        InputError: If the file cannot be read or holds none.
    """
    try:
        told = cast("Toml", tomllib.loads(file.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(
            f"{file} cannot be read ({error}); give the collar.toml that `calibrate print collar` wrote."
        ) from error
    nozzle = told.get("nozzle")
    if not isinstance(nozzle, dict):
        raise InputError(f"{file} holds no [nozzle]; give what `calibrate print collar` wrote.")
    return cast("Toml", nozzle)
