"""The chart goes where the body goes, says how well, and never claims to follow what nobody saw."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guidance.alarms.judge import PATIENT_JUMP_MM
from models.capture import DepthPicture
from models.geometry import Bytes, Floats, Pose
from models.sightings import NozzleSighting, TagPatch
from tests.rendered_limb import RenderedLimb, nozzle_over
from vision.follow import Witness, begin, follow
from vision.followed import HELD_LONGEST_S, HELD_LOST_MM, HOLD_S, PLACED_MM, BodyTrack
from vision.likeness import likeness_of, look_at, matched, search

SCENE = RenderedLimb()
STEP_S = 1.0 / 15.0
Way = Callable[[float], Floats]


def still(_: float) -> Floats:
    return np.zeros(3)


def run(
    way: Way,
    *,
    to_s: float,
    colour: Callable[[float, Floats], Bytes | None] | None = None,
    depth_every: int = 0,
    nozzle: Callable[[float], NozzleSighting | None] = lambda _: None,
    patches: Callable[[Floats], list[TagPatch]] = lambda _: [],
) -> Iterator[tuple[float, BodyTrack, float]]:
    """Follow the limb on its way; yields time, track and the error of the chart's centre, mm."""
    chart, track = SCENE.chart, None
    for k in range(round(to_s / STEP_S) + 1):
        t_s = k * STEP_S
        moved = way(t_s)
        held = nozzle(t_s)
        bgr = SCENE.colour(moved_mm=moved, nozzle=held, seed=k) if colour is None else colour(t_s, moved)
        depth = SCENE.depth(t_s, moved_mm=moved, seed=k) if depth_every and k % depth_every == 0 else None
        witness = Witness(bgr, depth, patches(moved), held)
        if track is None:
            track = begin(chart, witness, rig=SCENE.rig, t_s=t_s)
        else:
            track = follow(track, chart, witness, rig=SCENE.rig, t_s=t_s)
        centre = track.rgb_from_chart.apply(chart.centre_mm)
        yield t_s, track, float(np.linalg.norm(centre - chart.centre_mm - moved))


def no_picture(_: float, __: Floats) -> None:
    return None


def across_mm(track: BodyTrack, moved: Floats) -> float:
    """Error of the chart's centre across the line of sight."""
    centre = SCENE.chart.centre_mm
    off = track.rgb_from_chart.apply(centre) - centre - moved
    ray = centre / np.linalg.norm(centre)
    return float(np.linalg.norm(off - (off @ ray) * ray))


def test_a_body_at_rest_stays_where_it_is() -> None:
    for _, track, error_mm in run(still, to_s=1.0):
        assert track.state == "placed"
        assert error_mm < 1.0
        assert track.jump_mm < 2.0


@pytest.mark.parametrize("towards", [(0.0, 1.0, 0.0), (1.0, 0.0, 0.0), (0.6, -0.8, 0.0)])
def test_a_slow_shift_of_30_mm_is_followed_within_2_mm_and_is_no_jump(
    towards: tuple[float, float, float],
) -> None:
    """10 mm/s for 3 s."""

    def way(t_s: float) -> Floats:
        return 10.0 * t_s * np.array(towards)

    for t_s, track, _ in run(way, to_s=3.0):
        assert track.state == "placed"
        assert across_mm(track, way(t_s)) < 2.0
        assert track.jump_mm < PATIENT_JUMP_MM


@pytest.mark.parametrize(
    "shift_mm", [(0.0, 30.0, 0.0), (30.0, 0.0, 0.0), (-20.0, 25.0, 0.0), (12.0, -18.0, 0.0)]
)
def test_a_sudden_shift_is_told_as_a_jump_and_followed_within_2_mm(
    shift_mm: tuple[float, float, float],
) -> None:
    def way(t_s: float) -> Floats:
        return np.array(shift_mm) if t_s >= 0.5 else np.zeros(3)

    jumps = {}
    for t_s, track, _ in run(way, to_s=1.4):
        jumps[t_s] = track.jump_mm
        if not 0.5 <= t_s < 0.8:
            assert across_mm(track, way(t_s)) < 2.0, t_s
            assert track.state == "placed"
    assert max(jump for t_s, jump in jumps.items() if t_s < 0.5) < 3.0
    assert max(jump for t_s, jump in jumps.items() if t_s < 0.7) > PATIENT_JUMP_MM
    assert list(jumps.values())[-1] < PATIENT_JUMP_MM


def test_breathing_is_followed_along_the_normal_by_depth() -> None:
    """6 mm up and down at 0.27 Hz, depth at 3.75 Hz: measured 0.4 mm p95."""

    def way(t_s: float) -> Floats:
        return np.array([0.0, 0.0, 3.0 * np.sin(2.0 * np.pi * 0.27 * t_s)])

    errors, inside = [], []
    for t_s, track, error_mm in run(way, to_s=6.0, depth_every=4):
        assert track.state == "placed"
        assert track.jump_mm < PATIENT_JUMP_MM
        if t_s > 0.5:
            errors.append(error_mm)
            inside.append(error_mm <= track.u95_mm)
    assert np.percentile(errors, 95) < 2.0
    assert np.mean(inside) > 0.95


def test_a_late_depth_picture_is_taken_at_its_own_time() -> None:
    """20 mm/s towards the camera, seen by depth alone and 0.13 s late.

    Taken for a picture of now it leaves the whole way of that time, 2.7 mm, beside the lag of the filter.
    Measured: 1.6 mm of it are gained (3.2 mm off become 1.6); the rest is the speed that the state forgets.
    """
    late, last = 2, 29
    chart = SCENE.chart

    def moved_mm(k: int) -> Floats:
        return np.array([0.0, 0.0, -20.0 * k * STEP_S])

    def error_mm(stamp_late: int) -> float:
        track = None
        for k in range(late, last + 1):
            picture = SCENE.depth((k - stamp_late) * STEP_S, moved_mm=moved_mm(k - late), seed=k)
            witness = Witness(None, picture, [], None)
            if track is None:
                track = begin(chart, witness, rig=SCENE.rig, t_s=k * STEP_S)
            else:
                track = follow(track, chart, witness, rig=SCENE.rig, t_s=k * STEP_S)
        assert track is not None
        centre = track.rgb_from_chart.apply(chart.centre_mm)
        return float(abs((centre - chart.centre_mm - moved_mm(last))[2]))

    gained_mm = error_mm(0) - error_mm(late)
    assert gained_mm > 0.5 * 20.0 * late * STEP_S


def test_without_depth_the_bound_says_that_the_way_along_the_line_of_sight_is_not_known() -> None:
    def way(t_s: float) -> Floats:
        return np.array([0.0, 0.0, -4.0 * min(t_s, 1.0)])

    for t_s, track, error_mm in run(way, to_s=2.0):
        if t_s > 0.2:
            assert error_mm <= track.u95_mm


def test_the_stated_bound_covers_the_error_on_a_restless_body() -> None:
    def way(t_s: float) -> Floats:
        return np.array([4.0 * np.sin(2.1 * t_s), 6.0 * np.sin(1.3 * t_s), 2.0 * np.sin(1.7 * t_s)])

    inside = [error_mm <= track.u95_mm for _, track, error_mm in run(way, to_s=4.0, depth_every=4)]
    assert np.mean(inside) > 0.95


def test_skin_tags_carry_the_chart_in_every_direction() -> None:
    """Without texture and depth: two tags tell the shift, towards the camera as well."""

    def way(t_s: float) -> Floats:
        return 8.0 * t_s * np.array([0.5, 0.5, -0.7])

    def plain(_: float, __: Floats) -> Bytes:
        return np.full((360, 640, 3), 128, np.uint8)

    for _, track, error_mm in run(way, to_s=2.0, colour=plain, patches=tags):
        assert track.state == "placed"
        assert error_mm < 2.0
        assert track.u95_mm < 6.0


def tags(moved: Floats) -> list[TagPatch]:
    places = SCENE.limb.at(np.array([-0.4, 0.5, 0.1]), np.array([-50.0, 40.0, 80.0]))
    return [TagPatch(100 + k, Pose.of(np.eye(3), place + moved), 1.5, 4.0) for k, place in enumerate(places)]


def test_a_nozzle_that_sweeps_over_the_zone_does_not_drag_the_chart_along() -> None:
    def nozzle(t_s: float) -> NozzleSighting:
        place = SCENE.limb.centre_mm + np.array([0.0, 60.0 * np.sin(3.0 * t_s), 0.0])
        return nozzle_over(place, t_s=t_s, leaning=(0.3, 0.5))

    for t_s, track, error_mm in run(still, to_s=2.5, nozzle=nozzle):
        assert error_mm < 1.5, t_s
        assert track.jump_mm < 3.0


@pytest.mark.parametrize("change", [-0.1, 0.1, 0.2])
def test_an_exposure_that_changes_is_no_motion(change: float) -> None:
    """A darker limb looks like one farther away: 4 mm for a tenth, if the change is not taken out."""

    def exposed(t_s: float, moved: Floats) -> Bytes:
        picture = SCENE.colour(moved_mm=moved, seed=round(100 * t_s))
        return np.clip(picture * (1.0 - change * min(t_s, 1.0)), 0.0, 255.0).astype(np.uint8)

    for _, track, error_mm in run(still, to_s=1.2, colour=exposed):
        assert error_mm < 1.0
        assert track.jump_mm < 3.0


@pytest.mark.parametrize("how", ["no picture", "covered"])
def test_what_is_not_seen_is_held_then_lost_with_a_growing_bound(how: str) -> None:
    """Seen for half a second, then nothing."""
    grey = np.full((360, 640, 3), 95, np.uint8)

    def sight(t_s: float, moved: Floats) -> Bytes | None:
        if t_s < 0.5:
            return SCENE.colour(moved_mm=moved, seed=round(100 * t_s))
        return None if how == "no picture" else grey

    states, bounds = [], []
    for t_s, track, _ in run(still, to_s=14.0, colour=sight):
        if t_s >= 0.5:
            states.append((t_s, track.state))
            bounds.append(track.u95_mm)
    last_seen_s = 0.5 - STEP_S
    assert all(state != "placed" for t_s, state in states if t_s > last_seen_s + HOLD_S + STEP_S)
    order = [state for _, state in states]
    assert order == sorted(order, key=["placed", "held", "lost"].index)
    assert order[-1] == "lost"
    assert "held" in order
    assert (np.diff(bounds) > 0.0).all()
    first_lost = order.index("lost")
    assert bounds[first_lost] > HELD_LOST_MM or states[first_lost][0] - last_seen_s > HELD_LONGEST_S


def test_a_cover_that_looks_like_pale_skin_is_not_taken_for_it_for_long() -> None:
    """Skin of little contrast under a plain sheet: no cell looks very different, yet nothing is followed."""
    pale = RenderedLimb(contrast=0.2)
    sheet = np.full((360, 640, 3), 128, np.uint8)
    track = begin(pale.chart, Witness(pale.colour(), None, [], None), rig=pale.rig, t_s=0.0)
    for k in range(1, 60):
        bgr = pale.colour(seed=k) if k < 8 else sheet
        track = follow(track, pale.chart, Witness(bgr, None, [], None), rig=pale.rig, t_s=k * STEP_S)
        if k == 7:
            assert track.state == "placed"
    assert track.state in ("held", "lost")
    assert track.u95_mm > PLACED_MM


def test_a_chart_that_was_held_is_found_again() -> None:
    grey = np.full((360, 640, 3), 95, np.uint8)

    def way(t_s: float) -> Floats:
        return np.array([0.0, 8.0, 0.0]) if t_s >= 1.0 else np.zeros(3)

    def sight(t_s: float, moved: Floats) -> Bytes:
        return grey if 0.5 <= t_s < 1.2 else SCENE.colour(moved_mm=moved, seed=round(100 * t_s))

    for t_s, track, _ in run(way, to_s=1.8, colour=sight):
        if 0.8 <= t_s < 1.2:
            assert track.state == "held"
        elif t_s >= 1.4:
            assert track.state == "placed"
            assert across_mm(track, way(t_s)) < 2.0


def test_nothing_that_was_handed_over_is_changed() -> None:
    bgr, depth = SCENE.colour(), SCENE.depth(0.0)
    before = bgr.copy(), depth.depth_mm.copy()
    witness = Witness(bgr, depth, [], None)
    track = begin(SCENE.chart, witness, rig=SCENE.rig, t_s=0.0)
    first = follow(track, SCENE.chart, witness, rig=SCENE.rig, t_s=0.1)
    second = follow(track, SCENE.chart, witness, rig=SCENE.rig, t_s=0.1)
    assert (bgr == before[0]).all()
    assert (depth.depth_mm == before[1]).all()
    assert (first.rgb_from_chart.matrix == second.rgb_from_chart.matrix).all()
    assert (first.covariance == second.covariance).all()


def test_a_chart_laid_while_the_nozzle_hid_part_of_it_is_followed_by_the_rest() -> None:
    held = nozzle_over(SCENE.limb.centre_mm, t_s=0.0, leaning=(0.2, 0.4))
    bgr = SCENE.colour(nozzle=held)
    track = begin(SCENE.chart, Witness(bgr, None, [], held), rig=SCENE.rig, t_s=0.0)
    assert track.likeness is not None
    assert 0.2 < track.likeness.seen.mean() < 0.9
    for k in range(1, 8):
        moved = np.array([0.0, 1.0 * k, 0.0])
        seen = Witness(SCENE.colour(moved_mm=moved, seed=k), None, [], None)
        track = follow(track, SCENE.chart, seen, rig=SCENE.rig, t_s=k * STEP_S)
        assert across_mm(track, moved) < 2.0


def test_a_hand_over_the_whole_zone_holds_the_chart() -> None:
    """Nothing of it is visible: no witness, and no failure either."""
    over = nozzle_over(SCENE.limb.centre_mm, t_s=0.0, distance_mm=30.0, leaning=(0.02, 0.01))
    track = begin(SCENE.chart, Witness(SCENE.colour(), None, [], None), rig=SCENE.rig, t_s=0.0)
    for k in range(1, 6):
        seen = Witness(SCENE.colour(nozzle=over, seed=k), None, [], over)
        track = follow(track, SCENE.chart, seen, rig=SCENE.rig, t_s=k * STEP_S)
    assert track.state == "held"
    assert np.isnan(track.matched)


def test_a_chart_laid_under_a_hand_is_followed_once_the_hand_is_away() -> None:
    over = nozzle_over(SCENE.limb.centre_mm, t_s=0.0, distance_mm=30.0, leaning=(0.02, 0.01))
    hidden = Witness(SCENE.colour(nozzle=over), None, [], over)
    track = begin(SCENE.chart, hidden, rig=SCENE.rig, t_s=0.0)
    assert track.likeness is None
    for k in range(1, 8):
        seen = Witness(SCENE.colour(seed=k), None, [], None)
        track = follow(track, SCENE.chart, seen, rig=SCENE.rig, t_s=k * STEP_S)
    assert track.likeness is not None
    assert track.state == "placed"


def test_depth_that_belongs_to_something_else_is_left_out() -> None:
    """A towel 200 mm above the zone moves no chart."""
    near = DepthPicture(0.1, np.full((240, 320), 700, np.uint16))
    bgr = SCENE.colour()
    track = begin(SCENE.chart, Witness(bgr, SCENE.depth(0.0), [], None), rig=SCENE.rig, t_s=0.0)
    later = follow(track, SCENE.chart, Witness(bgr, near, [], None), rig=SCENE.rig, t_s=0.1)
    assert np.linalg.norm(later.rgb_from_chart.translation_mm) < 0.5


@pytest.mark.parametrize("aside_mm", [250.0, 330.0, 500.0])
def test_skin_past_what_the_lens_is_known_for_is_compared_with_nothing(aside_mm: float) -> None:
    """Half past the fold, and all of it: neither a match nor a shift is made up."""
    lens = replace(SCENE.rig.rgb, distortion=np.array([-3.0, 0.0, 0.0, 0.0, 0.0]))
    rig, bgr = replace(SCENE.rig, rgb=lens), SCENE.colour()
    likeness = likeness_of(SCENE.chart, bgr, None, SCENE.rig, Pose.identity())
    aside = Pose.of(np.eye(3), np.array([aside_mm, 0.0, 0.0]))
    look = look_at(SCENE.chart, likeness, bgr, None, rig, aside)
    known = np.isfinite(lens.project(aside.apply(SCENE.chart.position_mm[look.cells]))).all(axis=1)
    assert not known.all()
    assert np.isnan(matched(SCENE.chart, likeness, look, aside)) == (known.sum() <= 50)
    if not known.any():
        assert search(SCENE.chart, likeness, look, aside) is aside
    assert np.isfinite(search(SCENE.chart, likeness, look, aside).matrix).all()


VARIANCES = st.tuples(*(st.floats(0.0, 30.0) for _ in range(3)))


def known_within(variance_mm2: Floats, *, seed: int = 0) -> BodyTrack:
    """A track whose motion has such variances along three axes of no special direction."""
    turn = np.linalg.qr(np.random.default_rng(seed).normal(0.0, 1.0, (3, 3)))[0]
    covariance = np.diag([1e-6] * 9)
    covariance[3:6, 3:6] = turn @ np.diag(variance_mm2) @ turn.T
    return BodyTrack.at_rest(0.0, covariance)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(variances=VARIANCES, seed=st.integers(0, 10_000))
def test_the_bound_of_the_motion_holds_95_percent_of_errors_in_space(
    variances: tuple[float, float, float], seed: int
) -> None:
    """Two standard deviations of the widest axis would hold 74 % where all three are alike."""
    variance = np.array(variances) + 1e-6
    errors = np.random.default_rng(seed).normal(0.0, 1.0, (20_000, 3)) * np.sqrt(variance)
    inside = np.linalg.norm(errors, axis=1) <= known_within(variance, seed=seed).u95_mm
    assert inside.mean() == pytest.approx(0.95, abs=0.012)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(variances=VARIANCES, more=VARIANCES, seed=st.integers(0, 10_000))
def test_a_motion_known_worse_has_a_larger_bound(
    variances: tuple[float, float, float], more: tuple[float, float, float], seed: int
) -> None:
    near, far = np.array(variances), np.array(variances) + np.array(more)
    assert known_within(far, seed=seed).u95_mm >= known_within(near, seed=seed).u95_mm - 1e-9


@settings(max_examples=10, deadline=None, derandomize=True)
@given(first_s=st.floats(0.05, 1.0), more_s=st.floats(0.05, 1.0))
def test_the_longer_nothing_is_seen_the_larger_is_the_bound(first_s: float, more_s: float) -> None:
    chart, blind = SCENE.chart, Witness(None, None, [], None)
    track = begin(chart, Witness(SCENE.colour(), None, [], None), rig=SCENE.rig, t_s=0.0)
    bounds_mm = [
        follow(track, chart, blind, rig=SCENE.rig, t_s=t_s).u95_mm for t_s in (first_s, first_s + more_s)
    ]
    assert track.u95_mm < bounds_mm[0] < bounds_mm[1]


def bound_mm(*, grain: float = 1.5, tags_u95_mm: float | None = None) -> float:
    """Bound after half a second at rest, by the colour picture or by tags alone."""
    worse = (
        []
        if tags_u95_mm is None
        else [replace(tag, position_u95_mm=tags_u95_mm) for tag in tags(np.zeros(3))]
    )
    track = None
    for k in range(8):
        bgr = SCENE.colour(noise=grain, seed=k) if tags_u95_mm is None else None
        witness = Witness(bgr, None, worse, None)
        if track is None:
            track = begin(SCENE.chart, witness, rig=SCENE.rig, t_s=0.0)
        else:
            track = follow(track, SCENE.chart, witness, rig=SCENE.rig, t_s=k * STEP_S)
    assert track is not None
    return track.u95_mm


def test_noisier_pictures_and_worse_tags_give_larger_bounds() -> None:
    assert bound_mm(grain=3.0) < bound_mm(grain=20.0) < bound_mm(grain=40.0)
    assert bound_mm(tags_u95_mm=1.5) < bound_mm(tags_u95_mm=3.0) < bound_mm(tags_u95_mm=9.0)


@pytest.mark.parametrize("how", ["no picture", "black"])
def test_depth_alone_holds_a_chart_and_never_says_that_it_is_placed(how: str) -> None:
    """Seen for half a second, then by depth only: told as that, with a growing bound, and lost at last."""
    black = np.zeros((360, 640, 3), np.uint8)

    def sight(t_s: float, moved: Floats) -> Bytes | None:
        if t_s < 0.5:
            return SCENE.colour(moved_mm=moved, seed=round(100 * t_s))
        return None if how == "no picture" else black

    told = [(t_s, track) for t_s, track, _ in run(still, to_s=14.0, colour=sight, depth_every=4)]
    before = [track for t_s, track in told if t_s < 0.5]
    blind = [(t_s, track) for t_s, track in told if t_s > 0.5 + HOLD_S]
    assert {track.state for track in before} == {"placed"}
    assert not any(track.by_depth for track in before)
    states = [track.state for _, track in blind]
    assert states == sorted(states, key=["held", "lost"].index)
    held = [(t_s, track) for t_s, track in blind if track.state == "held"]
    assert held[-1][0] > 0.5 + HELD_LONGEST_S  # depth still shows that a body is there
    for t_s, track in held:
        assert track.by_depth
        assert track.unseen_s == pytest.approx(t_s - 0.5, abs=STEP_S + 1e-6)
        assert track.placed(SCENE.chart).unseen_s == track.unseen_s
        assert track.u95_mm <= HELD_LOST_MM
    assert states[-1] == "lost"


def test_a_recorded_motion_tells_the_same_state_as_what_was_seen() -> None:
    """Also one that was recorded before it was told apart who saw it: as it was then."""
    chart, bgr = SCENE.chart, SCENE.colour()
    track = begin(chart, Witness(bgr, SCENE.depth(0.0), [], None), rig=SCENE.rig, t_s=0.0)
    again = track
    for k in range(1, 9):
        t_s, depth = k * STEP_S, SCENE.depth(k * STEP_S, seed=k)
        track = follow(track, chart, Witness(None, depth, [], None), rig=SCENE.rig, t_s=t_s)
        again = follow(
            again, chart, Witness(None, None, [], None, motion=track.motion), rig=SCENE.rig, t_s=t_s
        )
        assert (again.state, again.by_depth, again.unseen_s) == (track.state, track.by_depth, track.unseen_s)
    assert (track.state, track.by_depth) == ("held", True)
    early = replace(track.motion, in_colour_s=float("nan"))
    then = follow(again, chart, Witness(None, None, [], None, motion=early), rig=SCENE.rig, t_s=track.t_s)
    assert (then.state, then.by_depth) == ("placed", False)
