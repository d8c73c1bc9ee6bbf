"""A session on a rendered limb in which the nozzle does what a script says: what `step` is tried on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache

import numpy as np
import pytest

from guidance import pipeline
from guidance.pipeline import step
from guidance.session import Alarm, Guidance
from guidance.stages.state import Setup, State, begin
from models.capture import Capture, DepthPicture, ThermalPicture
from models.catalogue import load_devices, load_protocols
from models.geometry import Bytes, Floats
from models.rig import Rig
from models.sightings import Lost, NozzleSighting
from models.treatment import Tap, Treatment
from tests.rendered_limb import STILL, RenderedLimb, knee_high, nozzle_over
from vision.nozzle_track import NozzleTrack

HZ = 10.0
SCENE = RenderedLimb()
Degc = Callable[[Floats], Floats] | float


def outline_px(half_mm: float = 42.0) -> Floats:
    """The zone as an operator would tap it."""
    turn = np.linspace(0.0, 2.0 * np.pi, 16, endpoint=False)
    skin = SCENE.limb.at(half_mm * np.cos(turn) / SCENE.limb.radius_mm, 1.2 * half_mm * np.sin(turn))
    return SCENE.rig.rgb.project(skin)


def setup_of(
    *,
    rig: Rig | None = SCENE.rig,
    taps: tuple[Tap, ...] | None = None,
    protocol: str = "co2-thermal-shock",
    **changes: bool,
) -> Setup:
    """A calf under CO2, its outline tapped at the start."""
    tapped = (Tap(0.0, "rgb", outline_px()),) if taps is None else taps
    chosen = load_protocols()[protocol]
    treatment = Treatment(
        datetime(2026, 11, 23, 10, tzinfo=UTC),
        "calf",
        "left",
        chosen.device,
        protocol,
        None,
        None,
        22.0,
        None,
        tapped,
    )
    base = Setup(
        treatment=treatment,
        zone=knee_high(),
        protocol=chosen,
        device=load_devices()[chosen.device],
        rig=rig,
        eyes=None,
        thermal_expected=True,
        colour_expected=True,
        hashes={},
    )
    return replace(base, **changes)


@dataclass
class Script:
    """What happens, as functions of time; by default a still limb, a still jet and gas from 0.5 s on."""

    nozzle: Callable[[float], NozzleSighting | Lost] = field(
        default_factory=lambda: lambda t_s: nozzle_over(SCENE.limb.centre_mm, t_s=t_s)
    )
    gas_s: tuple[float, float] = (0.5, np.inf)
    moved: Callable[[float], Floats] = lambda _: STILL
    degc: Callable[[float], Degc] = lambda _: 33.0
    thermal: Callable[[float, ThermalPicture], ThermalPicture | None] = lambda _, picture: picture
    depth: Callable[[float, DepthPicture], DepthPicture | None] = lambda _, picture: picture
    colour: Callable[[float, Bytes], Bytes | None] = lambda _, picture: picture
    ticks: int = 0
    """Ticks without a picture between two colour pictures."""
    hz: float = HZ

    def captures(self, to_s: float) -> Iterator[Capture]:
        """As a source would deliver them: depth at each fourth picture, thermal 0.05 s late."""
        times_s = np.arange(0.0, to_s + 1e-9, 1.0 / self.hz / (1 + self.ticks))
        before_s = 0.0
        for k, t_s in enumerate(times_s.tolist()):
            moved, number = self.moved(t_s), k // (1 + self.ticks)
            picture = depth = None
            if k % (1 + self.ticks) == 0:
                picture = self.colour(t_s, _drawn(tuple(moved.tolist()), number % 4))
                if number % 4 == 0:
                    depth = self.depth(t_s, SCENE.depth(t_s, moved_mm=moved, seed=number))
            thermal = None
            if k % (1 + self.ticks) == 0 and t_s > 0.05:
                seen_s = t_s - 0.05
                thermal = self.thermal(
                    seen_s, SCENE.thermal(seen_s, moved_mm=self.moved(seen_s), degc=self.degc(seen_s))
                )
            start, end = self.gas_s
            yield Capture(
                t_s=t_s,
                index=number if picture is not None else None,
                bgr=picture,
                thermal=() if thermal is None else (thermal,),
                depth=() if depth is None else (depth,),
                gas_s=max(0.0, min(t_s, end) - max(before_s, start)),
                gas_now=start <= t_s < end,
            )
            before_s = t_s


@lru_cache(maxsize=16)
def _drawn(moved_mm: tuple[float, float, float], seed: int) -> Bytes:
    """A still limb is drawn four times only: drawing takes as long as a step."""
    picture = SCENE.colour(moved_mm=np.array(moved_mm), seed=seed)
    picture.setflags(write=False)
    return picture


@dataclass
class Played:
    """All that was told, and the state at the end."""

    steps: list[Guidance]
    state: State

    def at(self, t_s: float) -> Guidance:
        """The step nearest to a time."""
        return min(self.steps, key=lambda told: abs(told.t_s - t_s))

    def first_s(self, cause: str, *, priority: str | None = None) -> float | None:
        """When an alarm of a cause first stood."""
        for told in self.steps:
            if any(_is(alarm, cause, priority) for alarm in told.active):
                return told.t_s
        return None


def _is(alarm: Alarm, cause: str, priority: str | None) -> bool:
    return alarm.cause == cause and priority in (None, alarm.priority)


class Player:
    """Plays scripts; the nozzle's tracker is replaced by the script."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def obey(self, script: Script) -> None:
        """From now on the nozzle is where the script says."""

        def track(
            track: NozzleTrack, bgr: Bytes | None, *, t_s: float, rig: Rig, **more: object
        ) -> tuple[NozzleSighting | Lost, NozzleTrack]:
            return script.nozzle(t_s), track

        self._monkeypatch.setattr(pipeline, "track_nozzle", track)

    def play(self, script: Script, *, to_s: float, setup: Setup | None = None) -> Played:
        """All captures through `step`."""
        self.obey(script)
        setup = setup_of() if setup is None else setup
        state, steps = begin(setup.carried), []
        for capture in script.captures(to_s):
            state, told = step(state, capture, setup)
            steps.append(told)
        return Played(steps, state)
