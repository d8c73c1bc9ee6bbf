"""What the history says before the gas: when this was treated last, and whether it may be now."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from guidance.history.begun import broken_off
from guidance.history.store import HistoryStore
from guidance.treatment.choice import Choice, Choices
from models.catalogue import limits_in_zone
from models.earlier import meet
from models.history import PastSession
from models.history_rules import Allowed, Reason, Refused, Warned, may_treat, with_reasons
from models.problems import InputError
from models.zone_side import zone_on_side

FRESH_S = 10.0
"""So long what was read is told on: the page asks many times a second, and intervals are minutes to days."""
WAIT_S = 0.2
"""For another process that writes: a page must not wait longer."""


@dataclass(frozen=True)
class Before:
    """What the history says of one subject and one choice."""

    verdict: Allowed | Warned | Refused
    last: str
    """When zone and side were treated last, in words."""

    def told(self) -> dict[str, object]:
        """As a page gets it."""
        return {
            "verdict": type(self.verdict).__name__.lower(),
            "last": self.last,
            "reasons": [{"refuses": one.refuses, "words": one.words} for one in self.verdict.reasons],
        }


class HistoryBefore:
    """Looks it up, and for a while does not look again."""

    def __init__(
        self,
        history: Path,
        choices: Choices,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Read nothing yet.

        Args:
            history: The file.
            choices: What there is to choose from.
            clock: Seconds; only tests give another.
            now: Time of day, in UTC.
        """
        self._store, self._choices = HistoryStore(history, wait_s=WAIT_S), choices
        self._clock, self._now = clock, now
        self._known: tuple[tuple[str, Choice], float, Before] | None = None

    def __call__(self, subject: str, choice: Choice) -> Before:
        """What was before, for a code and a complete choice that goes together."""
        key, now_s = (subject.casefold(), choice), self._clock()
        if self._known is None or self._known[0] != key or now_s - self._known[1] > FRESH_S:
            self._known = (key, now_s, self._looked_up(subject, choice))
        return self._known[2]

    def _looked_up(self, subject: str, choice: Choice) -> Before:
        zone = zone_on_side(self._choices.zones[choice.zone], choice.side)
        protocol = limits_in_zone(self._choices.protocols[choice.protocol], zone)
        now = self._now()
        try:
            known = self._store.sessions(subject=subject)
            off = broken_off(self._store, subject=subject, perhaps=True)
        except InputError as trouble:
            unknown = Reason("history", False, f"What was done to {subject} before is not known: {trouble}")
            return Before(Warned((unknown,)), "not known")
        verdict = may_treat(known, protocol=protocol, zone=choice.zone, side=choice.side, now=now)
        verdict = with_reasons(verdict, [one.reason for one in off])
        here = [one for one in known if one.zone == choice.zone and meet(one.side, choice.side) and one.gas_s]
        return Before(verdict, _last(here, now=now))


def _last(here: list[PastSession], *, now: datetime) -> str:
    """When the last of these was."""
    if not here:
        return "not in the history"
    last = max(here, key=lambda one: one.ended)
    hours = (now - last.ended).total_seconds() / 3600.0
    ago = f"{hours:.0f} h ago" if hours < 48.0 else f"{hours / 24.0:.0f} days ago"
    if abs(hours) < 1.0:
        ago = f"{60.0 * hours:.0f} min ago"
    return f"{last.ended:%Y-%m-%d %H:%M UTC} ({ago}), {last.gas_s:.0f} s of gas, {last.protocol}"
