"""``cryoguide calibrate check``."""

from __future__ import annotations

import argparse
from datetime import datetime
from pathlib import Path
from typing import cast

from calibration.board import Board, board_of
from calibration.certificate import put_certificate
from calibration.check_cameras import check_cameras
from calibration.check_certified import check_part
from calibration.check_evidence import Evidence, gather
from calibration.check_known import known_causes, known_tip
from calibration.check_parts import cameras_part, steps_part, temperature_part, time_part_of, tip_part
from calibration.motion_streams import read_streams
from calibration.rig_text import Toml, read_tables
from calibration.sheets import TARGET
from calibration.time_offset import find_time
from calibration.vouching import last_check, standings
from models.geometry import Floats
from models.radiometry import calibrated_at
from models.rig import Rig
from models.rig_checked import CHECK_FILE, CheckedPart, RigChecked, write_checked
from models.rig_file import read_rig
from models.rig_moved import with_what_was_found_before
from models.treatment import Reference
from vision.files import sha256_of
from vision.put_files import put_file
from vision.recording import references_of

LEAST_S, LIMIT_S = 4.0, 0.04
"""Of motion, and of its bound: a check tells a clock that is off by a picture, not its last millisecond."""

SEARCH_S, STRETCH_S = 0.5, 0.8
"""Of five seconds of motion. With 1 s and 1.2 s, as the step `time` has them, none of 60 drawn checks told a
time: too few stretches for a bound, or a rival at a shift that leaves two thirds of the pictures, which fits
by chance. With these 34 of 40 did, each within its bound; of 200 others, on which nothing was
chosen, 183 did, 180 within (`python -m benchmarks.check_times --checks 200 --first 7000`)."""


def check_rig_file(options: argparse.Namespace, now: datetime) -> bool:
    """Look whether a rig still holds, tell, and write the outcome beside it.

    Returns:
        Whether all that was looked at holds, and anything was.

    Raises:
        InputError: If recording, rig or references cannot be read.
    """
    path, recording = cast(Path, options.rig), cast(Path, options.recording)
    board = board_to_check(cast("str | None", options.board))
    references = references_of(cast("Path | None", options.references))
    checked, tables = check_rig(recording, path, board=board, references=references, now=now)
    for part in checked.parts:
        print(f"{part.name:12} {part.state:14} {part.words}.")
    beside, page = keep_check(path, checked, tables, name=recording.name, now=now)
    print(f"{checked.state.upper()}.\nWritten  {beside}")
    print(f"Page     {page}")
    return checked.state == "valid"


def board_to_check(named: str | None) -> Board:
    """The board that is shown: the printed target unless another is named.

    Raises:
        InputError: If it is none.
    """
    return TARGET if named is None else board_of(named)


def check_rig(
    recording: Path, path: Path, *, board: Board, references: tuple[Reference, ...] | None, now: datetime
) -> tuple[RigChecked, Toml]:
    """Look whether a rig still holds; nothing is written.

    What an earlier check beside the rig found moved and this one cannot judge stays moved.

    Args:
        recording: In which known things are shown.
        path: The rig.
        board: That may be shown.
        references: Of known temperature; None = those of the recording.
        now: Time of day.

    Returns:
        The outcome, and the rig's tables as they were read.

    Raises:
        InputError: If recording or rig cannot be read.
    """
    tables = read_tables(path)
    rig, _ = read_rig(path.read_text(encoding="utf-8"), where=str(path))
    thermal = rig.thermal
    claim_degc = thermal.accuracy_degc if thermal else 5.0
    calibrated = calibrated_at(thermal.radiometry if thermal else None, claim_degc=claim_degc, started=now)
    seen = gather(recording, rig, board, references=references, calibrated=calibrated)
    stands = steps_part(standings(tables, marks=None, now=now))
    parts = (
        _cameras(seen, rig, tables, board.corners_mm),
        tip_part(seen.touches, tip_covariance_mm2=known_tip(tables)),
        temperature_part(seen.readings, claim_u95_degc=claim_degc, calibrated=calibrated),
        _time(recording, rig),
        *((stands,) if stands is not None else ()),
    )
    checked = RigChecked(now, sha256_of(path), parts)
    return with_what_was_found_before(checked, last_check(path), rig), tables


def keep_check(
    path: Path, checked: RigChecked, tables: Toml, *, name: str, now: datetime
) -> tuple[Path, Path]:
    """Write the outcome beside the rig, and into its certificate.

    Args:
        path: The rig.
        checked: What was found.
        tables: The rig's, as they were read.
        name: Of the recording, for the certificate.
        now: Time of day.

    Returns:
        The file beside the rig, and the certificate.
    """
    beside = path.with_name(CHECK_FILE)
    put_file(beside, write_checked(checked))
    return beside, put_certificate(path, check_part(checked, name), tables, now=now)


def _cameras(seen: Evidence, rig: Rig, tables: Toml, corners_mm: Floats) -> CheckedPart:
    both = [view for view in seen.views if view.thermal is not None]
    if rig.thermal is None:
        return CheckedPart("cameras", "not looked at", "the rig has no thermal camera")
    if not seen.views:
        return CheckedPart("cameras", "not looked at", seen.board_words)
    if not both:
        words = "the board was not found in the thermal picture; warm or cool it against what is behind it"
        return CheckedPart("cameras", "not looked at", words)
    found = check_cameras(both, corners_mm, rig, known=known_causes(tables))
    return cameras_part(found)


def _time(recording: Path, rig: Rig) -> CheckedPart:
    streams = read_streams(recording)
    if "thermal" not in streams.streams:
        return time_part_of(None, clock_u95_s=None)
    if "rgb" not in streams.streams:
        return time_part_of("nothing moves in the colour pictures", clock_u95_s=None)
    told = streams.rig.thermal.rgb_minus_thermal_s if streams.rig and streams.rig.thermal else 0.0
    own = rig.thermal.rgb_minus_thermal_s if rig.thermal else told
    found = find_time(
        streams.streams["rgb"],
        streams.streams["thermal"],
        least_s=LEAST_S,
        limit_s=LIMIT_S,
        away_s=own - told,
        search_s=SEARCH_S,
        stretch_s=STRETCH_S,
    )
    clock = rig.thermal.clock if rig.thermal else None
    return time_part_of(found, clock_u95_s=clock.u95_s if clock else None)
