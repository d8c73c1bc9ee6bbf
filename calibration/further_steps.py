"""The steps that no guided run needs, from the same folder: each where there is something for it."""

from __future__ import annotations

import argparse
import contextlib
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from calibration.axis_command import calibrate_axis
from calibration.depth_command import calibrate_depth
from calibration.folder_steps import ACCEPTED, KEPT, MISSING, REFUSED, StepTold
from calibration.jet_command import calibrate_jet
from calibration.options import add_calibrate
from calibration.radiometry_command import calibrate_radiometry
from calibration.recorded_pictures import one_recording_or
from calibration.spread_command import calibrate_spread
from calibration.time_command import calibrate_time
from models.problems import InputError
from vision.source import SUFFIX

ORDER = ("rgb", "thermal", "depth", "spread", "radiometry", "time", "collar", "tip", "axis", "jet")
"""Of all steps: each rests on those before it (`models.validity.RESTS_ON`)."""

TITLES: Mapping[str, str] = {
    "depth": "Depth camera",
    "spread": "Thermal spread",
    "radiometry": "Thermal temperatures",
    "time": "Time between the cameras",
    "axis": "Axis of the jet",
    "jet": "Jet of the device",
}
WANTED: Mapping[str, str] = {
    "depth": "depth/colour/ and depth/depth/, or a recording in depth/: the board held before both cameras",
    "spread": "spread/: 3 thermal pictures or more of one straight edge",
    "radiometry": "--reference, twice or more: recordings of references of known temperature",
    "time": "time/: a recording of 20 s in which something is moved irregularly",
    "axis": "axis/: pictures or poses of the nozzle spun about itself",
    "jet": "jet/: recordings of short bursts on a plain warm surface",
}

_DO: Mapping[str, Callable[[argparse.Namespace, datetime], bool]] = {
    "depth": calibrate_depth,
    "spread": calibrate_spread,
    "radiometry": calibrate_radiometry,
    "time": calibrate_time,
    "axis": calibrate_axis,
    "jet": calibrate_jet,
}


def run_further(
    name: str, folder: Path, rig: Path, *, words: Sequence[str], force: bool, now: datetime
) -> StepTold | None:
    """Do one step, if there is something for it.

    Args:
        name: One of `TITLES`.
        folder: With a folder for each step.
        rig: To go on from, and to write.
        words: What the user says of this step besides, as its own command takes it; for ``radiometry`` they
            are all that there is.
        force: Replace what is known better.
        now: For the rig's date.

    Returns:
        What came of it, refused where a file cannot be read; None where nothing is there for it.
    """
    parser = argparse.ArgumentParser()
    add_calibrate(parser)
    forced = ["--force"] if force else []
    said, done = io.StringIO(), False
    try:
        given = [] if name == "radiometry" else _given(name, folder / name)
        if not given and not (name == "radiometry" and words):
            return None
        if not rig.exists():
            return StepTold(name, MISSING, (f"{rig} is not there: the cameras come first.",))
        options = parser.parse_args([name, *map(str, given), *words, "--rig", str(rig), *forced])
        with contextlib.redirect_stdout(said):
            done = _DO[name](options, now)
    except InputError as error:  # the steps after it may have all they need
        said.write(f"REFUSED. {error}\n")
    lines = tuple(said.getvalue().splitlines())
    kept = any(line.startswith("NOT WRITTEN") for line in lines)
    return StepTold(name, ACCEPTED if done else KEPT if kept else REFUSED, lines)


def _given(name: str, where: Path) -> list[Path]:
    """What a step's folder holds for its command."""
    if not where.is_dir():
        return []
    if name in ("spread", "axis"):
        return [one_recording_or(where)]
    if name == "depth" and (where / "colour").is_dir():
        return [where / "colour", where / "depth"]
    if (where / "session.toml").exists():
        return [where]
    found = sorted(one for one in where.iterdir() if one.suffix == SUFFIX or (one / "session.toml").exists())
    if not found:
        raise InputError(f"{where} holds no recording; put a session folder or an {SUFFIX} file there.")
    if name in ("time", "depth") and len(found) > 1:
        raise InputError(f"{where} holds {len(found)} recordings; leave the one to be used there.")
    return found
