"""What a check does not find is told, and counts: a camera turned too little looks within the bound."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from calibration.check_cameras import UNLIKELY, USUAL_SIGMA, check_cameras
from calibration.check_parts import cameras_part
from calibration.check_unnoticed import SINGLE, least_found, may_be_off
from calibration.check_views import CAUSES
from calibration.sheets import TARGET
from models.geometry import Floats
from models.rig import Rig
from models.rig_checked import CheckedPart, RigChecked, read_checked, write_checked
from models.rig_moved import moved_parts, relied_on, with_what_was_found_before
from models.thermal_place import place_u95_px
from tests.calibration.test_check import KNOWN, RIG, views_of
from tests.calibration.test_check_widens import NOW, missed_px

TIGHT = np.diag(np.array([2e-4, 2e-4, 3e-4, 0.2, 0.2, 0.5, 1e-3, 1e-3]) ** 2)
"""As a rig that was calibrated well is known."""


def stating(known: Floats) -> Rig:
    """The rig, its covariance stated."""
    assert RIG.thermal is not None
    whole = np.zeros((15, 15))
    whole[9:, 9:] = known[:6, :6]
    whole[0, 0] = whole[1, 1] = whole[0, 1] = whole[1, 0] = known[6, 6] * RIG.thermal.camera.fx_px**2
    return replace(RIG, thermal=replace(RIG.thermal, covariance=whole))


def points_at(away_mm: float) -> Floats:
    return RIG.rgb.unproject(np.array([[320.0, 180.0], [200.0, 120.0]])) * away_mm


def u95_px(rig: Rig, away_mm: float) -> float:
    assert rig.thermal is not None
    return place_u95_px(rig.thermal, points_at(away_mm))


def test_a_turn_that_is_not_found_lies_within_the_bound_of_the_session_near_and_far() -> None:
    """Rigs that state nothing, turned by so little that most are not found: bounds of 0 before.

    Of 24 places a bound of 95 % leaves out 3 at most in 97 of 100 such runs.
    """
    outside = looks = named = 0
    for seed in range(8):
        rng = np.random.default_rng([seed, 5])
        causes = 0.5 * USUAL_SIGMA * rng.normal(size=len(CAUSES))
        causes[7] = 0.0
        causes[1] += np.radians(0.3)
        found = check_cameras(views_of(rng, causes), TARGET.corners_mm, RIG, known=KNOWN)
        named += found.state == "moved"
        wide = relied_on(RIG, RigChecked(NOW, "", (cameras_part(found),)), now=NOW)
        for away_mm in (400.0, 600.0, 1000.0):
            looks += 1
            outside += missed_px(causes, points_at(away_mm)) > u95_px(wide, away_mm)
    assert named < 4, "what this is about is what is not found"
    assert looks == 24
    assert outside <= 3


def test_half_a_degree_is_found_where_the_rig_states_how_well_it_is_known() -> None:
    """And what was found is told by its size: it is the rig's own bound that hides it elsewhere."""
    for seed in range(2):
        rng = np.random.default_rng([seed, 6])
        causes = np.sqrt(np.diag(TIGHT)) * rng.normal(size=len(CAUSES))
        still = check_cameras(views_of(rng, causes), TARGET.corners_mm, stating(TIGHT), known=KNOWN)
        assert still.state == "valid"
        assert still.unnoticed.turn_rad < np.radians(0.35)
        causes[1] += np.radians(0.5)
        found = check_cameras(views_of(rng, causes), TARGET.corners_mm, stating(TIGHT), known=KNOWN)
        assert found.state == "moved"
        assert "turned" in found.causes


def test_the_least_turn_told_is_found_as_often_as_told() -> None:
    """By draws of what the views say: 95 % of 4000, within 3 sigma of that count."""
    rng = np.random.default_rng(0)
    root = rng.normal(size=(8, 8))
    whole = root @ root.T * np.outer(np.sqrt(np.diag(TIGHT)), np.sqrt(np.diag(TIGHT)))
    on_skin = np.diag([800.0**2, 800.0**2, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0])
    least = least_found(whole, on_skin, unlikely=UNLIKELY, least_mm=0.0)
    weight = np.linalg.inv(whole)
    inner = weight[:3, :3]
    worst = max(
        (np.array([np.cos(way), np.sin(way) * np.cos(tilt), np.sin(way) * np.sin(tilt)])
         for way in np.linspace(0.0, np.pi, 60) for tilt in np.linspace(0.0, np.pi, 60)),
        key=lambda one: float((one @ on_skin[:3, :3] @ one) / (one @ inner @ one)),
    )  # fmt: skip
    size_mm = np.sqrt(worst @ on_skin[:3, :3] @ worst)
    turn = worst * least.on_skin_mm / size_mm
    seen = np.pad(turn, (0, 5)) + rng.multivariate_normal(np.zeros(8), whole, 4000)
    pull = (seen @ weight)[:, :3]
    explained = np.einsum("ni,ij,nj->n", pull, np.linalg.inv(inner), pull)
    named = float(np.mean(explained > 12.838))  # 0.5 % of chi squared with three degrees of freedom
    assert named == pytest.approx(0.95, abs=0.012)


def test_views_that_tell_little_leave_much_open_and_views_that_tell_much_leave_what_is_stated() -> None:
    rig = stating(TIGHT)
    for spread, grows in ((1e-6 * TIGHT, False), (100.0 * TIGHT, True)):
        part = CheckedPart("cameras", "valid", "agree", off=may_be_off(np.zeros(8), spread, TIGHT))
        assert len(part.off) == len(SINGLE)
        wide = relied_on(rig, RigChecked(NOW, "", (part,)), now=NOW)
        ratio = u95_px(wide, 800.0) / u95_px(rig, 800.0)
        assert ratio > 3.0 if grows else ratio == pytest.approx(1.0, abs=0.02)


def test_what_was_left_open_ends_with_calibration_and_not_with_a_check_that_was_shown_nothing() -> None:
    left = may_be_off(np.zeros(8), 100.0 * TIGHT, TIGHT)
    part = CheckedPart("cameras", "valid", "agree", off=left)
    before = RigChecked(NOW, "a" * 64, (part,))
    assert read_checked(write_checked(before), where="").parts[0].off[0].parameters == CAUSES
    assert moved_parts(before, RIG) == (), "nothing is said to have moved"
    later = NOW + timedelta(hours=1)
    unseen = RigChecked(later, "", (CheckedPart("cameras", "not looked at", "not in sight"),))
    kept = with_what_was_found_before(unseen, before, RIG)
    assert kept.parts[0].state == "not looked at"
    assert kept.parts[0].found == NOW
    assert u95_px(relied_on(RIG, kept, now=later), 800.0) == u95_px(relied_on(RIG, before, now=later), 800.0)
    again = replace(RIG, created=later)
    assert relied_on(again, kept, now=later) is again


def test_a_rig_that_states_nothing_and_is_surely_off_is_not_called_valid() -> None:
    """Off as honest rigs are, and turned by 0.5 degrees: whether it moved nobody can tell."""
    rng = np.random.default_rng([1, 77])
    causes = 0.5 * USUAL_SIGMA * rng.normal(size=len(CAUSES))
    causes[7] = 0.0
    causes[1] += np.radians(0.5)
    found = check_cameras(views_of(rng, causes, count=8), TARGET.corners_mm, RIG, known=KNOWN)
    part = cameras_part(found)
    assert (found.state, found.open_by_rig) == ("unknown", True)
    assert part.words.startswith("off by ")
    assert "the rig states no bound to hold that against; calibrate thermal" in part.words
    assert u95_px(relied_on(RIG, RigChecked(NOW, "", (part,)), now=NOW), 600.0) > missed_px(
        causes, points_at(600.0)
    )
