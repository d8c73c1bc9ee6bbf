"""Text codec of the tags in a ``rig.toml``: on the nozzle (``[nozzle]``) and on the skin (``[skin]``)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.geometry import Floats
from models.optional_tables import leave_out, ours
from models.rig import Nozzle, SkinTags, Tags
from models.rig_limits import judge_nozzle_tag, judge_side
from models.toml_table import Table

DICTIONARIES = (
    *(f"DICT_{bits}X{bits}_{count}" for bits in (4, 5, 6, 7) for count in (50, 100, 250, 1000)),
    "DICT_ARUCO_ORIGINAL",
    "DICT_ARUCO_MIP_36h12",
    *(f"DICT_APRILTAG_{family}" for family in ("16h5", "25h9", "36h10", "36h11")),
)
"""Names of OpenCV's predefined aruco dictionaries."""


MOST_OFF = 0.1
"""Share by which no print is off, as `models.rig_file` has it for the nozzle."""
HIGHEST_ID = 1e6
"""No dictionary has as many tags."""
FARTHEST_MM = 2000.0
"""Of any coordinate: beyond it is another unit (own choice). What no nozzle is, see `models.rig_limits`."""


def read_nozzle(table: Table, *, where: str) -> tuple[Nozzle, tuple[str, ...]]:
    """Read tags and bore out of ``[nozzle]``; mistakes are noted in it.

    Args:
        table: The table.
        where: Name of the file for messages.

    Returns:
        The nozzle, and one sentence for each table beside its tags that is not known and was left out.
    """
    ids: list[int] = []
    corners: list[Floats] = []
    left_out: tuple[str, ...] = ()
    listed = table.tables("tag")
    if table.sound and not listed:
        table.wrong("tag", "is empty; a nozzle needs at least one tag")
    for tag in listed:
        number = tag.integer("id", low=0, high=HIGHEST_ID)
        corner = tag.array("corners_nozzle_mm", (4, 3), most=FARTHEST_MM)
        left_out += leave_out(tag, where=where)
        if not tag.sound:
            continue
        if number in ids:
            tag.wrong("id", f"is {number}, which an earlier tag has already; give each tag its own")
        if float(np.linalg.norm(corner - np.roll(corner, 1, axis=0), axis=1).min()) < 0.1:
            tag.wrong(
                "corners_nozzle_mm", "has two corners in one place; give the four corners of the square"
            )
        judge_nozzle_tag(tag, corner)
        ids.append(number)
        corners.append(corner)
    dictionary = table.text("dictionary", choices=DICTIONARIES)
    bore_mm = table.number("bore_mm", low=0.5, high=100.0)
    tags = Tags(dictionary, np.array(ids, int), np.array(corners).reshape(-1, 4, 3))
    return Nozzle(tags, bore_mm), left_out


def nozzle_lines(nozzle: Nozzle) -> list[str]:
    """The table as `read_nozzle` reads it back."""
    tags = nozzle.tags
    lines = ["", "[nozzle]", f'dictionary = "{tags.dictionary}"', f"bore_mm = {nozzle.bore_mm!r}"]
    for tag, corners in zip(tags.ids, tags.corners_mm, strict=True):
        lines += ["[[nozzle.tag]]", f"id = {tag}", f"corners_nozzle_mm = {corners.tolist()}"]
    return lines


def read_skin_tags(table: Table) -> SkinTags:
    """Read ``[skin]``; mistakes are noted in it."""
    ids = table.array("ids", (-1,), most=HIGHEST_ID)
    whole = len(ids) > 0 and bool(np.all((ids == np.round(ids)) & (ids >= 0)))
    if table.sound and not (whole and len(set(ids.tolist())) == len(ids)):
        table.wrong("ids", "must list tag numbers, whole and each once")
    dictionary = table.text("dictionary", choices=DICTIONARIES)
    size_mm = table.number("size_mm", above=0.0, high=FARTHEST_MM)
    judge_side(table, "size_mm", size_mm)
    skin = SkinTags(dictionary, size_mm, tuple(int(i) for i in ids))
    if scale := ours(table, "scale", "u95", "stretch_u95"):
        high_by_wide = scale.optional_number("stretch", low=1.0 - MOST_OFF, high=1.0 + MOST_OFF)
        skin = replace(
            skin,
            stretch=1.0 if high_by_wide is None else high_by_wide,
            scale_u95=scale.number("u95", low=0.0, high=MOST_OFF),
            stretch_u95=scale.number("stretch_u95", low=0.0, high=MOST_OFF),
        )
        scale.done()
    return skin


def skin_tag_lines(skin: SkinTags) -> list[str]:
    """The table as `read_skin_tags` reads it back."""
    lines = ["", "[skin]", f'dictionary = "{skin.dictionary}"', f"size_mm = {skin.size_mm!r}"]
    lines += [f"ids = {list(skin.ids)}"]
    if skin.scale_u95 is not None:
        lines += ["[skin.scale]", f"stretch = {skin.stretch!r}", f"u95 = {skin.scale_u95!r}"]
        lines += [f"stretch_u95 = {skin.stretch_u95 or 0.0!r}"]
    return lines
