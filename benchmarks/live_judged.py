"""What pages were told in a long live session, held against the faults that were made."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from benchmarks.live_faults import KINDS, LACKS, Made
from guidance.alarms.episodes import load_alarm_table

BUSY = "No guidance for"
"""Told where the machine itself is too slow."""
TREATED = frozenset(
    f"{rule.cause} {rule.priority}" for rule in load_alarm_table().values() if rule.kind == "physiological"
)
"""The treatment itself gives reason for these."""

Told = list[tuple[float, set[str]]]
"""What stood from when on."""


@dataclass
class Found:
    """What was told of all faults of a kind."""

    times: int = 0
    told_s: list[float] = field(default_factory=list)
    over_s: list[float] = field(default_factory=list)
    missed: int = 0
    """Not told, or not over before the next one."""


def words_of(note: dict[str, Any]) -> set[str]:
    """All that a page is told of trouble at one time."""
    trouble = {str(note["trouble"])} if note.get("trouble") else set[str]()
    unrecorded = {f"RECORDING: {note['unrecorded']}"} if note.get("unrecorded") else set[str]()
    return {*note.get("alarms", ()), *trouble, *unrecorded}


def course(heard: list[dict[str, Any]]) -> Told:
    """What stood from when on."""
    stands: dict[str, Any] = {}
    out: Told = []
    for note in heard:
        stands |= {name: note[name] for name in ("alarms", "trouble", "unrecorded") if name in note}
        words = words_of(stands)
        if not out or out[-1][1] != words:
            out.append((note["at_s"], words))
    return out


def judged(made: list[Made], told: Told, end_s: float) -> tuple[dict[str, Found], list[str]]:
    """How each kind of fault was told; and what else was told, with its time."""
    found = {kind.name: Found() for kind in KINDS}
    strange: list[str] = []
    lacks = False
    spans = [*zip(told, [*told[1:], (end_s, set[str]())], strict=True)]
    for fault, until_s in zip(made, [*(one.from_s for one in made[1:]), end_s], strict=True):
        one, kind = found[fault.kind.name], fault.kind
        one.times += 1
        lacks |= kind.loses
        known = (*kind.told, *kind.also, BUSY, *((LACKS,) if lacks else ()))
        first_s = last_s = None
        for (at_s, words), (ends_s, _) in spans:
            mine = any(belongs(word, kind.told) for word in words)
            if at_s < until_s and ends_s > fault.from_s and mine:
                first_s, last_s = max(at_s, fault.from_s) if first_s is None else first_s, ends_s
            if fault.from_s <= at_s < until_s:
                other = [word for word in words if word not in TREATED and not belongs(word, known)]
                strange += [
                    f"{word} ({kind.name}, {at_s - fault.from_s:.1f} s after it began)" for word in other
                ]
        if first_s is not None:
            one.told_s.append(first_s - fault.from_s)
        if last_s is not None:
            one.over_s.append(last_s - fault.to_s)
        one.missed += bool(kind.told) and (first_s is None or last_s is None or last_s >= until_s)
    return found, strange


def treated(told: Told) -> Counter[str]:
    """How often each alarm of the treatment itself came up."""
    out: Counter[str] = Counter()
    before: set[str] = set()
    for _, words in told:
        out.update((words - before) & TREATED)
        before = words
    return out


def belongs(word: str, told: tuple[str, ...]) -> bool:
    """Whether a word is one of those."""
    return any(one in word for one in told)
