"""What an operator does to the zone moves its cells on the skin, live, in an analysis and in a replay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from guidance.pipeline import edited_since, step
from guidance.recording.told import told_in
from guidance.seen import seen_in
from guidance.session import Guidance, OperatorAction
from guidance.simulate import Wish, scene_of, setup_of
from guidance.stages.state import OnSkin, Setup, State, begin
from guidance.zone_actions import (
    AdjustZone,
    DragZone,
    KeepIn,
    LeaveOutCircle,
    LeaveOutOutline,
    MarkSpot,
    OutlineZone,
    Px,
    ResizeLeftOut,
    ZoneAction,
    ZoneAsFound,
)
from guidance.zone_work import made_of
from models.capture import Capture
from models.chart import PixelZone, PlacedChart
from models.exact_text import from_text, to_text
from models.geometry import Floats
from vision.synthetic import captures

SCENE = replace(scene_of(Wish(seconds=1.2)), size=0.5, gas_s=(0.9, 9.0))
SETUP = setup_of(SCENE)


@cache
def shown() -> tuple[Capture, ...]:
    return tuple(capture for capture, _ in captures(SCENE))


@cache
def placed() -> tuple[int, State]:
    """The first capture after the zone was found, and the state before it."""
    state = begin()
    for k, capture in enumerate(shown()):
        if state.on_skin is not None:
            return k, state
        state, _ = step(state, capture, SETUP)
    raise AssertionError("The zone is not placed.")


def after(*edits: ZoneAction, setup: Setup = SETUP) -> tuple[State, Guidance]:
    k, state = placed()
    return step(state, shown()[k], setup, at(shown()[k], edits))


def at(capture: Capture, edits: Sequence[ZoneAction]) -> tuple[ZoneAction, ...]:
    """As they come with a capture."""
    return tuple(replace(edit, t_s=capture.t_s) for edit in edits)


def on_chart(state: State) -> PlacedChart:
    assert state.on_skin is not None
    return state.on_skin.body.placed(state.on_skin.chart)


def px_of(points_mm: Floats) -> Floats:
    assert SETUP.rig is not None
    return SETUP.rig.rgb.project(points_mm)


def centre_px(state: State) -> Px:
    place = on_chart(state)
    x, y = px_of(place.rgb_from_chart.apply(place.chart.centre_mm)).tolist()
    return x, y


def ring(about: Px, radius_px: float, *, points: int = 12) -> tuple[Px, ...]:
    turn = np.linspace(0.0, 2.0 * np.pi, points, endpoint=False)
    return tuple((about[0] + radius_px * np.cos(a), about[1] + radius_px * np.sin(a)) for a in turn.tolist())


def zone_area(state: State) -> float:
    return on_chart(state).chart.zone_area_cm2


@cache
def found() -> State:
    return after()[0]


def test_the_zone_moves_as_far_on_the_skin_as_it_is_told_and_the_way_the_picture_shows() -> None:
    moved, _ = after(AdjustZone(0.3, right_mm=20.0))
    before, now = centre_px(found()), centre_px(moved)
    assert now[0] > before[0] + 5.0
    assert abs(now[1] - before[1]) < 2.0
    a, b = on_chart(found()), on_chart(moved)
    gone = a.rgb_from_chart.apply(a.chart.centre_mm) - b.rgb_from_chart.apply(b.chart.centre_mm)
    # The centre of a patch of curved skin lies a little below it, and the chart has cells of 5 mm.
    assert float(np.linalg.norm(gone)) == pytest.approx(20.0, abs=2.5)
    lower, _ = after(AdjustZone(0.3, down_mm=15.0))
    assert centre_px(lower)[1] > before[1] + 3.0
    assert zone_area(moved) == pytest.approx(zone_area(found()), rel=0.08)


def test_larger_and_smaller_are_so_on_the_skin() -> None:
    for scale in (0.7, 1.2):
        assert zone_area(after(AdjustZone(0.3, scale=scale))[0]) == pytest.approx(
            scale**2 * zone_area(found()), rel=0.06
        )


def test_a_turn_is_clockwise_in_the_picture() -> None:
    """The zone is longer along the limb, which lies across the picture: turned, its right end sinks."""
    turned, _ = after(AdjustZone(0.3, turn_deg=30.0, scale=0.8))
    place = on_chart(turned)
    px = px_of(place.position_rgb_mm[place.chart.in_zone])
    middle = px.mean(0)
    ahead = px[px[:, 0] > middle[0] + 15.0]
    assert ahead[:, 1].mean() > middle[1] + 1.0


def test_a_drag_takes_the_skin_at_one_place_to_the_other() -> None:
    start = centre_px(found())
    dragged, _ = after(DragZone(0.3, start, (start[0] - 12.0, start[1] + 4.0)))
    assert centre_px(dragged) == pytest.approx((start[0] - 12.0, start[1] + 4.0), abs=2.0)


def test_an_outline_by_hand_becomes_the_zone() -> None:
    about = centre_px(found())
    drawn, guidance = after(OutlineZone(0.3, ring(about, 22.0)))
    place = on_chart(drawn)
    assert place.chart.anchored_by == "tap"
    px = px_of(place.position_rgb_mm[place.chart.in_zone])
    away = np.linalg.norm(px - np.array(about), axis=1)
    assert away.max() < 22.0 + 3.0
    assert away.max() > 22.0 - 5.0
    assert guidance.edited is not None
    assert guidance.edited.outline == "by hand"
    # Off the skin that was found, it is laid on what depth shows there.
    elsewhere, told = after(OutlineZone(0.3, ring((about[0] - 110.0, about[1]), 18.0)))
    assert told.edited is not None
    assert told.edited.refused == ""
    assert centre_px(elsewhere) == pytest.approx((about[0] - 110.0, about[1]), abs=4.0)
    assert elsewhere.work.elsewhere


def test_what_is_marked_is_left_out_and_follows_its_size() -> None:
    about = centre_px(found())
    marked, guidance = after(LeaveOutCircle(0.3, about, 12.0))
    chart = on_chart(marked).chart
    assert chart.area_cm2[chart.left_out].sum() == pytest.approx(np.pi * 1.2**2, rel=0.15)
    assert not (chart.left_out & chart.in_zone).any()
    assert guidance.edited is not None
    assert [(one.number, one.kind, one.radius_mm) for one in guidance.edited.areas] == [(1, "circle", 12.0)]
    grown, _ = after(LeaveOutCircle(0.3, about, 12.0), ResizeLeftOut(0.3, 1, 20.0))
    chart = on_chart(grown).chart
    assert chart.area_cm2[chart.left_out].sum() == pytest.approx(np.pi * 2.0**2, rel=0.15)
    kept, _ = after(LeaveOutCircle(0.3, about, 12.0), KeepIn(0.3, 1))
    assert not on_chart(kept).chart.left_out.any()
    outlined, _ = after(LeaveOutOutline(0.3, ring(about, 8.0)))
    px = px_of(on_chart(outlined).position_rgb_mm[on_chart(outlined).chart.left_out])
    assert np.linalg.norm(px - np.array(about), axis=1).max() < 11.0


def test_what_is_left_out_stays_on_its_skin_whatever_becomes_of_the_outline() -> None:
    about = centre_px(found())
    where = []
    for edits in (
        (),
        (AdjustZone(0.3, right_mm=10.0),),
        (OutlineZone(0.3, ring(about, 30.0)),),
        (ZoneAsFound(0.3),),
    ):
        state, _ = after(LeaveOutCircle(0.3, about, 12.0), *edits)
        chart = on_chart(state).chart
        where.append(px_of(on_chart(state).position_rgb_mm[chart.left_out]).mean(0))
    assert np.linalg.norm(np.array(where) - where[0], axis=1).max() < 1.5


def test_back_to_what_was_found_is_back_to_the_last_cell() -> None:
    about = centre_px(found())
    back, _ = after(
        AdjustZone(0.3, right_mm=20.0, turn_deg=10.0), OutlineZone(0.3, ring(about, 20.0)), ZoneAsFound(0.3)
    )
    for name in ("in_zone", "tile", "position_mm"):
        assert np.array_equal(getattr(on_chart(back).chart, name), getattr(on_chart(found()).chart, name))


@pytest.mark.parametrize(
    ("edits", "why"),
    [
        ((AdjustZone(0.3, right_mm=45.0), AdjustZone(0.3, right_mm=45.0)), "outline it by hand"),
        ((AdjustZone(0.3, scale=0.5), AdjustZone(0.3, scale=0.5)), "too far from the size"),
        ((DragZone(0.3, (3.0, 3.0), (5.0, 5.0)),), "no known skin"),
        ((MarkSpot(0.3, (3.0, 3.0)),), "no known skin"),
        ((KeepIn(0.3, 7),), "not left out any more"),
        ((ResizeLeftOut(0.3, 7, 10.0),), "not left out any more"),
        (
            (OutlineZone(0.3, ((300.0, 180.0), (340.0, 210.0), (340.0, 180.0), (300.0, 210.0))),),
            "crosses itself",
        ),
        ((OutlineZone(0.3, ((320.0, 190.0), (321.0, 190.0), (321.0, 191.0))),), "smaller than 1 cm2"),
        (
            (OutlineZone(0.3, ((130.0, 172.0), (510.0, 172.0), (510.0, 212.0), (130.0, 212.0))),),
            "draw it smaller",
        ),
        ((OutlineZone(0.3, ((320.0, 190.0), (2000.0, 190.0), (321.0, 300.0))),), "past the picture"),
    ],
)
def test_what_cannot_be_done_changes_nothing_and_says_why(edits: Sequence[ZoneAction], why: str) -> None:
    allowed, _ = after(*edits[:-1])
    state, guidance = after(*edits)
    assert guidance.edited is not None
    assert why in guidance.edited.refused
    assert guidance.edited.count == len(edits)
    assert np.array_equal(on_chart(state).chart.in_zone, on_chart(allowed).chart.in_zone)


def test_what_leaves_no_skin_to_treat_is_refused() -> None:
    about = centre_px(found())
    state, guidance = after(OutlineZone(0.3, ring(about, 12.0)), LeaveOutCircle(0.3, about, 60.0))
    assert guidance.edited is not None
    assert "No skin" in guidance.edited.refused
    assert on_chart(state).chart.in_zone.any()


def test_nothing_is_changed_once_gas_has_flowed() -> None:
    k, state = placed()
    for capture in shown()[k:-1]:
        state, _ = step(state, capture, SETUP)
    assert state.gas_total_s > 0.0
    last = shown()[-1]
    after_it, guidance = step(state, last, SETUP, (AdjustZone(last.t_s, right_mm=20.0),))
    assert guidance.edited is not None
    assert "Gas has flowed" in guidance.edited.refused
    assert np.array_equal(on_chart(after_it).chart.in_zone, on_chart(state).chart.in_zone)


def edits_by_capture() -> Mapping[int, tuple[ZoneAction, ...]]:
    return {
        0: (AdjustZone(0.3, right_mm=15.0, turn_deg=10.0),),
        1: (LeaveOutCircle(0.3, centre_px(found()), 10.0), MarkSpot(0.3, centre_px(found()))),
        2: (OutlineZone(0.3, ring(centre_px(found()), 28.0)),),
        3: (AdjustZone(0.3, down_mm=-4.0, scale=0.9),),
    }


def test_replayed_from_what_was_seen_an_edited_session_gives_the_same_to_the_last_bit() -> None:
    k0, _ = placed()
    live, again, states = begin(), begin(), []
    for k, capture in enumerate(shown()):
        actions = at(capture, edits_by_capture().get(k - k0, ()))
        live, told = step(live, capture, SETUP, actions)
        seen = replace(capture, bgr=None, seen=seen_in(live, capture, told))
        recorded = tuple(from_text(to_text(action), OperatorAction) for action in actions)
        again, told_again = step(again, seen, SETUP, recorded)
        assert to_text(told_in(told)) == to_text(told_in(told_again))
        states.append((live, again))
    live, again = states[-1]
    for name in ("in_zone", "left_out", "position_mm", "tile"):
        assert np.array_equal(getattr(on_chart(live).chart, name), getattr(on_chart(again).chart, name))
    assert live.gas_total_s > 0.0


def treated(*edits: ZoneAction) -> OnSkin:
    """All captures, the edits with the first one after the zone was found."""
    k0, state = placed()
    for capture in shown()[k0:]:
        state, _ = step(state, capture, SETUP, at(capture, edits if capture is shown()[k0] else ()))
    assert state.on_skin is not None
    return state.on_skin


def test_the_dose_lands_in_the_zone_as_it_was_made_and_what_is_left_out_is_none_of_it() -> None:
    as_found = treated()
    most = int(np.argmax(as_found.exposure.dwell_s))
    assert as_found.chart.in_zone[most]
    x, y = px_of(as_found.body.rgb_from_chart.apply(as_found.chart.position_mm[most])).tolist()
    share = {}
    for name, edits in {
        "left out": (LeaveOutCircle(0.3, (x, y), 15.0),),
        "outlined there": (OutlineZone(0.3, ring((x, y), 20.0)),),
        "outlined elsewhere": (OutlineZone(0.3, ring((x - 60.0, y), 20.0)),),
    }.items():
        on_skin = treated(*edits)
        chart, dwell_s = on_skin.chart, on_skin.exposure.dwell_s
        assert (chart.tile[~chart.in_zone] == -1).all()
        share[name] = float(dwell_s[chart.in_zone].sum() / dwell_s.sum())
        if name == "left out":
            # None of it is forgotten.
            assert dwell_s.sum() == pytest.approx(as_found.exposure.dwell_s.sum(), rel=0.01)
            assert dwell_s[chart.left_out].max() == pytest.approx(dwell_s.max())
    assert share["outlined elsewhere"] < 0.05
    assert share["left out"] < share["outlined there"]


def test_an_edit_shows_before_the_next_capture_comes_and_the_next_step_makes_the_same() -> None:
    k, state = placed()
    state, told = step(state, shown()[k], SETUP)
    edit = AdjustZone(shown()[k].t_s, right_mm=20.0)
    seen = edited_since(state, told, shown()[k], SETUP, (edit,))
    assert isinstance(seen.zone, PlacedChart)
    assert seen.exposure is not None
    assert len(seen.zone.chart) == len(seen.exposure.dwell_s)
    after_it, _ = step(state, shown()[k + 1], SETUP, (edit,))
    assert np.array_equal(seen.zone.chart.in_zone, on_chart(after_it).chart.in_zone)
    assert edited_since(state, told, shown()[k], SETUP, ()) is told


def test_without_anything_found_an_outline_by_hand_places_the_zone_by_what_shows_the_skin() -> None:
    """No tap, no landmarks: depth shows the skin; without depth only the outline's size does."""
    about = centre_px(found())
    bare = replace(SETUP, treatment=replace(SETUP.treatment, taps=()))
    for depth, surface in ((True, "depth"), (False, "body_model")):
        setup = replace(bare, depth_expected=depth)
        state, guidance = step(begin(), replace(shown()[0], depth=()), setup)
        assert state.on_skin is None
        for k, capture in enumerate(shown()[1:], 1):
            given = capture if depth else replace(capture, depth=())
            edits = (OutlineZone(0.1, ring(about, 28.0)),) if k == 1 else ()
            state, guidance = step(state, given, setup, at(given, edits))
        assert state.on_skin is not None
        assert state.on_skin.chart.surface_by == surface
        assert state.on_skin.chart.anchored_by == "tap"
        assert centre_px(state) == pytest.approx(about, abs=4.0)
        if not depth:
            assert guidance.jet is None
            assert any("guessed from the outline's size" in remark for remark in state.remarks)


def test_without_a_rig_the_outline_by_hand_is_pixels_and_says_so() -> None:
    setup = replace(SETUP, rig=None, treatment=replace(SETUP.treatment, taps=()))
    outline = ring((320.0, 190.0), 30.0)
    state, guidance = step(begin(), shown()[0], setup)
    edits = {
        1: (OutlineZone(0.1, outline), LeaveOutOutline(0.1, ring((320.0, 190.0), 5.0))),
        2: (AdjustZone(0.2),),
    }
    for k, capture in enumerate(shown()[1:4], 1):
        state, guidance = step(state, capture, setup, at(capture, edits.get(k, ())))
    assert isinstance(guidance.zone, PixelZone)
    assert guidance.zone.outline_px == pytest.approx(np.array(outline))
    assert len(guidance.zone.left_out_px) == 1
    assert guidance.exposure is None
    assert guidance.edited is not None
    assert "Without a rig" in guidance.edited.refused


def test_a_session_that_goes_on_takes_over_what_was_made_of_the_zone() -> None:
    about = centre_px(found())
    for edits in ((AdjustZone(0.3, right_mm=15.0),), (OutlineZone(0.3, ring(about, 25.0)),)):
        before, _ = after(LeaveOutCircle(0.3, about, 10.0), *edits)
        made = made_of(before.work)
        assert made is not None
        setup = from_text(to_text(replace(SETUP, made=made, eyes=None)), Setup)
        state, guidance = step(begin(), shown()[0], setup)
        for capture in shown()[1 : placed()[0] + 1]:
            state, guidance = step(state, capture, setup)
        assert np.array_equal(on_chart(state).chart.in_zone, on_chart(before).chart.in_zone)
        assert np.array_equal(on_chart(state).chart.left_out, on_chart(before).chart.left_out)
        assert guidance.edited is not None
        assert len(guidance.edited.areas) == 1
        # A new area gets a number of its own.
        later = shown()[placed()[0] + 1]
        more = LeaveOutCircle(0.4, (about[0] + 10.0, about[1]), 5.0)
        _, told = step(state, later, setup, at(later, (more,)))
        assert told.edited is not None
        assert [one.number for one in told.edited.areas] == [1, 2]
    elsewhere, _ = after(OutlineZone(0.3, ring((about[0] - 110.0, about[1]), 18.0)))
    assert made_of(elsewhere.work) is None
