"""Simulated scenes through production `step`: what came out, beside what is true."""

from __future__ import annotations

from dataclasses import dataclass

from guidance.pipeline import step
from guidance.session import Guidance
from guidance.simulate import setup_of
from guidance.stages.state import State, begin
from vision.synthetic import Truth, captures
from vision.synthetic_scene import Scene


@dataclass(frozen=True, eq=False)
class Played:
    """All that was told, each with its truth, and the state at the end."""

    told: list[tuple[Guidance, Truth]]
    state: State


def play(scene: Scene) -> Played:
    """Every capture of a scene through `step`."""
    setup, state, told = setup_of(scene), begin(), []
    for capture, truth in captures(scene):
        state, guidance = step(state, capture, setup)
        told.append((guidance, truth))
    return Played(told, state)
