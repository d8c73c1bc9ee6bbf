"""A recording for the depth camera is over once boards that were held still tell enough, and not before."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from benchmarks.depth_coverage import GROUNDS, RGB, RGB_PX, Noise, Taken, drawn, seen
from calibration import depth_settled
from calibration.board import OWN, BoardView
from calibration.depth_settled import ASKED_ACROSS_MM, ASKED_ALONG_MM, LEAST_HELD, BoardsHeld
from calibration.recorded_hints import Hint, Hints
from calibration.recorded_plan import STEPS
from calibration.skin_error import camera_of
from calibration.take_clock import TakeClock
from models.capture import Capture, DepthPicture
from models.geometry import Counts
from models.rig import Rig

Pairs = list[tuple[BoardView, Counts]]
COLOUR = (RGB_PX[1], RGB_PX[0])
GREY = np.zeros((*COLOUR, 3), np.uint8)


def shown(taken: Taken, *, seed: int = 3) -> tuple[Rig, Pairs]:
    """A rig as it is stated, and boards held before it."""
    rng = np.random.default_rng([seed, 78])
    made = drawn(rng)
    rig = Rig(
        created=datetime(2026, 1, 1, tzinfo=UTC),
        rgb=camera_of(RGB, size_px=RGB_PX),
        transfer="srgb",
        rgb_rms_px=None,
        thermal=None,
        depth=made.told,
        nozzle=None,
        skin=None,
        rgb_covariance=GROUNDS.rgb_lens,
    )
    return rig, seen(rng, made, noise=Noise(), taken=taken)


def held(boards: BoardsHeld, pairs: Pairs, *, from_s: float = 0.0, moves_px: float = 0.0) -> list[bool]:
    """Each pair is seen by two looks half a second apart; whether it was settled after each."""
    told: list[bool] = []
    for k, (view, depth) in enumerate(pairs):
        for again in (0, 1):
            t_s = from_s + 2.0 * k + 0.5 * again
            boards.came([DepthPicture(t_s, depth)])
            there = replace(view, corners_px=view.corners_px + moves_px * again)
            boards.saw(t_s, there, colour=COLOUR)
        told.append(boards.settled)
    return told


@pytest.fixture(scope="module")
def usual() -> tuple[Rig, Pairs]:
    return shown(Taken(12, near_mm=450.0, far_mm=900.0))


def test_it_is_over_with_a_few_boards_more_than_the_fewest_once_two_left_it_within_what_is_asked(
    usual: tuple[Rig, Pairs],
) -> None:
    rig, pairs = usual
    boards = BoardsHeld(OWN, rig)
    told: list[bool] = []
    for k, pair in enumerate(pairs):
        told += held(boards, [pair], from_s=2.0 * k)
        if told[-1]:
            break
    assert told[-1], "not after 12"
    assert len(told) >= LEAST_HELD
    assert boards.missing() == ""
    assert boards.judged is not None
    assert boards.judged.refusal is None
    assert boards.judged.along_mm[1] <= ASKED_ALONG_MM
    assert boards.judged.across_mm[1] <= ASKED_ACROSS_MM
    boards.begin()
    assert not boards.settled, "what was held before a recording is not in it"


@pytest.mark.parametrize(
    ("taken", "words"),
    [
        (Taken(12, lean_deg=4.0), "lean it more"),
        (Taken(12, near_mm=600.0, far_mm=630.0), "nearer and farther"),
    ],
)
def test_boards_of_which_the_step_would_be_refused_never_settle_it_and_what_they_lack_is_told(
    taken: Taken, words: str
) -> None:
    rig, pairs = shown(taken)
    boards = BoardsHeld(OWN, rig)
    assert not any(held(boards, pairs))
    assert len(boards.pairs) >= LEAST_HELD
    assert words in boards.missing()


def test_a_print_that_nobody_measured_is_recorded_to_the_end(usual: tuple[Rig, Pairs]) -> None:
    """Its size leaves 0.5 % open, more than is asked, and more boards do not tell it."""
    rig, pairs = usual
    boards = BoardsHeld(replace(OWN, stretch_u95=0.005), rig)
    assert not any(held(boards, pairs[:LEAST_HELD]))
    assert boards.judged is not None
    assert boards.judged.along_mm[1] > ASKED_ALONG_MM


def test_a_board_that_moves_and_one_held_where_it_was_before_do_not_count(usual: tuple[Rig, Pairs]) -> None:
    rig, pairs = usual
    boards = BoardsHeld(OWN, rig)
    held(boards, pairs[:3], moves_px=20.0)
    assert not boards.pairs
    held(boards, [pairs[0], pairs[0], pairs[1]], from_s=100.0)
    assert len(boards.pairs) == 2


def test_depth_pictures_of_another_size_are_told_of_while_they_come(usual: tuple[Rig, Pairs]) -> None:
    rig, pairs = usual
    boards = BoardsHeld(OWN, rig)
    held(boards, [(pairs[0][0], np.zeros((24, 32), np.uint16))])
    assert "record them at the rig's size" in boards.trouble
    held(boards, pairs[:1], from_s=100.0)
    assert not boards.trouble


def test_the_page_counts_boards_and_the_recording_stops_by_itself(
    usual: tuple[Rig, Pairs], monkeypatch: pytest.MonkeyPatch
) -> None:
    rig, pairs = usual
    now: list[BoardView | str] = ["shows no board"]
    monkeypatch.setattr(depth_settled, "find_board", lambda *_, **__: now[0])
    hints = Hints(STEPS["depth"], rig, OWN)
    clock = TakeClock(STEPS["depth"].plan, settled=hints.settled)
    hints.begin({})
    assert "does not see the board" in hints.look(Capture(0.0, 0, GREY, (), (), 0.0, False))[-2].words
    t_s, told = 0.0, tuple[Hint, ...]()
    for k in range(300):
        t_s = 100.0 + 0.25 * k
        view, depth = pairs[min(int(0.25 * k / 2.5), len(pairs) - 1)]
        now[0] = view
        capture = Capture(t_s, k, GREY, (), (DepthPicture(t_s, depth),), 0.0, False)
        told = hints.look(capture)
        clock.look(capture)
        if clock.is_over:
            break
    assert told[-1].words.startswith("Held still in 1")
    assert 2.5 * (LEAST_HELD - 1) < t_s - 100.0 < 2.5 * len(pairs), "a minute where nothing says when to stop"
