"""What a recording says of one capture beside its pictures, and what those are called."""

from __future__ import annotations

from dataclasses import dataclass

from models.sightings import Seen

SCHEMA = "cryoguide.recording/1"
"""Of the recording as a whole: topics, messages and attachments."""

COLOUR, THERMAL, DEPTH, NOZZLE = "/colour", "/thermal", "/depth", "/nozzle"
CAPTURES, ACTIONS, SETTINGS, COLLAR = "/captures", "/actions", "/settings", "/collar"
TOLD, ALARMS, RECORDER = "/told", "/alarms", "/recorder"
"""Topics. Pictures and actions come before the capture that they belong to."""


@dataclass(frozen=True, eq=False)
class CaptureNote:
    """One capture without its pictures; times are session seconds, to the last bit."""

    t_s: float
    index: int | None
    gas_s: float
    gas_now: bool
    picture: bool
    """Whether its colour picture is in the recording; one may have been dropped to keep the rest."""
    thermal: tuple[tuple[float, bool], ...]
    """Time of exposure and shutter flag of its thermal pictures, oldest first."""
    depth_s: tuple[float, ...]
    """Times of its depth pictures."""
    seen: Seen
