"""Two cameras that see one motion, drawn small and quickly, with known clocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models.geometry import Floats

Path = Callable[[Floats], Floats]
"""From times, shape (n,), to places of the moving thing in units of the picture's width, shape (n, 2)."""

PIXELS = (18, 24)


@dataclass(frozen=True)
class Camera:
    """One stream, drawn as small pictures."""

    hz: float = 25.0
    sent_hz: float | None = None
    """Pictures are sent as often as this, the last one again and again; None = each once."""
    clock_s: float = 0.0
    """Stamp less session clock at 0 s."""
    drift: float = 0.0
    """By how much its clock runs fast, seconds a second."""
    jitter_s: float = 0.0
    """1 sigma of the stamps."""
    dropped: float = 0.0
    noise: float = 0.02
    """1 sigma of a small pixel; the moving thing differs from what is behind it by about 1."""
    exposure_s: float = 0.005
    turn: float = 0.0
    """By how much the camera is rolled, rad."""
    shift: tuple[float, float] = (0.0, 0.0)
    size: float = 0.16
    """Of the moving thing, widths of the picture."""
    ground: float = 0.3
    """How uneven what is behind it is."""
    warm_up: float = 0.0
    """Drift of all pixels, a pattern of its own, a second."""


def hand(rng: np.random.Generator, *, seconds: float, reach: float = 0.25, hz: float = 1.6) -> Path:
    """An irregular wave of a hand: slow and quick sines of random phase, with rests."""
    waves = [
        (reach * rng.normal(size=2) / np.sqrt(6.0), rng.uniform(0.2, hz), rng.uniform(0.0, 2.0 * np.pi, 2))
        for _ in range(10)
    ]

    def place(t_s: Floats) -> Floats:
        return np.array([0.5, 0.38]) + sum(
            size * np.sin(2.0 * np.pi * f * t_s[:, None] + phase) for size, f, phase in waves
        )

    return place


def swing(hz: float, *, reach: float = 0.2) -> Path:
    """To and fro like a clock's pendulum."""

    def place(t_s: Floats) -> Floats:
        x = reach * np.sin(2.0 * np.pi * hz * t_s)
        return np.stack([0.5 + x, 0.38 + 0.3 * x], axis=1)

    return place


def stream(
    camera: Camera, path: Path, rng: np.random.Generator, *, seconds: float, shaken: bool = False
) -> tuple[Floats, Floats]:
    """Stamps, shape (n,), and small pictures, flattened, shape (n, pixels).

    Args:
        camera: How it sees and stamps.
        path: Of the moving thing; of all that is seen where the rig is shaken.
        rng: Source of all chance.
        seconds: Length.
        shaken: Whether the whole rig moves instead of something before it.
    """
    own_s = np.arange(0.0, seconds, 1.0 / camera.hz) + rng.uniform(0.0, 1.0 / camera.hz)
    ground = _ground(rng, camera.ground)
    y, x = np.mgrid[: PIXELS[0], : PIXELS[1]] / PIXELS[1]
    pictures, still = np.zeros((len(own_s), *PIXELS)), ground(x, y)
    c, s = np.cos(camera.turn), np.sin(camera.turn)
    for part in (-0.4, 0.0, 0.4):
        at = path(own_s + part * camera.exposure_s) - [0.5, 0.38]
        at = at @ np.array([[c, s], [-s, c]]) + [0.5, 0.38] + np.array(camera.shift)
        if shaken:
            for k, (px, py) in enumerate(at):
                pictures[k] += ground(x + 0.2 * (px - 0.5), y + 0.2 * (py - 0.38)) / 3.0
            continue
        across, down = (
            np.exp(-0.5 * ((own - middle[:, None]) / camera.size) ** 4)
            for own, middle in ((x[0], at[:, 0]), (y[:, 0], at[:, 1]))
        )
        blob = down[:, :, None] * across[:, None, :]
        pictures += ((1.0 - blob) * still + blob) / 3.0
    drifts = rng.normal(size=PIXELS)
    pictures += camera.warm_up * own_s[:, None, None] * drifts
    pictures += camera.noise * rng.normal(size=pictures.shape)
    sent_s, rows = own_s, np.arange(len(own_s))
    if camera.sent_hz is not None:
        sent_s = np.arange(own_s[0], own_s[-1], 1.0 / camera.sent_hz) + 1e-4
        rows = np.searchsorted(own_s, sent_s, side="right") - 1
    stamps = sent_s + camera.clock_s + camera.drift * sent_s + camera.jitter_s * rng.normal(size=len(sent_s))
    keep = rng.random(len(sent_s)) >= camera.dropped
    order = np.maximum.accumulate(stamps)
    return order[keep], pictures[rows][keep].reshape(int(keep.sum()), -1)


def _ground(rng: np.random.Generator, uneven: float) -> Callable[[Floats, Floats], Floats]:
    waves = [(rng.normal(size=2) * 9.0, rng.uniform(0.0, 6.3)) for _ in range(8)]

    def light(x: Floats, y: Floats) -> Floats:
        return 0.5 * uneven * np.sum([np.sin(kx * x + ky * y + phase) for (kx, ky), phase in waves], axis=0)

    return light
