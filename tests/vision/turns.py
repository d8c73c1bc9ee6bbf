"""Turns of a device's thread without the thread, on a clock that stands still in between."""

from __future__ import annotations

from typing import Any, Protocol

from tests.vision.played_camera import Clock


class Turned(Protocol):
    """What reads a device in turns: a camera, a gas input."""

    def turn(self) -> bool:
        """One turn; False where there was nothing to do."""
        ...

    def state(self) -> Any:
        """How it stands, by a word."""
        ...


class Device(Protocol):
    """What is read, on a clock of its own."""

    clock: Clock
    interval_s: float


def run(turned: Turned, device: Device, seconds: float) -> None:
    """Turns of its thread; where it has nothing to do, time passes all the same."""
    until_s = device.clock.now_s + seconds
    while device.clock.now_s < until_s:
        if not turned.turn():
            device.clock.now_s += 0.02


def told_after_s(turned: Turned, device: Device, state: str) -> float:
    """When whoever asks every 10 ms is told."""
    clock, began_s = device.clock, device.clock.now_s
    while clock.now_s - began_s < 3.0:
        turn_s = clock.now_s
        while clock.now_s < turn_s + device.interval_s:
            if turned.state().state == state:
                return clock.now_s - began_s
            clock.now_s += 0.01
        clock.now_s = turn_s
        if not turned.turn():
            clock.now_s += device.interval_s
    raise AssertionError(turned.state())
