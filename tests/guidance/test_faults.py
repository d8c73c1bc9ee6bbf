"""Each fault of a recording raises its own alarm within a second, and nothing is made up meanwhile."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from rich.console import Console

from guidance.analyse import analyse
from guidance.run import Run
from guidance.session import Guidance
from guidance.set_up import set_up
from guidance.terminal import print_outcome
from models.chart import PlacedChart
from models.geometry import Pose, rotation_from_rvec
from models.rig import ThermalCamera
from models.rig_file import read_rig, write_rig
from vision.recording import open_recording

GAS_S, FAULT_S = 0.8, 1.6
UNTIL_S = FAULT_S + 1.1


def played(folder: Path, *, to_s: float = UNTIL_S) -> list[Guidance]:
    """What was told up to a time."""
    recording = open_recording(folder)
    run, told = Run(set_up(recording), recording), []
    for capture in recording.captures():
        if capture.t_s > to_s:
            break
        told.append(run.take(capture))
    return told


def first_s(told: list[Guidance], cause: str) -> float:
    """When an alarm of a cause first stood."""
    times_s = [g.t_s for g in told if any(alarm.cause == cause for alarm in g.active)]
    assert times_s, f"{cause} was never told"
    return times_s[0]


def in_time(told: list[Guidance], cause: str) -> bool:
    return FAULT_S <= first_s(told, cause) <= FAULT_S + 1.0


def test_a_stuck_thermal_picture_is_told(spoil, calf: Path) -> None:
    told = played(spoil.thermal_stuck(spoil.copy(calf, to_s=UNTIL_S), from_s=FAULT_S))
    assert in_time(told, "thermal_stuck")
    last = told[-1]
    assert last.skin is not None
    assert not last.skin.observed.any()
    assert last.skin_min_degc is None


def test_missing_thermal_pictures_are_told(spoil, calf: Path) -> None:
    told = played(spoil.thermal_missing(spoil.copy(calf, to_s=UNTIL_S), from_s=FAULT_S))
    assert in_time(told, "thermal_stale")
    assert in_time(told, "thermal_missing")
    assert told[-1].skin_min_degc is None


def test_a_covered_nozzle_is_told_while_gas_flows(spoil, calf: Path) -> None:
    folder = spoil.copy(calf, to_s=UNTIL_S)
    told = played(spoil.nozzle_covered(folder, truth=calf / "truth", from_s=FAULT_S, to_s=9.0))
    assert in_time(told, "nozzle_lost")
    last = told[-1]
    assert last.unassigned_s == pytest.approx(last.t_s - FAULT_S - 0.15, abs=0.12)
    before = next(g for g in reversed(told) if g.t_s < FAULT_S)
    assert before.exposure is not None
    assert last.exposure is not None
    grown = last.exposure.dwell_upper_s - before.exposure.dwell_upper_s
    assert grown.max() >= last.unassigned_s
    assert last.jet is None


def test_a_colour_gap_of_a_second_is_told(spoil, calf: Path) -> None:
    folder = spoil.colour_gap(spoil.copy(calf, to_s=UNTIL_S + 0.4), from_s=FAULT_S, to_s=FAULT_S + 1.0)
    told = played(folder, to_s=UNTIL_S + 0.4)
    assert in_time(told, "colour_gap")
    assert told[-1].unassigned_s > 0.6


def test_a_patient_who_shifts_by_30_mm_is_told_and_followed(spoil, calf: Path) -> None:
    """The picture is rolled by 32 px, 30 mm at 0.95 m: nozzle and body shift alike."""
    told = played(spoil.shifted(spoil.copy(calf, to_s=UNTIL_S), from_s=FAULT_S, shift_px=(26, 18)))
    assert in_time(told, "patient_moved")
    before = next(g.zone for g in reversed(told) if g.t_s < FAULT_S)
    after = told[-1].zone
    assert isinstance(before, PlacedChart)
    assert isinstance(after, PlacedChart)
    moved = after.position_rgb_mm.mean(0) - before.position_rgb_mm.mean(0)
    assert moved[:2] == pytest.approx([26 * 0.95, 18 * 0.95], abs=4.0)


@pytest.mark.parametrize("shift_px", [(32, 0), (0, 32), (-32, 0), (0, -32)])
def test_a_shift_is_told_whichever_way_it_goes(spoil, calf: Path, shift_px: tuple[int, int]) -> None:
    told = played(
        spoil.shifted(spoil.copy(calf, to_s=0.5 + 0.6), from_s=0.5, shift_px=shift_px), to_s=0.5 + 0.6
    )
    assert 0.5 <= first_s(told, "patient_moved") <= 1.1


def with_thermal(folder: Path, **changes: object) -> Path:
    """The rig file says something else of the thermal camera."""
    path = folder / "rig.toml"
    rig, _ = read_rig(path.read_text(), where="rig.toml")
    assert rig.thermal is not None
    path.write_text(write_rig(replace(rig, thermal=replace(rig.thermal, **changes))))  # type: ignore[arg-type]
    return folder


def thermal_of(folder: Path) -> ThermalCamera:
    rig, _ = read_rig((folder / "rig.toml").read_text(), where="rig.toml")
    assert rig.thermal is not None
    return rig.thermal


@pytest.mark.parametrize("fault", ["turned", "late"])
def test_a_thermal_camera_that_is_turned_or_late_is_told_within_10_s_of_gas(
    spoil, calf: Path, fault: str
) -> None:
    """1 degree or 150 ms; 3.3 s of gas were measured for both, the alarm's delay included."""
    folder = spoil.copy(calf, to_s=5.0)
    thermal = thermal_of(folder)
    turned = Pose.of(rotation_from_rvec(np.radians([0.0, 1.0, 0.0])), np.zeros(3)) @ thermal.thermal_from_rgb
    changes = (
        {"thermal_from_rgb": turned}
        if fault == "turned"
        else {"rgb_minus_thermal_s": thermal.rgb_minus_thermal_s + 0.15}
    )
    told = played(with_thermal(folder, **changes), to_s=5.0)
    assert GAS_S < first_s(told, "rig_mismatch") <= GAS_S + 4.2
    sentence = next(a.message for g in told for a in g.active if a.cause == "rig_mismatch")
    assert ("beside the jet" in sentence) == (fault == "turned")
    assert ("late" in sentence) == (fault == "late")


def test_a_rig_that_cannot_tell_the_distance_says_so(spoil, calf: Path, tmp_path: Path) -> None:
    """No depth and no tags on the skin: the outline's size alone leaves the distance open by half of it."""
    folder = spoil.copy(calf, to_s=2.0)
    header = (folder / "session.toml").read_text()
    (folder / "session.toml").write_text("\n".join(k for k in header.splitlines() if "depth" not in k))
    told = played(folder, to_s=2.0)
    assert all(g.jet is None for g in told)
    assert any("Distance cannot be measured with this rig" in a.message for g in told for a in g.active)
    outcome = analyse(folder, out=tmp_path / "report", video=False)
    assert any("Distance cannot be measured with this rig" in warning for warning in outcome.warnings)
    page = (tmp_path / "report" / "report.html").read_text()
    assert "<b>Distance cannot be measured with this rig:</b> the skin is only guessed" in page
    summary = outcome.summary
    assert str(summary["distance_not_measured_because"]).startswith("the skin is only guessed, to +- ")
    assert any(
        "Distance cannot be measured with this rig" in told for told in cast("list[str]", summary["warnings"])
    )
    assert summary["peak_dwell_cm2_s"] is None
    assert summary["unassigned_s"] == pytest.approx(summary["gas_s"])
    stream = io.StringIO()
    print_outcome(outcome, folder=tmp_path / "report", console=Console(file=stream, width=200))
    assert "cannot be measured with this rig: the skin is only guessed" in stream.getvalue()
    assert "Note: Distance cannot be measured with this rig" in stream.getvalue()
    assert outcome.exposure is not None
    assert np.isnan(outcome.exposure.dwell_s).all()
