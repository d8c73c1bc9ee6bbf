"""A Lepton on a PureThermal board as it happens: its telemetry tells of the shutter and of the unit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.geometry import Counts
from vision.cameras import Picture, WrongFormatError
from vision.lepton_rows import ROWS, SIZE_PX, read_telemetry
from vision.uvc import Opener, UvcThermalY16, in_centikelvin, open_by_opencv, words_of

HZ = 8.7
NONSENSE_MOST = 9
"""Pictures in a row (1 s) whose telemetry may make no sense: their numbers are left out meanwhile."""


EMISSIVITY_OFF = 0.005
"""As much is 0.04 degC on skin that is 8 degC warmer than what it reflects."""


class UvcLepton(UvcThermalY16):
    """160 x 122 where telemetry is on (footer), else 160 x 120 as any other core.

    With telemetry, pictures during a shutter event (FFC) are marked, the unit is the camera's own word, and
    pictures that are no temperatures (AGC on, TLinear off) are refused.
    """

    def __init__(self, address: str | int, *, name: str, opener: Opener = open_by_opencv) -> None:
        """Name a device; see `vision.uvc.UvcColour`."""
        super().__init__(address, name=name, width_px=SIZE_PX[0], height_px=SIZE_PX[1], hz=HZ, opener=opener)
        self._shutter, self._nonsense = False, 0
        self.emissivity: float | None = None
        """That the camera must be set to, as the rig says; None = whatever it is set to."""

    def read(self) -> Picture:
        """The next picture, marked while the shutter is closed."""
        picture = super().read()
        return replace(picture, shutter=self._shutter)

    def _pixels(self, raw: np.ndarray) -> Counts:
        width_px, height_px = SIZE_PX
        counts = words_of(raw, height_px, width_px)
        if counts is None:
            self._shutter = False  # nobody tells
            plain = words_of(raw, ROWS, width_px)
            if plain is None:
                raise self._other(raw, f"{width_px} x {ROWS} or {width_px} x {height_px} in 16 bits")
            return plain
        telemetry = read_telemetry(counts)
        if telemetry is None:
            self._nonsense += 1
            if self._nonsense > NONSENSE_MOST:
                raise WrongFormatError(f"{self.name}: its telemetry makes no sense: switch telemetry off.")
            self._shutter = True  # its numbers may be anything
            return counts[:ROWS]
        for wrong, what in (
            (telemetry.agc, "automatic gain is on (AGC): switch it off"),
            (not telemetry.tlinear, "it sends raw counts (TLinear off): switch TLinear on"),
        ):
            if wrong:
                raise WrongFormatError(f"{self.name} gives no temperatures, {what}.")
        if self.emissivity is not None and abs(telemetry.emissivity - self.emissivity) > EMISSIVITY_OFF:
            raise WrongFormatError(
                f"{self.name} is set to an emissivity of {telemetry.emissivity:.3f}, the rig says"
                f" {self.emissivity:.3f}: set the camera as the rig says."
            )
        self._shutter, self._nonsense = telemetry.shutter, 0
        return in_centikelvin(counts[:ROWS], 1 if telemetry.unit == "centikelvin" else 10)
