"""Earlier sessions, as far as they matter for the next one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

CODE = re.compile(r"(?=.*\d)[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
"""What a subject code looks like: at least one digit, which hardly any name has, and no space."""


@dataclass(frozen=True)
class LimitReached:
    """How often one alarm was told in a session."""

    cause: str
    kind: str
    """``physiological`` or ``technical``."""
    priority: str
    """``high``, ``medium`` or ``low``."""
    times: int
    first_s: float

    @property
    def is_stop(self) -> bool:
        """Whether it told the operator to stop the gas."""
        return self.priority == "high" and self.kind == "physiological"


@dataclass(frozen=True)
class PastFinding:
    """What spoke against a session before its gas."""

    question: str
    """Its name in the list of questions."""
    answer: str
    """``yes``, ``unknown`` or ``unanswered``."""
    meant: str
    """``blocking``, ``to_confirm``, or ``confirmed``: the operator went on and said why."""
    reason: str | None


@dataclass(frozen=True)
class PastSession:
    """One analysed session of one subject; None = not known."""

    recording_sha256: str
    """Of its pictures: the same recording is the same session, whatever its folder is called."""
    subject: str
    """A code, never a name."""
    started: datetime
    """In UTC."""
    duration_s: float
    zone: str
    side: str
    device: str
    protocol: str
    protocol_sha256: str
    protocol_approved_by: str | None
    gas_from_s: float | None
    """Session time at which gas was first on; None = gas never flowed."""
    gas_to_s: float | None
    gas_s: float
    unassigned_s: float
    min_degc: float | None
    min_u95_degc: float | None
    end_degc: float | None
    """Lowest skin temperature in the last picture that showed any."""
    end_u95_degc: float | None
    area_cm2: float | None
    overexposed_cm2: float | None
    unknown_cm2: float | None
    software: str
    zone_interval_s: float | None = None
    """How long its protocol wanted the zone to rest."""
    session_time_s: float | None = None
    """Gas time that its protocol allowed a session."""
    continues: str | None = None
    """The recording that this one goes on from."""
    gap_s: float | None = None
    """Time between the two, of which nothing is known."""
    checklist: str | None = None
    """``blocked``, ``needs_confirmation``, ``clear`` or ``not_filled_in``; None: kept before it was asked."""
    checklist_at: datetime | None = None
    """When it was filled in, in UTC."""
    live: bool = False
    """Kept as the treatment ended; an analysis of its recording replaces it."""
    tile_time_s: tuple[float, ...] = ()
    limits: tuple[LimitReached, ...] = ()
    findings: tuple[PastFinding, ...] = ()

    def __post_init__(self) -> None:
        """Hold the start in UTC.

        Raises:
            ValueError: If it has no offset, or the subject is no code.
        """
        if self.started.tzinfo is None:
            raise ValueError("The start of a session needs an offset from UTC.")
        object.__setattr__(self, "started", self.started.astimezone(UTC))
        if not is_code(self.subject):
            raise ValueError(f"{self.subject!r} is no subject code.")

    @property
    def ended(self) -> datetime:
        """When the recording ended: gas that flowed after its last picture is not known of."""
        return self.started + timedelta(seconds=self.duration_s)


def is_code(subject: str) -> bool:
    """Whether a text may stand for a subject in the history."""
    return CODE.fullmatch(subject) is not None
