"""A simulated thermal camera of known error before references whose own errors are known too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.reference_looks import Look
from calibration.reference_reading import EMISSIVITY_U95, ReferenceRead, Told, read_reference
from models.geometry import Floats
from models.rig import StatedHalo
from vision.point_spread import PointSpread

SIZE = (72, 96)
SPREAD = PointSpread(0.7, 0.0, 0.2, measured=True, halo=StatedHalo(0.09, 7.0, 0.01))
"""As calibration states it of the simulated camera."""
SKIN_DEGC = (2.0, 10.0, 20.0, 33.0)


@dataclass(frozen=True)
class ErringCamera:
    """How the simulated camera errs."""

    offset_degc: float = 1.3
    """At 20 degC."""
    gain: float = 0.02
    drift_degc_per_min: float = 0.02
    falling_degc_per_min: float = 0.0
    """More of it at the start, gone to a third after `warm_min`."""
    warm_min: float = 10.0
    step_degc: float = 0.06
    """Standard deviation of what each closing of the shutter leaves."""
    uneven_degc: float = 0.05
    """Standard deviation, over the picture, of a smooth pattern that never changes."""
    noise_degc: float = 0.06
    fixed_degc: float = 0.03
    """Of single pixels, the same in each picture."""
    halo: float = 0.09
    blur_px: float = 0.7
    seed: int = 0

    def pattern(self) -> Floats:
        """Smooth pattern and that of single pixels, shape `SIZE`."""
        rng = np.random.default_rng([self.seed, 1])
        y, x = np.indices(SIZE) / np.array(SIZE)[:, None, None] - 0.5
        smooth = sum(
            rng.normal() * wave
            for wave in (x, y, x * y * 2.0, (x * x + y * y) * 3.0, np.cos(6.0 * x + 2.0 * y) / 3.0)
        )
        smooth = smooth - np.mean(smooth)
        single = rng.normal(0.0, self.fixed_degc, SIZE)
        return np.asarray(self.uneven_degc * smooth / max(float(np.std(smooth)), 1e-9) + single)

    def off_degc(
        self, seen_degc: NDArray[Any], *, t_min: float, since_min: float, step_degc: float
    ) -> Floats:
        """How much too warm it reads what it sees."""
        falls = self.falling_degc_per_min * self.warm_min * (1.0 - np.exp(-t_min / self.warm_min))
        drift = self.drift_degc_per_min * since_min + falls
        return self.offset_degc + self.gain * (seen_degc - 20.0) + drift + step_degc


@dataclass(frozen=True)
class Before:
    """A reference before the camera."""

    shown_degc: float
    """What a camera without error would show: its thermometer's and its emissivity's errors are in it."""
    half_px: tuple[float, float] = (24.0, 22.0)
    middle_px: tuple[float, float] = (48.0, 36.0)
    room_degc: float = 23.0
    tilt_degc: float = 0.0
    from_min: float = 0.0
    looks: int = 4
    look_s: float = 40.0
    pictures: int = 8


@dataclass(frozen=True)
class Simulated:
    """Stands for `calibration.reference_looks.LookSource`."""

    camera: ErringCamera
    before: Before
    camera_emissivity: float | None = None

    def looks(self) -> Iterator[Look]:
        """Look after look, 2 s apart; the shutter closes between them."""
        before, camera = self.before, self.camera
        y, x = np.indices(SIZE).astype(float)
        at_x, at_y = (
            (x - before.middle_px[0]) / before.half_px[0],
            (y - before.middle_px[1]) / before.half_px[1],
        )
        inside = (np.abs(at_x) <= 1.0) & (np.abs(at_y) <= 1.0)
        scene = np.where(inside, before.shown_degc + 0.5 * before.tilt_degc * at_x, before.room_degc)
        narrow = cv2.GaussianBlur(scene, (0, 0), camera.blur_px)
        seen = narrow + camera.halo * (cv2.GaussianBlur(scene, (0, 0), 7.0) - narrow)
        pattern = camera.pattern()
        rng = np.random.default_rng([camera.seed, 2, round(before.shown_degc * 1000.0) & 0xFFFF])
        for k in range(before.looks):
            start_min = before.from_min + k * (before.look_s + 2.0) / 60.0
            step = float(rng.normal(0.0, camera.step_degc))
            since = np.linspace(0.0, before.look_s / 60.0, before.pictures)
            shown = [
                seen
                + pattern
                + camera.off_degc(seen, t_min=start_min + s, since_min=s, step_degc=step)
                + rng.normal(0.0, camera.noise_degc, SIZE)
                for s in since
            ]
            yield Look(60.0 * (start_min + since), np.asarray(np.round(shown, 2), np.float32), k)


def read_simulated(
    camera: ErringCamera, before: Before, told: Told, *, spread: PointSpread = SPREAD
) -> ReferenceRead:
    """Read a reference as the command does; what it mirrors is taken to be known."""
    return read_reference(
        Simulated(camera, before),  # pyright: ignore[reportArgumentType]
        told,
        spread=spread,
        rig_emissivity=told.emissivity,
        room_degc=before.room_degc,
        room_u95_degc=1.5,
    )


def drawn_camera(rng: np.random.Generator, *, seed: int) -> ErringCamera:
    """A camera as different as cameras are."""
    return ErringCamera(
        offset_degc=float(rng.normal(0.0, 0.9)),
        gain=float(rng.normal(0.0, 0.015)),
        drift_degc_per_min=float(rng.normal(0.0, 0.02)),
        step_degc=float(np.exp(rng.uniform(np.log(0.03), np.log(0.25)))),
        uneven_degc=float(rng.uniform(0.0, 0.1)),
        noise_degc=float(rng.uniform(0.03, 0.1)),
        halo=float(rng.normal(0.09, 0.01 / 1.96)),
        seed=seed,
    )


def drawn_reference(
    rng: np.random.Generator, degc: float, *, u95_degc: float, from_min: float
) -> tuple[Before, Told]:
    """A reference whose thermometer and emissivity are as wrong as their bounds say, and how it is told."""
    emissivity = 0.97
    thermometer = float(rng.normal(0.0, u95_degc / 1.96))
    # Near room temperature the camera sees the mirrored room for what the emissivity lacks.
    true_emissivity = emissivity + float(rng.normal(0.0, EMISSIVITY_U95 / 1.96))
    shown = degc + thermometer + (true_emissivity - emissivity) / emissivity * (degc - 23.0)
    told = Told(f"reference {degc:g}", degc, u95_degc, emissivity)
    return Before(shown, from_min=from_min, room_degc=23.0), told
