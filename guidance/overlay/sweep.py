"""The instrument of the sweep: speed of the spot, the speeds to keep to, and which way it is off."""

from __future__ import annotations

import numpy as np

from guidance.overlay.figures import ALARMING, DIM, Instrument
from guidance.overlay.palette import WHITE, YELLOW
from guidance.session import Guidance, SweepGuide
from models.protocol import Protocol

ADVICE = {"too slow": "FASTER", "too fast": "SLOWER", "let it rewarm": "MOVE OFF"}
"""What the operator is to do, by what `SweepGuide` says of the hand."""


def draw_sweep_tile(tile: Instrument, guidance: Guidance, protocol: Protocol) -> None:
    """Speed of the spot over the skin, the speeds that keep the skin in its band, and which way it is off."""
    tile.label("SWEEP")
    sweep = guidance.sweep
    speed_cm_s = guidance.jet.speed_cm_s if guidance.jet is not None else None
    if sweep is None:
        tile.value("--" if speed_cm_s is None else _speed(speed_cm_s), "cm/s", DIM)
        tile.note(f"usual {protocol.sweep_low_cm_s:g}-{protocol.sweep_high_cm_s:g} cm/s")
        return
    # Slower than the protocol sweeps is to be mended; slower than the skin bears is to be mended now.
    speed_cm_s = sweep.speed_cm_s
    harms = np.isinf(sweep.slowest_cm_s) or (speed_cm_s is not None and speed_cm_s < sweep.slowest_cm_s)
    colour = ALARMING if harms else YELLOW if sweep.advice else WHITE
    tile.value("--" if speed_cm_s is None else _speed(speed_cm_s), "cm/s", colour)
    tile.word(ADVICE.get(sweep.advice, ""), colour)
    tile.note(sweep_words(sweep), colour if sweep.advice else DIM)


def sweep_words(sweep: SweepGuide) -> str:
    """The speeds to keep to."""
    if np.isinf(sweep.slowest_cm_s):
        return "let skin rewarm"
    if sweep.high_cm_s <= sweep.low_cm_s:
        return f"at least {np.ceil(sweep.low_cm_s):.0f} cm/s"
    return f"keep {np.ceil(sweep.low_cm_s):.0f}-{sweep.high_cm_s:.0f} cm/s"


def _speed(speed_cm_s: float) -> str:
    """With a decimal where it tells on which side of a band's end the hand is."""
    return f"{speed_cm_s:.1f}" if speed_cm_s < 10.0 else f"{speed_cm_s:.0f}"
