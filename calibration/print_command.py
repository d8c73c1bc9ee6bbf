"""``cryoguide calibrate print``."""

from __future__ import annotations

import argparse
from datetime import datetime
from pathlib import Path

from calibration.board import OWN
from calibration.scale import (
    READ_MM,
    Scale,
    directions_words,
    scale_of,
    scaled,
    scaled_collar,
    scaled_skin,
    spec_of,
)
from calibration.sheet_pdf import pdf_of
from calibration.sheets import (
    COLLAR_DICTIONARY,
    COLLAR_FACES,
    RULER_MM,
    TARGET,
    board_sheet,
    collar_of,
    collar_sheet,
    skin_sheet,
    target_sheet,
)
from models.problems import InputError
from models.rig_limits import FARTHEST_TAG_MM
from models.tags_file import skin_tag_lines
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
    cuts_mm: tuple[float, ...] = ()
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
        if options.tip_mm > FAR_MM:
            raise InputError(
                f"A collar {options.tip_mm:g} mm behind the orifice cannot be (at most {FAR_MM:g}); give it"
                " in mm."
            )
        if options.across_mm > WIDE_MM:
            raise InputError(
                f"A collar {options.across_mm:g} mm across cannot be (at most {WIDE_MM:g}); give it in mm."
            )
        if options.bore_mm >= options.across_mm:
            raise InputError(
                f"A bore of {options.bore_mm:g} mm does not go through a collar {options.across_mm:g} mm"
                " across; give both in mm."
            )
        files["collar.svg"] = collar_sheet(collar)
        cuts_mm = tuple(k * collar.face_mm for k in range(1, COLLAR_FACES))
        lines = ["[nozzle]", f'dictionary = "{COLLAR_DICTIONARY}"', f"bore_mm = {options.bore_mm!r}"]
        for number, corners in zip(collar.ids, scaled_collar(collar.corners_nozzle_mm, scale), strict=True):
            rounded = [[round(float(v), 4) + 0.0 for v in corner] for corner in corners]
            lines += ["", "[[nozzle.tag]]", f"id = {number}", f"corners_nozzle_mm = {rounded}"]
        files["collar.toml"] = "\n".join(lines) + "\n"
    if options.sheet == "skin":
        files["skin.toml"] = "\n".join(skin_tag_lines(scaled_skin(scale))[1:]) + "\n"
    for name, text in files.items():
        put_file(folder / name, text)
        print(folder / name)
    pdf = pdf_of(
        files[f"{options.sheet}.svg"],
        paper=options.paper,
        title=f"cryoguide {options.sheet}",
        cuts_mm=cuts_mm,
    )
    if pdf is None:
        print(f"No PDF: it does not fit {options.paper} paper at true scale; print the .svg on larger paper.")
    else:
        put_file(folder / f"{options.sheet}.pdf", pdf)
        print(f"{folder / options.sheet}.pdf")
    print("\n".join(_scale_words(options.sheet, scale)))
    return True


def _scale_words(sheet: str, scale: Scale) -> list[str]:
    """What was measured and what follows, or what is to be measured."""
    if not scale.measured:
        return [f"Measure rulers A and B of {RULER_MM:g} mm once it is printed, and say: --measured-mm A B"]
    off = [100.0 * (factor - 1.0) for factor in (scale.short, scale.long)]
    lines = [f"Printed {off[0]:+.2f} % off true scale, known to {READ_MM:g} mm in 100."]
    if scale.both:
        lines = [
            f"Printed {off[0]:+.2f} % off true scale along the short side of the paper,"
            f" {off[1]:+.2f} % along its long side, each known to {READ_MM:g} mm in 100."
        ]
    if sheet in _BOARDS:
        lines.append(f"Name it so: --board {spec_of(scaled(_BOARDS[sheet], scale))}")
    open_ = directions_words(scale)
    return lines if open_ is None else [*lines, open_]


WIDE_MM = 1000.0
"""Nothing as wide is held in a hand (own choice)."""
FAR_MM = FARTHEST_TAG_MM - 200.0
"""No handheld nozzle is as long: it is a length in another unit. The collar itself takes up less than 200
mm."""

_BOARDS = {"board": OWN, "target": TARGET}
