"""What a check found moved counts as a wider bound, whichever cause it was, until it is calibrated again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.camera import Camera
from models.geometry import Floats, Pose, rotation_from_rvec
from models.nozzle_errors import TIP
from models.radiometry import calibrated_at
from models.rig import Rig, ThermalCamera
from models.rig_checked import (
    CAMERAS,
    READS,
    TIMES,
    CheckedPart,
    Off,
    RigChecked,
    read_checked,
    write_checked,
)
from models.rig_moved import (
    NOT_JUDGED,
    moved_parts,
    moved_steps,
    moved_words,
    relied_on,
    with_what_was_found_before,
)
from models.sightings import radius_95_mm
from models.thermal_place import place_u95_px
from models.validity import RESTS_ON, Validity
from tests.models.rig_stated import NOW, marked, stated_rig
from vision.pose_bounds import intrinsic_variance_mm2

POINTS = np.array([[0.0, 0.0, 800.0], [80.0, 40.0, 850.0], [-120.0, -60.0, 700.0]])
SURE = 0.02
"""How well a check knows what moved, as a share of it."""


@pytest.fixture
def rig() -> Rig:
    return stated_rig()


def off(names: tuple[str, ...], values: Floats) -> Off:
    return Off(names, values, np.diag((SURE * np.abs(values) + 1e-9) ** 2))


def checked(*parts: CheckedPart, at: datetime = NOW) -> RigChecked:
    return RigChecked(at, "a" * 64, parts)


def cameras(*causes: Off, again: tuple[str, ...] = ("thermal",)) -> CheckedPart:
    return CheckedPart("cameras", "moved", "the thermal camera is turned; do calibrate thermal again", again,
                       "7.0 +- 0.4 mm", causes)  # fmt: skip


def turned(degrees: float, axis: int = 1) -> Off:
    return off(CAMERAS[:3], np.radians(degrees) * np.eye(3)[axis])


def longer(camera: Camera, share: float) -> Camera:
    fx, fy, cx, cy = camera.focal
    return Camera(
        camera.width_px, camera.height_px, fx * (1 + share), fy * (1 + share), cx, cy, camera.distortion
    )


def really(thermal: ThermalCamera, cause: str, size: float) -> ThermalCamera:
    """The camera as it stands now."""
    if cause == "thermal_zoom":
        return replace(thermal, camera=longer(thermal.camera, size))
    values = np.zeros(6)
    values[CAMERAS.index(cause)] = size
    moved = Pose.of(rotation_from_rvec(values[:3]), values[3:])
    return replace(thermal, thermal_from_rgb=moved @ thermal.thermal_from_rgb)


def missed_px(rig: Rig, now: ThermalCamera) -> Floats:
    assert rig.thermal is not None
    then = rig.thermal
    seen = [one.camera.project(one.thermal_from_rgb.apply(POINTS)) for one in (then, now)]
    return np.linalg.norm(seen[1] - seen[0], axis=1)


@given(st.floats(-10.0, 10.0), st.floats(1e-3, 10.0))
def test_what_something_is_known_to_be_off_by_is_covered_as_one_sigma(value: float, sigma: float) -> None:
    one = Off(("reads_degc",), np.array([value]), np.array([[sigma**2]]))
    assert 1.96 * np.sqrt(one.moments(READS)[0, 0]) >= abs(value) + 1.645 * sigma - 1e-9


def test_a_rig_that_a_check_found_valid_is_the_very_same(rig: Rig) -> None:
    whole = replace(rig, validity=marked(rig))
    valid = checked(CheckedPart("cameras", "valid", "agree"), CheckedPart("tip", "not looked at", "no touch"))
    assert relied_on(whole, valid, now=NOW) is whole
    assert relied_on(whole, None, now=NOW) is whole


@pytest.mark.parametrize(
    ("cause", "size"),
    [
        ("ry_rad", np.radians(0.5)),
        ("rx_rad", np.radians(-2.0)),
        ("rz_rad", np.radians(1.0)),
        ("tx_mm", 15.0),
        ("tz_mm", -20.0),
        ("thermal_zoom", 0.05),
    ],
)
def test_where_a_moved_thermal_camera_really_looks_lies_within_its_bound(
    rig: Rig,
    cause: str,
    size: float,
) -> None:
    """And the bound is no more than 2.6 times that: what is known to be off counts as 1 sigma."""
    whole = replace(rig, validity=marked(rig))
    assert whole.thermal is not None
    names = ("thermal_zoom",) if cause == "thermal_zoom" else CAMERAS[:3] if "rad" in cause else CAMERAS[3:6]
    values = np.array([size if name == cause else 0.0 for name in names])
    wide = relied_on(whole, checked(cameras(off(names, values))), now=NOW)
    assert wide.thermal is not None
    assert wide.thermal.thermal_from_rgb is whole.thermal.thermal_from_rgb, "values stay"
    missed = float(missed_px(whole, really(whole.thermal, cause, size)).max())
    told, stated = place_u95_px(wide.thermal, POINTS), place_u95_px(whole.thermal, POINTS)
    assert missed <= told <= 2.6 * missed + stated


def test_causes_that_explain_it_alike_are_all_covered(rig: Rig) -> None:
    """From one distance a small shift looks like a turn; nearer and farther it does not."""
    whole = replace(rig, validity=marked(rig))
    turn, shift = turned(0.7), off(CAMERAS[3:6], np.array([9.5, 0.0, 0.0]))
    far = [replace(whole, thermal=relied_on(whole, checked(cameras(*c)), now=NOW).thermal)
           for c in ((turn,), (shift,), (turn, shift))]  # fmt: skip
    for points in (POINTS, 0.5 * POINTS, 2.0 * POINTS):
        one, other, both = (place_u95_px(each.thermal, points) for each in far if each.thermal is not None)
        assert both >= max(one, other)


def test_another_zoom_of_the_colour_camera_puts_what_is_placed_by_its_size_within_its_bound(
    rig: Rig,
) -> None:
    part = cameras(off(("rgb_zoom",), np.array([0.03])), again=("rgb", "thermal"))
    for stated in (rig, replace(rig, rgb_covariance=None)):
        whole = replace(stated, validity=marked(rig))
        wide = relied_on(whole, checked(part), now=NOW)
        before, after = (1.96 * np.sqrt(intrinsic_variance_mm2(POINTS[0], one)[2]) for one in (whole, wide))
        assert before < 0.03 * 800.0 <= after
        assert wide.thermal is not None
        assert whole.thermal is not None
        assert place_u95_px(wide.thermal, POINTS) > place_u95_px(whole.thermal, POINTS)


@pytest.mark.parametrize(
    ("at", "again"), [((0.2, 0.1, 6.0), ("tip",)), ((5.0, 1.0, 0.4), ("tip", "axis"))], ids=["slip", "bent"]
)
def test_a_tip_that_moved_lies_within_its_bound_and_one_bent_aside_opens_the_axis_too(
    rig: Rig,
    at: tuple[float, float, float],
    again: tuple[str, ...],
) -> None:
    whole = replace(rig, validity=marked(rig))
    values = np.array(at)
    part = CheckedPart("tip", "moved", "moved", again, "6 mm", (Off(TIP, values, 0.04 * np.eye(3)),))
    wide = relied_on(whole, checked(part), now=NOW)
    tip_mm2, stated_mm2 = wide.nozzle_errors.tip_mm2, whole.nozzle_errors.tip_mm2
    assert tip_mm2 is not None
    assert stated_mm2 is not None
    way = values / np.linalg.norm(values)
    assert 1.96 * np.sqrt(way @ tip_mm2 @ way) >= np.linalg.norm(values)
    assert np.linalg.eigvalsh(tip_mm2 - stated_mm2).min() > 0.0
    axis, before = wide.nozzle_errors.axis_rad2, whole.nozzle_errors.axis_rad2
    assert axis is not None
    assert before is not None
    assert whole.nozzle is not None
    lever_mm = np.linalg.norm(whole.nozzle.tags.corners_mm.reshape(-1, 3).mean(axis=0))
    if again == ("tip",):
        assert axis is before
    else:
        assert radius_95_mm(axis) >= np.hypot(*at[:2]) / lever_mm


def test_a_camera_that_reads_wrong_has_a_bound_that_holds_it_with_and_without_its_radiometry(
    rig: Rig,
) -> None:
    assert rig.thermal is not None
    part = CheckedPart("temperature", "moved", "4 degC too warm", ("radiometry",), "4.0 +- 0.3 degC",
                       (Off(READS, np.array([4.0]), np.array([[(0.3 / 1.96) ** 2]])),))  # fmt: skip
    for camera in (rig.thermal, replace(rig.thermal, radiometry=None)):
        whole = replace(rig, thermal=camera, validity=marked(rig))
        wide = relied_on(whole, checked(part), now=NOW).thermal
        assert wide is not None
        assert wide.accuracy_degc == pytest.approx(camera.accuracy_degc + 4.3)
        if camera.radiometry is None:
            assert wide.radiometry is None
            continue
        then, now = (
            calibrated_at(one.radiometry, claim_degc=one.accuracy_degc, started=NOW) for one in (camera, wide)
        )
        assert then is not None
        assert now is not None
        at = np.array([2.0, 16.0, 31.0])
        assert (now.corrected_degc(at) == then.corrected_degc(at)).all(), "values stay"
        assert (then.bound_degc(at) < 4.0).all()
        assert (now.bound_degc(at) >= 4.0).all()


def test_times_that_are_off_lie_within_the_bound_of_the_clock(rig: Rig) -> None:
    assert rig.thermal is not None
    part = CheckedPart("time", "moved", "late", ("time",), "60 +- 8 ms",
                       (Off(TIMES, np.array([-0.06]), np.array([[(0.008 / 1.96) ** 2]])),))  # fmt: skip
    for camera, stated_s in ((rig.thermal, 0.002), (replace(rig.thermal, clock=None), 0.02)):
        wide = relied_on(replace(rig, thermal=camera, validity=marked(rig)), checked(part), now=NOW).thermal
        assert wide is not None
        assert wide.clock is not None
        assert wide.clock.u95_s == pytest.approx(stated_s + 0.068)
        assert wide.rgb_minus_thermal_s == camera.rgb_minus_thermal_s


def redone(validity: Validity, step: str, at: datetime) -> Validity:
    return Validity(tuple(replace(one, measured=at) if one.step == step else one for one in validity.found))


def test_what_was_calibrated_after_the_check_counts_no_more_and_another_step_does_not_end_it(
    rig: Rig,
) -> None:
    found, later = checked(cameras(turned(0.5)), at=NOW), NOW + timedelta(hours=1)
    for step, counts in (("thermal", False), ("rgb", True), ("tip", True)):
        whole = replace(rig, created=later, validity=redone(marked(rig), step, later))
        assert moved_steps(moved_parts(found, whole)) == (("thermal",) if counts else ())
        assert (relied_on(whole, found, now=later) is whole) is not counts
    plain = replace(rig, validity=Validity())
    assert moved_parts(found, replace(plain, created=later)) == (), "another rig, of another program"
    assert moved_steps(moved_parts(found, replace(plain, created=NOW - timedelta(days=1)))) == ("thermal",)


def test_a_tip_calibrated_since_leaves_the_axis_that_was_not(rig: Rig) -> None:
    part = CheckedPart("tip", "moved", "bent", ("tip", "axis"), "5 mm",
                       (Off(TIP, np.array([5.0, 0.0, 0.0]), 0.04 * np.eye(3)),))  # fmt: skip
    later = NOW + timedelta(hours=1)
    whole = replace(rig, validity=redone(marked(rig), "tip", later))
    wide = relied_on(whole, checked(part), now=later)
    assert wide.nozzle_errors.tip_mm2 is whole.nozzle_errors.tip_mm2
    axis, before = wide.nozzle_errors.axis_rad2, whole.nozzle_errors.axis_rad2
    assert axis is not None
    assert before is not None
    assert np.trace(axis) > np.trace(before)


def test_a_check_that_tells_no_size_leaves_a_part_open_as_one_that_nobody_measured(
    rig: Rig,
) -> None:
    """Checks of before told none."""
    whole = replace(rig, validity=marked(rig))
    for name, step in (("cameras", "thermal"), ("tip", "tip"), ("calibration", "jet")):
        part = CheckedPart(name, "moved", "changed by hand", (step,))
        wide = relied_on(whole, checked(part), now=NOW)
        ages = tuple(replace(one, measured=NOW - timedelta(days=365 if one.step == step else 0))
                     for one in whole.validity.found)  # fmt: skip
        old = relied_on(replace(whole, validity=Validity(ages)), None, now=NOW)
        if step == "thermal":
            assert wide.thermal is not None
            assert old.thermal is not None
            np.testing.assert_array_equal(wide.thermal.covariance, old.thermal.covariance)
        elif step == "tip":
            np.testing.assert_array_equal(wide.nozzle_errors.tip_mm2, old.nozzle_errors.tip_mm2)
        else:
            assert wide.jet is not None
            assert old.jet is not None
            assert wide.jet.within_factor == old.jet.within_factor
    radiometry = CheckedPart("temperature", "moved", "reads wrong", ("radiometry",))
    wide = relied_on(whole, checked(radiometry), now=NOW)
    assert wide.thermal is not None
    assert wide.thermal.radiometry is None


def test_what_a_check_says_of_ages_counts_by_those_ages_alone(rig: Rig) -> None:
    """Thirty days may have passed between a session and a check that was made after it."""
    whole = replace(rig, validity=marked(rig, days=40.0))
    old = CheckedPart("calibration", "moved", "found 40 days ago", tuple(RESTS_ON))
    assert moved_parts(checked(old), whole) == ()
    session = NOW - timedelta(days=35)
    assert relied_on(whole, checked(old), now=session) is whole
    by_hand = replace(old, again=("tip",))
    fresh = replace(rig, validity=marked(rig))
    assert moved_steps(moved_parts(checked(by_hand), fresh)) == ("tip",)


def test_a_later_check_that_could_not_judge_what_moved_does_not_end_it(rig: Rig) -> None:
    whole, later = replace(rig, validity=marked(rig)), NOW + timedelta(minutes=5)
    before = checked(cameras(turned(0.5)), CheckedPart("tip", "valid", "tip 0.3 mm off"))
    for state in ("not looked at", "unknown"):
        after = checked(
            CheckedPart("cameras", state, "not in sight"), CheckedPart("tip", state, ""), at=later
        )
        kept = with_what_was_found_before(after, before, whole)
        part, tip = kept.parts
        assert (part.state, part.found, part.again) == ("moved", NOW, ("thermal",))
        assert part.words.endswith(NOT_JUDGED)
        assert tip.state == state
        once_more = with_what_was_found_before(replace(after, checked=later), kept, whole)
        assert once_more.parts[0].words == part.words, "it is said once"
        assert once_more.parts[0].found == NOW
    good = checked(CheckedPart("cameras", "valid", "agree"), at=later)
    assert with_what_was_found_before(good, before, whole) is not before
    assert with_what_was_found_before(good, before, whole).parts[0].state == "valid"
    again = replace(whole, validity=redone(whole.validity, "thermal", later))
    unseen = checked(CheckedPart("cameras", "not looked at", ""), at=later + timedelta(minutes=1))
    assert with_what_was_found_before(unseen, before, again).parts[0].state == "not looked at"


def test_it_is_told_what_moved_by_which_check_and_what_has_wider_bounds(rig: Rig) -> None:
    whole = replace(rig, validity=marked(rig))
    words = moved_words(moved_parts(checked(cameras(turned(0.5))), whole))
    assert words == (
        "the thermal camera is turned; do calibrate thermal again (check of 2026-11-28 12:00 UTC); until then"
        " wider bounds are used for thermal camera and its place"
    )
    assert moved_words(()) == ""


def test_a_check_with_sizes_is_read_back_as_it_was_written() -> None:
    part = cameras(turned(0.5), off(CAMERAS[3:6], np.array([1.0, 2.0, 3.0])))
    done = checked(replace(part, found=NOW - timedelta(days=2)), CheckedPart("tip", "valid", "well"))
    back = read_checked(write_checked(done), where="")
    assert replace(back.parts[0], off=()) == replace(done.parts[0], off=())
    assert back.parts[1] == done.parts[1]
    for one, other in zip(back.parts[0].off, part.off, strict=True):
        assert one.parameters == other.parameters
        np.testing.assert_array_equal(one.values, other.values)
        np.testing.assert_array_equal(one.covariance, other.covariance)
