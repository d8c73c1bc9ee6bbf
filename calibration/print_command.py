"""``cryoguide calibrate print``."""

from __future__ import annotations

import argparse
from datetime import datetime
from pathlib import Path

from calibration.board import OWN
from calibration.scale import READ_MM, scale_of, scaled, spec_of
from calibration.sheets import (
    COLLAR_DICTIONARY,
    RULER_MM,
    TARGET,
    board_sheet,
    collar_of,
    collar_sheet,
    skin_sheet,
    target_sheet,
)
from models.problems import InputError
from vision.put_files import put_file


def print_sheet(options: argparse.Namespace, now: datetime) -> bool:
    """Write a sheet, and for the collar its geometry beside it.

    Raises:
        InputError: If the collar is too narrow for its tags, or the folder cannot be written to.
    """
    del now
    folder: Path = options.out
    scale = scale_of(options.measured_mm, insist=options.insist)
    files: dict[str, str] = {}
    if options.sheet == "board":
        files["board.svg"] = board_sheet()
    elif options.sheet == "target":
        files["target.svg"] = target_sheet()
    elif options.sheet == "skin":
        files["skin.svg"] = skin_sheet()
    else:
        try:
            collar = collar_of(across_mm=options.across_mm, tip_mm=options.tip_mm)
        except ValueError as error:
            raise InputError(f"{error} Give a larger --across-mm.") from error
        files["collar.svg"] = collar_sheet(collar)
        lines = ["[nozzle]", f'dictionary = "{COLLAR_DICTIONARY}"', f"bore_mm = {options.bore_mm!r}"]
        for number, corners in zip(collar.ids, scale.factor * collar.corners_nozzle_mm, strict=True):
            rounded = [[round(float(v), 4) + 0.0 for v in corner] for corner in corners]
            lines += ["", "[[nozzle.tag]]", f"id = {number}", f"corners_nozzle_mm = {rounded}"]
        files["collar.toml"] = "\n".join(lines) + "\n"
    for name, text in files.items():
        put_file(folder / name, text)
        print(folder / name)
    if scale.measured:
        print(
            f"Printed {100.0 * (scale.factor - 1.0):+.2f} % off true scale, known to {READ_MM:g} mm in 100."
        )
        if options.sheet in _BOARDS and scale.factor != 1.0:
            print(f"Name it so: --board {spec_of(scaled(_BOARDS[options.sheet], scale))}")
    elif options.sheet != "skin":
        print(f"Measure the ruler of {RULER_MM:g} mm once it is printed, and say it: --measured-mm MM")
    return True


_BOARDS = {"board": OWN, "target": TARGET}
