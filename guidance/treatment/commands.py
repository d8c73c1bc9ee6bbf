"""What the operator may ask for on the way of a treatment, as data."""

from __future__ import annotations

from dataclasses import dataclass

from guidance.treatment.choice import Choice
from guidance.zone_actions import ZoneAction


@dataclass(frozen=True)
class ConfirmSound:
    """The operator has heard the alarm sound."""


@dataclass(frozen=True)
class ConfirmHistory:
    """The operator knows what the history says, and goes on."""


@dataclass(frozen=True)
class Identify:
    """Who treats whom, by codes."""

    operator: str
    subject: str


@dataclass(frozen=True)
class Answer:
    """To one question before the gas."""

    question: str
    answer: str
    reason: str = ""


@dataclass(frozen=True)
class Choose:
    """What is treated with what; parts of it may be left open."""

    choice: Choice


@dataclass(frozen=True)
class Move:
    """One step of the way, see `MOVES`."""

    name: str
    at: str = ""
    """Phase of the page on which it was tapped; empty = not told. A page is turned once by two hasty taps."""


MOVES = ("next", "back", "start", "pause", "resume", "stop", "pain", "finish", "gas_on", "gas_off")


@dataclass(frozen=True)
class EditZone:
    """The zone is changed; its time is that of the step which takes it."""

    edit: ZoneAction


@dataclass(frozen=True)
class TakeTouch:
    """The offset that is shown is taken as the touch check's."""


@dataclass(frozen=True)
class SkipTouch:
    """The touch check is left out."""

    reason: str


@dataclass(frozen=True)
class CheckRig:
    """What is wanted of the quick check of the rig, see `RIG_CHECKS`."""

    name: str


RIG_CHECKS = ("check_rig", "check_rig_now", "leave_rig_check")
"""Wait for the target and look; look at once; end it, or leave its verdict."""


Command = ConfirmSound | ConfirmHistory | Identify | Choose | Answer | Move | EditZone | TakeTouch | SkipTouch
