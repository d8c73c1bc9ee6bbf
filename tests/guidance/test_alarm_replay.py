"""The same captures give the same alarms, to the last bit of their times: live, replayed, at any hour."""

from __future__ import annotations

import ast
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from guidance.pipeline import step
from guidance.session import Acknowledge, Alarm, Announcement, OperatorAction, PauseAudio
from guidance.stages.state import State, begin
from models.sightings import Lost, NozzleSighting
from tests.guidance.scripted import SCENE, Player, Script, setup_of
from tests.rendered_limb import nozzle_over

ROOT = Path(__file__).parents[2]
ACTIONS: tuple[OperatorAction, ...] = (PauseAudio(1.55, 1.0), Acknowledge(2.55))


@dataclass(frozen=True)
class Told:
    """What one step told of alarms."""

    t_s: float
    active: tuple[Alarm, ...]
    ended: tuple[Alarm, ...]
    announcement: Announcement


def script() -> Script:
    """Too near, then not seen, then well; the skin falls below the STOP meanwhile."""

    def nozzle(t_s: float) -> NozzleSighting | Lost:
        if 1.5 < t_s < 2.4:
            return Lost("hidden", 1.5)
        return nozzle_over(SCENE.limb.centre_mm, t_s=t_s, distance_mm=45.0 if t_s < 1.5 else 100.0)

    return Script(nozzle=nozzle, degc=lambda t_s: 33.0 if t_s < 1.0 else 1.0)


def run(
    state: State, *, from_s: float, to_s: float, all_actions: tuple[OperatorAction, ...] = ACTIONS
) -> tuple[State, list[Told]]:
    """The captures of a span of time through `step`, actions with the first capture after them."""
    setup, told, before_s = setup_of(), list[Told](), state.t_s
    for capture in script().captures(3.0):
        if from_s <= capture.t_s < to_s:
            actions = [action for action in all_actions if before_s < action.t_s <= capture.t_s]
            state, now = step(state, capture, setup, actions)
            told.append(Told(now.t_s, now.active, now.ended, now.announcement))
            before_s = capture.t_s
    return state, told


@pytest.fixture
def player(monkeypatch: pytest.MonkeyPatch) -> Player:
    player = Player(monkeypatch)
    player.obey(script())
    return player


def test_live_and_replayed_tell_the_same(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    _, replayed = run(begin(), from_s=0.0, to_s=9.0)
    hours = iter(range(0, 10**9, 3600))
    for clock in ("time", "monotonic", "perf_counter"):
        monkeypatch.setattr(time, clock, lambda: float(next(hours)))  # each look at the clock: an hour later
    state, live = run(begin(), from_s=0.0, to_s=1.25)
    _, rest = run(state, from_s=1.25, to_s=9.0)
    assert live + rest == replayed
    causes = {alarm.cause for now in replayed for alarm in now.active}
    assert {"distance", "nozzle_lost"} <= causes
    assert any(now.announcement.pause_left_s is not None for now in replayed)


def test_what_the_operator_does_changes_no_entry(player: Player) -> None:
    _, acted = run(begin(), from_s=0.0, to_s=9.0)
    _, silent = run(begin(), from_s=0.0, to_s=9.0, all_actions=())
    assert [(now.active, now.ended) for now in acted] == [(now.active, now.ended) for now in silent]
    assert [now.announcement for now in acted] != [now.announcement for now in silent]


@pytest.mark.parametrize(
    "module",
    [
        "alarms/episodes",
        "alarms/annunciator",
        "alarms/hysteresis",
        "alarms/judge",
        "alarms/tones",
        "stages/state",
        "pipeline",
    ],
)
def test_what_makes_alarms_knows_no_clock_no_chance_and_no_thread(module: str) -> None:
    tree = ast.parse((ROOT / "guidance" / f"{module}.py").read_text("utf-8"))
    names = {
        alias.name.split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.Import) for alias in n.names
    }
    names |= {n.module.split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module}
    assert not names & {"time", "datetime", "random", "threading", "asyncio", "secrets", "uuid"}
