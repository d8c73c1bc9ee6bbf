"""``cryoguide calibrate spread``."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from calibration.certificate import put_refused
from calibration.pictures import picture_files
from calibration.radiometry_part import spread_part, unsolved_spread_part
from calibration.recorded_pictures import is_recording, thermal_pictures
from calibration.replacing import replace_rig
from calibration.rig_text import read_tables, table_of
from calibration.spread import find_spread
from models.geometry import Floats
from models.problems import InputError
from models.rig import StatedHalo, StatedSpread
from vision.point_spread import relied_on


def calibrate_spread(options: argparse.Namespace, now: datetime) -> bool:
    """Find spread and halo, tell, and write them into the rig's thermal camera.

    Raises:
        InputError: If pictures or rig cannot be read, or the pictures hold no temperatures.
    """
    rig = cast(Path, options.rig)
    tables = read_tables(rig)
    if "thermal" not in tables:
        raise InputError(f"{rig} has no [thermal]; calibrate the thermal camera first.")
    thermal = table_of(tables, "thermal")
    pictures: list[tuple[str, Floats]] = []
    for name, told in _pictures(options.pictures):
        if told.shape != (thermal["height_px"], thermal["width_px"]):
            raise InputError(f"{name} is not of the size of the rig's thermal camera; take its own pictures.")
        pictures.append((name, told))
    found = find_spread(pictures)
    target = cast("Path | None", options.out) or rig
    names = [name for name, _ in pictures]
    if isinstance(found, str):
        print(f"REFUSED. {found}.")
        print(f"Page     {put_refused(target, unsolved_spread_part(names), f'{found}.', now=now)}")
        return False
    for sentence in found.refused:
        print(f"Not used: {sentence}")
    print(
        f"{found.used} pictures\n"
        f"spread  {found.sigma_px:.3f} px, 95 % bound {found.sigma_u95_px:.3f}\n"
        f"halo    {100.0 * found.halo_share:.1f} % of a reading, 95 % bound {100.0 * found.halo_u95:.1f} %,"
        f" from {found.halo_px:.1f} px around (1 sigma)\nAccepted."
    )
    thermal["spread"] = {
        "sigma_px": round(found.sigma_px, 4),
        "u95_px": round(found.sigma_u95_px, 4),
        "halo_share": round(found.halo_share, 5),
        "halo_px": round(found.halo_px, 3),
        "halo_u95": round(found.halo_u95, 5),
    }
    stated = StatedSpread(
        found.sigma_px, found.sigma_u95_px, StatedHalo(found.halo_share, found.halo_px, found.halo_u95)
    )
    focal_px = float(cast("float", thermal["fx_px"]))
    part = spread_part(found, names, focal_px=focal_px, spread=relied_on(stated, None))
    return replace_rig(target, tables, now=now, force=options.force, part=part)


def _pictures(path: Path) -> Iterable[tuple[str, Floats]]:
    """Name and degC of each picture of a folder, or of those taken out of a recording."""
    if is_recording(path):
        return thermal_pictures(path)
    return ((file.name, _degc(file)) for file in picture_files(path))


def _degc(file: Path) -> Floats:
    """A 16-bit picture in centikelvin."""
    try:
        data = np.frombuffer(file.read_bytes(), np.uint8)
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror}); copy it again.") from error
    picture = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if len(data) else None
    if picture is None or picture.dtype != np.uint16 or picture.ndim != 2:
        raise InputError(f"{file} holds no temperatures; give 16-bit grey pictures in centikelvin.")
    return np.asarray(picture, float) / 100.0 - 273.15
