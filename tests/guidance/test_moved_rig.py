"""A session whose rig a check found moved is guided with wider bounds, and page, alarms and report say so."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from guidance.rig_checked import checked_words
from guidance.run import Run
from guidance.set_up import set_up
from guidance.treatment.preflight import recorded_checks
from models.nozzle_errors import TIP
from models.rig_checked import CAMERAS, CHECK_FILE, CheckedPart, Off, RigChecked, write_checked
from models.thermal_place import place_u95_px
from tests.guidance.test_lapsed_rig import guided, tip_u95_mm
from vision.recording import Recording, open_recording

POINT = np.array([[0.0, 0.0, 800.0]])
BENT = CheckedPart(
    "tip",
    "moved",
    "the tip is bent aside by 5.0 mm; do calibrate tip, then axis again",
    ("tip", "axis"),
    "5.0 +- 0.6 mm",
    (Off(TIP, np.array([5.0, 0.0, 0.0]), 0.09 * np.eye(3)),),
)
TURNED = CheckedPart(
    "cameras",
    "moved",
    "the thermal camera is turned against the colour camera by 0.50 degrees; do calibrate thermal again",
    ("thermal",),
    "7.0 +- 0.4 mm",
    (Off(CAMERAS[:3], np.radians([0.0, 0.5, 0.0]), np.radians(0.015) ** 2 * np.eye(3)),),
)


def with_check(source: Path, into: Path, *parts: CheckedPart, minutes: float = -5.0) -> Path:
    """A copy of a session, and a check beside its rig that was made so many minutes after its start."""
    folder = into / source.name
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("truth"), copy_function=shutil.copyfile)
    folder.chmod(0o755)
    recording = open_recording(folder)
    at = recording.treatment.started + timedelta(minutes=minutes)
    rig = recording.rig_sha256 or ""
    (folder / CHECK_FILE).write_text(write_checked(RigChecked(at, rig, parts)), "utf-8")
    return folder


def rig_line(recording: Recording) -> str:
    (line,) = [one for one in recorded_checks(recording, set_up(recording)) if one.name == "Rig check"]
    assert line.state == "look"
    return line.words


def test_a_bent_tip_widens_its_bound_and_is_told_in_page_alarm_and_report(tmp_path: Path, calf: Path) -> None:
    plain, told_plain = guided(calf)
    folder = with_check(calf, tmp_path, BENT)
    wide, told_wide = guided(folder)
    assert tip_u95_mm(wide) > tip_u95_mm(plain) + 4.0
    (said,) = [words for words in told_wide if words not in told_plain]
    assert said.startswith("A check found the rig moved: the tip is bent aside by 5.0 mm")
    assert said.endswith("until then wider bounds are used for orifice of the nozzle, axis of the jet.")
    alarms = {alarm.cause: alarm.message for g in wide for alarm in g.active}
    assert "tip, axis" in alarms["calibration_lapsed"]
    recording = open_recording(folder)
    assert rig_line(recording).startswith(
        "checked 5 min ago: tip moved by 5.0 ± 0.6 mm; do calibrate tip, then axis"
    )
    assert "until then wider bounds are used for orifice of the nozzle, axis of the jet" in rig_line(
        recording
    )
    summary = Run(set_up(recording), recording).outcome(runtime_s=0.0).summary
    assert "wider bounds" in str(summary["rig_checked"])


def test_a_turned_thermal_camera_widens_the_place_of_every_cell_it_reads(tmp_path: Path, calf: Path) -> None:
    """Half a degree is 7 mm on the skin 0.8 m away."""
    before = set_up(open_recording(calf)).rig
    after = set_up(open_recording(with_check(calf, tmp_path, TURNED))).rig
    assert before is not None
    assert after is not None
    assert before.thermal is not None
    assert after.thermal is not None
    moved_px = np.tan(np.radians(0.5)) * before.thermal.camera.fx_px
    assert place_u95_px(before.thermal, POINT) < moved_px <= place_u95_px(after.thermal, POINT)


def test_a_check_made_after_the_session_counts_too_for_nobody_knows_when_it_moved(
    tmp_path: Path, calf: Path
) -> None:
    assert set_up(open_recording(with_check(calf, tmp_path, TURNED, minutes=90.0))).moved == ("thermal",)


def test_what_a_check_found_moved_counts_for_a_rig_changed_since_in_another_part(
    tmp_path: Path, calf: Path
) -> None:
    folder = with_check(calf, tmp_path, TURNED)
    with (folder / "rig.toml").open("a") as rig:
        rig.write("# a word\n")
    recording = open_recording(folder)
    assert set_up(recording).moved == ("thermal",)
    assert "another rig.toml; what it found moved was not calibrated since" in rig_line(recording)


@pytest.mark.parametrize("state", ["valid", "not looked at", "unknown"])
def test_a_check_that_found_nothing_moved_changes_no_bound(tmp_path: Path, calf: Path, state: str) -> None:
    folder = with_check(calf, tmp_path, replace(BENT, state=state, again=(), by="", off=()))
    recording = open_recording(folder)
    setup = set_up(recording)
    assert setup.rig is recording.rig
    assert (setup.moved, setup.moved_words) == ((), "")
    told = checked_words(recording, now=setup.treatment.started, rig=setup.rig)
    assert told is not None
    assert told[0] is (state == "valid")
