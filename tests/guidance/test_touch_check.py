"""The touch check: what it measures with the tip on a known place of the skin, beside the truth."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from guidance.pipeline import step
from guidance.session import Guidance
from guidance.simulate import setup_of
from guidance.stages.state import Setup, begin
from guidance.treatment.touch_check import Touch, TouchTrack, limits_mm, measured, seen
from guidance.zone_actions import MarkSpot
from models.catalogue import load_protocols
from models.chart import PlacedChart
from models.geometry import unit
from models.jet import half_radius_mm
from tests.touching import ABOVE_MM, COMES_S, LEAN_DEG, touching_scene
from vision.synthetic import captures


@cache
def played() -> tuple[Setup, tuple[tuple[Guidance, Touch], ...]]:
    """The tip on the marked spot; each step with what the check measures then."""
    scene = touching_scene(seconds=1.7, gas_s=5.0)
    setup, state, track, told = setup_of(scene), begin(), TouchTrack(), []
    assert setup.rig is not None
    marked = False
    for capture, _ in captures(scene):
        actions = ()
        if state.on_skin is not None and not marked:
            spot_mm = scene.rgb_from_body(capture.t_s).apply(scene.body.skin(np.array(0.0), np.array(0.0)))
            x, y = setup.rig.rgb.project(spot_mm).tolist()
            actions, marked = (MarkSpot(capture.t_s, (x, y)),), True
        state, guidance = step(state, capture, setup, actions)
        track = seen(track, guidance)
        told.append((guidance, measured(track, guidance, setup)))
    return setup, tuple(told)


def test_a_tip_on_the_marked_spot_passes_and_its_offset_lies_within_its_bound() -> None:
    _, told = played()
    last = told[-1][1]
    assert last.state == "ok", last
    assert last.target == "marked spot"
    assert last.along_mm is not None
    assert last.along_u95_mm is not None
    assert last.across_mm is not None
    assert last.across_u95_mm is not None
    # The nozzle leans by 35 degrees: so far from the skin along the jet, 2 mm, is less above it.
    assert abs(last.along_mm - ABOVE_MM * np.cos(np.radians(LEAN_DEG))) < last.along_u95_mm
    assert last.across_mm < last.across_u95_mm
    assert last.along_u95_mm < 8.0
    assert last.across_u95_mm < 8.0


def test_a_tip_that_moves_is_not_taken_and_one_that_has_come_to_rest_is_after_a_second() -> None:
    _, told = played()
    for guidance, touch in told:
        if guidance.t_s < COMES_S + 0.9:
            assert touch.state != "ok"
    waiting = [touch.words for _, touch in told if touch.state == "waiting"]
    assert "Hold still." in waiting
    assert "Put the tip on the marked spot." in waiting


@pytest.mark.parametrize(
    ("beside_mm", "why"), [(11.0, "Farther off than the rig allows"), (25.0, "Too far off")]
)
def test_a_tip_beside_the_spot_is_measured_there_and_refused(beside_mm: float, why: str) -> None:
    """The same, had another spot been marked."""
    setup, told = played()
    track = TouchTrack()
    for guidance, _ in told:
        track = seen(track, guidance)
    last = told[-1][0]
    assert last.edited is not None
    assert last.edited.spot_chart_mm is not None
    assert isinstance(last.zone, PlacedChart)
    near = int(np.argmin(np.linalg.norm(last.zone.chart.position_mm - last.edited.spot_chart_mm, axis=1)))
    along = np.cross(last.zone.chart.normal[near], [0.0, 1.0, 0.0])
    elsewhere = last.edited.spot_chart_mm + beside_mm * unit(along)
    touch = measured(track, replace(last, edited=replace(last.edited, spot_chart_mm=elsewhere)), setup)
    assert touch.state == "refused"
    assert why in touch.words
    assert touch.across_mm == pytest.approx(beside_mm, abs=3.0)


def test_without_rig_or_zone_it_says_that_it_cannot_be_done() -> None:
    setup, told = played()
    guidance = told[-1][0]
    for without in (replace(setup, rig=None), setup):
        here = guidance if without.rig is None else told[0][0]
        assert measured(TouchTrack(), here, without).state == "cannot"


def test_a_bound_that_is_too_wide_never_passes() -> None:
    setup, told = played()
    track = TouchTrack()
    for guidance, _ in told:
        track = seen(track, guidance)
    wide = replace(
        track,
        samples=tuple(
            replace(one, covariance_mm2=one.covariance_mm2 + 400.0 * np.eye(3)) for one in track.samples
        ),
    )
    touch = measured(wide, told[-1][0], setup)
    assert touch.state == "refused"
    assert "too badly" in touch.words


@pytest.mark.parametrize("name", sorted(load_protocols()))
def test_the_limits_are_what_the_protocol_bears(name: str) -> None:
    protocol = load_protocols()[name]
    along, across = limits_mm(protocol, bore_mm=12.0)
    assert protocol.distance.warn_low_mm - along == protocol.distance.stop_low_mm
    assert across == half_radius_mm(protocol.distance.nominal_mm, bore_mm=12.0)
    assert 10.0 <= along <= 40.0
    assert 10.0 <= across <= 40.0
