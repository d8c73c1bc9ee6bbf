"""Agreement over captures, on two boxes' worth of joints that move."""

from __future__ import annotations

import numpy as np

from models.body_landmarks import EXCHANGED, LANDMARKS, NAMES
from models.body_track import (
    CAPTURES_NEEDED,
    LONGEST_GAP_S,
    TURNED_OVER_S,
    BodyTrack,
    follow,
    sides_exchanged,
)
from models.geometry import Floats

JOINTS_PX = {"shoulder": (80, 100), "hip": (50, 300), "knee": (55, 480), "ankle": (60, 650)}


def body(*, x_px: float = 0.0, y_px: float = 0.0) -> Floats:
    points = np.tile([400.0 + x_px, 50.0 + y_px], (len(NAMES), 1))
    for joint, (x, y) in JOINTS_PX.items():
        points[LANDMARKS[f"left_{joint}"]] = 400 + x + x_px, y + y_px
        points[LANDMARKS[f"right_{joint}"]] = 400 - x + x_px, y + y_px
    return points


def watch(*pictures: tuple[float, Floats]) -> tuple[BodyTrack, list[str]]:
    track, reasons = None, []
    for t_s, points_px in pictures:
        track, reason = follow(track, points_px, t_s=t_s)
        reasons.append(reason)
    assert track is not None
    return track, reasons


def test_nothing_is_believed_before_enough_captures_agree() -> None:
    _, reasons = watch(*((0.1 * k, body()) for k in range(CAPTURES_NEEDED + 2)))
    assert reasons == ["seen in too few captures"] * (CAPTURES_NEEDED - 1) + [""] * 3


def test_a_slow_drift_is_followed() -> None:
    _, reasons = watch(*((0.1 * k, body(x_px=12.0 * k)) for k in range(10)))
    assert not any(reasons[CAPTURES_NEEDED:])


def test_a_jump_starts_the_count_again() -> None:
    _, reasons = watch((0.0, body()), (0.1, body()), (0.2, body(x_px=150.0)), (0.3, body(x_px=150.0)))
    assert reasons[2] == "the body jumped between captures"
    assert reasons[3] == ""


def test_captures_far_apart_say_nothing_about_each_other() -> None:
    _, reasons = watch((0.0, body()), (0.1, body()), (0.2 + LONGEST_GAP_S, body()))
    assert reasons[-1] == "seen in too few captures"


def test_time_running_backwards_starts_afresh() -> None:
    track, reasons = watch((5.0, body()), (5.1, body()), (0.0, body()))
    assert reasons[-1] == "seen in too few captures"
    assert track.captures == 1


def test_left_is_never_swapped_with_right_while_a_body_is_followed() -> None:
    swapped = body()[EXCHANGED]
    seen = [(0.0, body()), (0.1, body()), *((0.2 + 0.1 * k, swapped) for k in range(10))]
    _, reasons = watch(*seen)
    assert reasons[1] == ""
    assert set(reasons[2:]) == {"left and right were exchanged"}


def test_a_body_that_has_turned_over_is_believed_after_a_while() -> None:
    swapped = body()[EXCHANGED]
    later_s = 0.1 + TURNED_OVER_S
    _, reasons = watch((0.0, body()), (0.1, body()), (later_s, swapped), (later_s + 0.1, swapped))
    assert reasons[2]
    assert reasons[3] == ""


def test_a_step_aside_is_no_exchange_of_sides() -> None:
    assert not sides_exchanged(body(), body(x_px=160.0))
    assert sides_exchanged(body(), body(x_px=30.0)[EXCHANGED])
