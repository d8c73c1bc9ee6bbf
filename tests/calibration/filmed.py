"""Drawn pictures recorded as bare cameras are: by the same pairing, into the same file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from guidance.recording.bare import BareRecording
from models.geometry import Bytes, Counts
from models.rig import Rig
from vision.cameras import Picture
from vision.mcap_recording import McapRecording, open_mcap
from vision.pairing import Arrived, Gas, Pairing

TICK_S, LATE_S = 0.05, 0.02

Shown = TypeVar("Shown", Bytes, Counts)


def filmed(
    path: Path,
    *,
    colour: Sequence[tuple[float, Bytes]] = (),
    thermal: Sequence[tuple[float, Counts, bool]] = (),
    depth: Sequence[tuple[float, Counts]] = (),
    rig: Rig | None = None,
    gas: Gas = lambda _, __: (0.0, False),
    device: str = "",
    gas_off_after_s: float = 0.0,
) -> McapRecording:
    """Record; times are stamps, and what is stamped late comes late."""
    streams = {"colour": colour, "thermal": thermal, "depth": depth}
    kinds = tuple(kind for kind, pictures in streams.items() if pictures)
    pairing = Pairing(rig, started_s=0.0, gas=gas)
    recording = BareRecording(path, kinds=kinds, rig=rig, device=device, gas_off_after_s=gas_off_after_s)
    end_s = max(one[0] for pictures in streams.values() for one in pictures) + TICK_S
    ticks_s = np.arange(0.0, end_s + 0.1, TICK_S).tolist()
    asked_s = sorted({*(t for t, _ in colour), *(() if colour else ticks_s), end_s})
    last_s = -math.inf
    for now_s in asked_s:
        arrived = Arrived(
            [Picture(t, bgr) for t, bgr in colour if last_s < t <= now_s],
            [Picture(t, counts, closed) for t, counts, closed in thermal if last_s < t + LATE_S <= now_s],
            [Picture(t, counts) for t, counts in depth if last_s < t + LATE_S <= now_s],
        )
        capture = pairing.pair(arrived, now_s=now_s)
        if capture is not None:
            recording.take(capture, patient=True)
        last_s = now_s
    status = recording.close()
    assert (status.finished, status.trouble) == (True, "")
    return open_mcap(path)


def held(pictures: Sequence[Shown], *, hold_s: float, hz: float) -> list[tuple[float, Shown]]:
    """Each held for a while; between two of them both are in the picture, as in a blur."""
    shown: list[tuple[float, Shown]] = []
    for k, picture in enumerate(pictures):
        for _ in range(round(hold_s * hz)):
            shown.append((len(shown) / hz, picture))
        if k + 1 < len(pictures):
            blur = picture // 2 + pictures[k + 1] // 2
            shown.append((len(shown) / hz, blur))
    return shown
