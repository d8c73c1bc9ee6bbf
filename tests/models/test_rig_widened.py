"""A part that no longer holds is used with wider bounds; one that holds as it is, to the last bit."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from models.camera import Camera
from models.depth_place import along_u95_mm
from models.rig import Rig
from models.rig_widened import lens_apart, loosened, widened, widened_words
from models.thermal_place import place_u95_px
from tests.models.rig_stated import NOW, lens, marked, stated_rig
from vision.synthetic_rig import real_rig
from vision.synthetic_scene import Scene


@pytest.fixture
def rig() -> Rig:
    return stated_rig()


def place_px(rig: Rig) -> float:
    assert rig.thermal is not None
    return place_u95_px(rig.thermal, np.array([[0.0, 0.0, 800.0], [80.0, 40.0, 850.0]]))


def bounds(rig: Rig) -> dict[str, float]:
    """A figure of every part that its bound rests on."""
    thermal, depth, errors, jet = rig.thermal, rig.depth, rig.nozzle_errors, rig.jet
    assert thermal is not None
    assert depth is not None
    assert thermal.spread is not None
    assert thermal.clock is not None
    assert thermal.spread.halo is not None
    assert jet is not None
    assert rig.rgb_covariance is not None
    assert errors.tip_mm2 is not None
    assert errors.axis_rad2 is not None
    assert errors.tag_sigma_mm is not None
    return {
        "rgb": float(rig.rgb_covariance[0, 0]),
        "thermal": place_px(rig),
        "spread": thermal.spread.u95_px + thermal.spread.halo.u95,
        "time": thermal.clock.u95_at_s(0.0),
        "collar": errors.tag_sigma_mm,
        "tip": float(np.trace(errors.tip_mm2)),
        "axis": float(np.trace(errors.axis_rad2)),
        "depth": along_u95_mm(depth, np.array([0.0, 0.0, 800.0]), np.array([0.0, 0.0, 1.0])),
        "jet": jet.within_factor + jet.half_u95_mm(100.0),
    }


def test_a_rig_all_of_whose_parts_hold_is_the_very_same(rig: Rig) -> None:
    assert widened(rig, now=NOW) is rig
    whole = replace(rig, validity=marked(rig, longer=0.0))
    assert widened(whole, now=NOW + timedelta(days=29)) is whole


def test_what_rests_on_an_exchanged_lens_widens_and_what_does_not_stays(rig: Rig) -> None:
    before, after = bounds(rig), bounds(widened(replace(rig, validity=marked(rig, other="rgb")), now=NOW))
    for step in ("thermal", "depth", "collar", "tip", "axis", "jet"):
        assert after[step] > 1.2 * before[step], step
    for step in ("rgb", "spread", "time"):
        assert after[step] == before[step], step


def test_a_lens_that_was_only_refined_opens_less_than_one_that_nobody_noted(rig: Rig) -> None:
    refined = bounds(widened(replace(rig, validity=marked(rig, other="rgb", longer=0.001)), now=NOW))
    unnoted = bounds(widened(replace(rig, validity=marked(rig, other="rgb")), now=NOW))
    exchanged = bounds(widened(replace(rig, validity=marked(rig, other="rgb", longer=0.2)), now=NOW))
    for step in ("thermal", "depth", "collar", "tip", "axis"):
        assert bounds(rig)[step] < refined[step] < unnoted[step] < exchanged[step], step
    assert refined["thermal"] < 1.5 * bounds(rig)["thermal"] + 1.0


def test_the_bound_holds_what_the_other_lens_did(rig: Rig) -> None:
    """A thermal camera found with a lens 1 % too long: where it looks is off by less than the bound."""
    found = marked(rig, other="rgb", longer=0.01)
    thermal = widened(replace(rig, validity=found), now=NOW).thermal
    assert thermal is not None
    edge = rig.rgb.unproject(np.array([[0.9 * rig.rgb.width_px, 0.9 * rig.rgb.height_px]]))
    fx, fy, cx, cy = lens(rig.rgb, longer=0.01)[:4]
    older = Camera(rig.rgb.width_px, rig.rgb.height_px, fx, fy, cx, cy, rig.rgb.distortion)
    moved = older.unproject(rig.rgb.project(edge * 800.0))
    px = [thermal.camera.project(thermal.thermal_from_rgb.apply(ray * 800.0)) for ray in (edge, moved)]
    assert np.linalg.norm(px[1] - px[0]) < place_u95_px(thermal, edge * 800.0)


def test_a_part_that_is_too_old_widens_more_the_older_it_is(rig: Rig) -> None:
    told = [bounds(widened(replace(rig, validity=marked(rig, days=d)), now=NOW)) for d in (0, 31, 120, 365)]
    for step in told[0]:
        figures = [one[step] for one in told]
        assert figures == sorted(set(figures)), step


def test_bounds_of_another_program_age_with_its_rig(rig: Rig) -> None:
    old = widened(replace(rig, created=NOW - timedelta(days=90)), now=NOW)
    marks = widened(replace(rig, validity=marked(rig, days=90)), now=NOW)
    assert bounds(old) == pytest.approx(bounds(marks))
    plain = real_rig(Scene())
    plain = replace(plain, created=NOW - timedelta(days=90))
    assert widened(plain, now=NOW) is plain, "it states no bounds"


def test_no_bound_becomes_smaller_and_no_value_changes(rig: Rig) -> None:
    for validity in (marked(rig, days=400), marked(rig, other="rgb"), marked(rig, other="collar")):
        wide = widened(replace(rig, validity=validity), now=NOW)
        assert wide.thermal is not None
        assert rig.thermal is not None
        for more, less in (
            (wide.rgb_covariance, rig.rgb_covariance),
            (wide.thermal.covariance, rig.thermal.covariance),
            (wide.nozzle_errors.tip_mm2, rig.nozzle_errors.tip_mm2),
            (wide.nozzle_errors.tag_mm2, rig.nozzle_errors.tag_mm2),
        ):
            assert more is not None
            assert less is not None
            assert np.linalg.eigvalsh(more - less).min() >= -1e-12
        assert wide.rgb is rig.rgb
        assert wide.nozzle is rig.nozzle
        assert wide.thermal.thermal_from_rgb is rig.thermal.thermal_from_rgb


def test_a_radiometry_found_with_another_spread_leaves_the_claim(rig: Rig) -> None:
    told = loosened(replace(rig, validity=marked(rig, other="spread")), now=NOW)
    wide = widened(replace(rig, validity=marked(rig, other="spread")), now=NOW)
    assert wide.thermal is not None
    assert wide.thermal.radiometry is None
    assert "claim alone holds" in widened_words(told)
    assert "jet of the device" in widened_words(told)


def test_a_tip_whose_collar_was_found_again_is_open_as_if_no_collar_had_been_calibrated(rig: Rig) -> None:
    wide = widened(replace(rig, validity=marked(rig, other="collar")), now=NOW)
    assert wide.nozzle_errors.tip_mm2 is not None
    assert 2.8 * np.sqrt(wide.nozzle_errors.tip_mm2[0, 0]) == pytest.approx(3.5, abs=0.1)


def test_a_collar_that_states_no_bound_stays_as_open_as_one_glued_by_hand(rig: Rig) -> None:
    """What is not stated is open already: a bound by half a year alone would be a smaller one."""
    unstated = replace(rig, nozzle_errors=replace(rig.nozzle_errors, tag_mm2=None))
    wide = widened(replace(unstated, validity=marked(rig, days=200)), now=NOW)
    assert wide.nozzle_errors.tag_mm2 is None


def test_lenses_are_as_far_apart_as_their_rays(rig: Rig) -> None:
    same = lens_apart(lens(rig.rgb), rig.rgb)
    assert same.share == 0.0
    assert same.rad == pytest.approx(0.0, abs=1e-12)
    longer = lens_apart(lens(rig.rgb, longer=0.01), rig.rgb)
    assert longer.share == pytest.approx(0.01)
    assert 0.002 < longer.rad < 0.01
