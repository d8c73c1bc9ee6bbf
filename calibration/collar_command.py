"""``cryoguide calibrate collar``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from calibration.accepting import accepted
from calibration.certificate import Certified
from calibration.certificate_plots import bars_svg
from calibration.collar import LIMIT_MM, CollarFound, find_collar
from calibration.pictures import picture_files
from calibration.printed_collar import printed_nozzle
from calibration.progress import Steps
from calibration.recorded_pictures import is_recording, turning_pictures
from calibration.replacing import replace_rig
from calibration.rig_text import Toml, covariance_table, read_tables, rig_text, table_of
from models.geometry import Bytes
from models.problems import InputError
from models.rig import Nozzle
from models.rig_file import read_rig
from vision.video import colour_pictures, probe_video

MOST_SHARE = 0.1
"""Of a tag's side, up to which its bound is taken: a rig states no more, and a smaller one would not hold."""

MOST_PICTURES = 80
"""Of a video so many are taken, evenly; more tell little that is new."""


def calibrate_collar(options: argparse.Namespace, now: datetime) -> bool:
    """Find where the tags sit, tell, and write them into a rig.

    Raises:
        InputError: If pictures or rig cannot be read, or the rig has no nozzle.
    """
    path, rig_path = cast(Path, options.pictures), cast(Path, options.rig)
    tables = read_tables(rig_path)
    collar = cast("Path | None", options.collar)
    if collar is not None and "nozzle" in tables:
        raise InputError(
            f"{rig_path} has a [nozzle] already; leave --collar out, or take [nozzle] out of the rig first"
            " where another collar is on the nozzle now."
        )
    if collar is not None:
        tables["nozzle"] = printed_nozzle(collar)
    text = rig_path.read_text(encoding="utf-8") if collar is None else rig_text(tables, now=now)
    rig, _ = read_rig(text, where=str(rig_path if collar is None else collar))
    if rig.nozzle is None:
        raise InputError(
            f"{rig_path} has no [nozzle]; name the printed collar with --collar collar.toml, as `calibrate"
            " print collar` wrote it."
        )
    if not path.exists():
        raise InputError(f"{path} does not exist; give a folder of pictures, a video or a recording.")
    names, pictures = turning_pictures(path) if is_recording(path) else read_pictures(path)
    size = (rig.rgb.height_px, rig.rgb.width_px)
    if any(picture.shape[:2] != size for picture in pictures):
        raise InputError(
            f"The pictures of {path} are not of the rig's {size[1]} x {size[0]} pixels; take them with the"
            " rig's colour camera at that size."
        )
    share = _share_of(cast("float | None", options.tag_mm_u95), rig.nozzle)
    ids = rig.nozzle.tags.ids.tolist()
    with Steps("Going through the pictures, round", None) as steps:
        solved = find_collar(pictures, rig, rig.nozzle, on_round=steps.one_done)
    found = accepted(solved, lambda one: told(one, ids))
    if found is None:
        return False
    nozzle = table_of(tables, "nozzle")
    for tag, own in zip(cast("list[Toml]", nozzle["tag"]), found.corners_mm, strict=True):
        tag["corners_nozzle_mm"] = [[round(float(v), 5) for v in corner] for corner in own]
    table_of(tables, "nozzle.collar")["covariance"] = covariance_table(_parameters(ids), found.covariance_mm2)
    if share is not None:
        nozzle["scale"] = {"u95": share}
    part = _part(found, ids, names)
    target = cast("Path | None", options.out) or rig_path
    return replace_rig(target, tables, now=now, force=options.force, part=part)


def _share_of(tag_mm_u95: float | None, nozzle: Nozzle) -> float | None:
    """How well the side of the tags is known, as a share of it."""
    if tag_mm_u95 is None:
        return None
    corners = nozzle.tags.corners_mm
    side_mm = float(np.linalg.norm(corners[0, 1] - corners[0, 0]))
    if tag_mm_u95 > MOST_SHARE * side_mm:
        raise InputError(
            f"--tag-mm-u95 {tag_mm_u95:g} is more than a tenth of a tag's side of {side_mm:.1f} mm; measure"
            " the side with a calliper, and tell how well in mm, such as 0.05."
        )
    return max(round(tag_mm_u95 / side_mm, 6), 1e-6)


def told(found: CollarFound, ids: Sequence[int]) -> list[str]:
    """What was found, line by line."""
    lines = [
        f"The collar was found in {sum(found.seen)} of {len(found.seen)} pictures",
        f"{'tag':>5}{'pictures':>10}{'off the given, mm':>20}{'95 % bound, mm':>17}",
    ]
    rows = zip(ids, found.views, found.moved_mm, found.u95_mm, strict=True)
    lines += [f"{tag:5d}{views:10d}{off:20.3f}{bound:17.3f}" for tag, views, off, bound in rows]
    return [*lines, "Where the tip is to all of them together is as it was given; `calibrate tip` finds it."]


def _parameters(ids: Sequence[int]) -> list[str]:
    return [f"tag{tag}_{axis}_mm" for tag in ids for axis in "xyz"]


def _part(found: CollarFound, ids: Sequence[int], names: Sequence[str]) -> Certified:
    middles, bounds = found.corners_mm.mean(axis=1), 1.96 * np.sqrt(np.diag(found.covariance_mm2))
    rows = zip(_parameters(ids), middles.ravel().tolist(), bounds.tolist(), strict=True)
    each = [f"tag {tag}" for tag in ids]
    return Certified(
        step="collar",
        table="nozzle.collar",  # the tip, found later, moves all corners alike and leaves this
        title="Collar: where its tags sit",
        parameters=tuple(rows),
        covariance_of=tuple(_parameters(ids)),
        covariance=found.covariance_mm2,
        on_skin=(),
        facts=(f"The corners were up to {found.moved_mm.max():.3f} mm off the given ones.",),
        plots=(
            ("95 % bound of each tag", bars_svg(each, found.u95_mm.tolist(), limit=LIMIT_MM, unit="mm")),
            ("How far each was off", bars_svg(each, found.moved_mm.tolist(), limit=None, unit="mm")),
        ),
        used=tuple(name for name, seen in zip(names, found.seen, strict=True) if seen),
        refused=tuple(
            f"{name}: no collar found" for name, seen in zip(names, found.seen, strict=True) if not seen
        ),
    )


def read_pictures(path: Path) -> tuple[list[str], list[Bytes]]:
    """Names and pictures, blue green red; of a video evenly taken ones."""
    names: list[str] = []
    pictures: list[Bytes] = []
    if path.is_dir():
        for file in picture_files(path):
            data = np.frombuffer(file.read_bytes(), np.uint8)
            how = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
            picture = cv2.imdecode(data, how) if len(data) else None
            if picture is not None:
                names.append(file.name)
                pictures.append(np.asarray(picture, np.uint8))
    else:
        video = probe_video(path, where=str(path))
        every = max(1, -(-video.pictures // MOST_PICTURES))
        for k, frame in enumerate(colour_pictures(video)):
            if frame is not None and k % every == 0:
                names.append(f"picture {k}")
                pictures.append(frame)
    if not pictures:
        raise InputError(f"No picture of {path} can be read; take them again.")
    return names, pictures
