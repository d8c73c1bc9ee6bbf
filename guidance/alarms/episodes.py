"""The alarm engine: conditions in, episodes out. What there is to be told is data (``alarms.toml``)."""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path

from guidance.session import Alarm, Now
from models.problems import InputError
from models.toml_table import Table

PRIORITIES = ("high", "medium", "low")
KINDS = ("physiological", "technical")

# Time stamps are sums of floats; a delay of 0.3 s is over at 0.2999999 s as well.
_CLOCK_SLACK_S = 1e-6

RETOLD_S = 1.0
"""No oftener is a standing alarm displayed with new figures: it is to be read (own choice)."""

Key = tuple[str, str]
"""Cause and priority: one row of the table."""


@dataclass(frozen=True)
class AlarmRule:
    """One row of the alarm table."""

    cause: str
    priority: str
    kind: str
    message: str
    """An action in an operator's words; ``{detail}`` stands for what was measured."""
    on_delay_s: float
    """The condition must hold this long before the operator is told."""
    clear_hold_s: float
    """The condition must be gone this long before the alarm ends."""
    minimum_s: float
    """The alarm shows at least this long."""
    latched: bool
    """Displayed until its condition has ended and the operator has acknowledged it."""
    lasting: bool = False
    """Never ends within the session: an injury does not go away."""

    def told(self, *, detail: str) -> str:
        """The sentence the operator gets."""
        return self.message.format(detail=detail)


AlarmTable = Mapping[Key, AlarmRule]
"""Rules by cause and priority, most urgent first within one priority."""


@dataclass(frozen=True)
class Condition:
    """Something judged in one capture that an alarm speaks of."""

    cause: str
    priority: str
    holds: bool = True
    detail: str = ""
    """What was measured, with its unit, for the message."""


@dataclass(frozen=True)
class Episode:
    """A condition that holds, or held until just now."""

    since_s: float
    """First time in a row at which it was judged true."""
    alarm: Alarm | None = None
    """None while the delay runs."""
    gone_s: float | None = None
    """When it was first judged false since it last held; None while it holds."""
    clear_s: float | None = None
    """When it was first clear of its limit by the hysteresis as well; the hold counts from then."""
    told: str = ""
    """The alarm's sentence with figures of late."""
    told_s: float = 0.0
    """When they were measured."""


@dataclass(frozen=True, eq=False)
class AlarmBoard:
    """All episodes that are open."""

    table: AlarmTable
    t_s: float | None = None
    """Time of the last update."""
    episodes: Mapping[Key, Episode] = field(default_factory=dict[Key, Episode])

    @staticmethod
    def start(table: AlarmTable | None = None) -> AlarmBoard:
        """An empty board.

        Args:
            table: What may be told; the shipped table where missing.
        """
        return AlarmBoard(load_alarm_table() if table is None else table)

    @property
    def active(self) -> tuple[Alarm, ...]:
        """Alarms that stand, most urgent first: by priority, then in the order of the table."""
        standing = {key: episode.alarm for key, episode in self.episodes.items() if episode.alarm is not None}
        order = {key: index for index, key in enumerate(self.table)}
        return tuple(
            standing[key] for key in sorted(standing, key=lambda key: (PRIORITIES.index(key[1]), order[key]))
        )

    @property
    def now(self) -> dict[Key, Now]:
        """What is to be displayed of the alarms that stand."""
        return {
            key: Now(episode.told, mended=episode.clear_s is not None and not self.table[key].lasting)
            for key, episode in self.episodes.items()
            if episode.alarm is not None
        }


def update(
    board: AlarmBoard,
    conditions: Iterable[Condition],
    *,
    t_s: float,
    lingering: Iterable[Condition] = (),
) -> tuple[AlarmBoard, tuple[Alarm, ...], tuple[Alarm, ...]]:
    """Advance the board by one capture.

    Args:
        board: State before.
        conditions: What was judged; a condition that is not mentioned does not hold.
        t_s: Session time of the capture.
        lingering: What is still within its hysteresis: it begins no episode and keeps an alarm from ending.

    Returns:
        The new board, the alarms that stand now (most urgent first), and those that ended now. An
        alarm's ``t_on_s`` is when the operator was told, ``t_off_s`` when the condition was first
        found gone; its message stays as it was told.

    Raises:
        ValueError: If time runs backwards, or a condition has no row in the table.
    """
    if board.t_s is not None and t_s < board.t_s:
        raise ValueError(f"Alarms were judged at {board.t_s} s and cannot go back to {t_s} s.")
    holding: dict[Key, Condition] = {}
    for condition in conditions:
        key = (condition.cause, condition.priority)
        if key not in board.table:
            raise ValueError(
                f"The alarm table has no row for {condition.cause!r} with priority {condition.priority!r}."
            )
        if condition.holds:
            holding.setdefault(key, condition)

    near = {(condition.cause, condition.priority) for condition in lingering if condition.holds}

    episodes: dict[Key, Episode] = {}
    ended: list[Alarm] = []
    for key, rule in board.table.items():
        before = board.episodes.get(key)
        if key in holding:
            episodes[key] = _held(before, rule, holding[key], t_s=t_s)
        elif before is not None and before.alarm is not None:
            gone_s = t_s if before.gone_s is None else before.gone_s
            clear_s = None if key in near else t_s if before.clear_s is None else before.clear_s
            gone = replace(before, gone_s=gone_s, clear_s=clear_s)
            if rule.lasting or not _over(gone, before.alarm, rule, t_s=t_s):
                episodes[key] = gone
            else:
                ended.append(replace(before.alarm, t_off_s=gone.gone_s))
    after = AlarmBoard(board.table, t_s, episodes)
    return after, after.active, tuple(ended)


def close(board: AlarmBoard, *, t_s: float) -> tuple[Alarm, ...]:
    """Alarms that were never reported as ended, at the end of the session.

    Args:
        board: State after the last capture.
        t_s: End of the session.

    Returns:
        Most urgent first. ``t_off_s`` is None for what still stands (a lasting alarm always does);
        a condition that had gone while its alarm was still shown has the time it was found gone.
    """
    if board.t_s is not None and t_s < board.t_s:
        raise ValueError(f"Alarms were judged at {board.t_s} s and cannot be closed at {t_s} s.")
    gone_s = {
        key: None if board.table[key].lasting else episode.gone_s for key, episode in board.episodes.items()
    }
    return tuple(replace(alarm, t_off_s=gone_s[alarm.cause, alarm.priority]) for alarm in board.active)


def load_alarm_table(path: Path | None = None) -> dict[Key, AlarmRule]:
    """Read the table of alarms.

    Args:
        path: A file of one's own instead of the shipped one.

    Raises:
        InputError: If the file cannot be read or anything in it is wrong; all mistakes are told at once.
    """
    where = "The alarm table" if path is None else str(path)
    try:
        file = resources.files("guidance.alarms").joinpath("alarms.toml") if path is None else path
        root = Table.parse(file.read_text("utf-8"), where=where)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"Cannot read {where} ({error}): name a readable TOML file.") from error
    table: dict[Key, AlarmRule] = {}
    for row in root.tables("alarm"):
        rule = _rule(row)
        key = (rule.cause, rule.priority)
        if key in table:
            row.wrong("cause", f"= {rule.cause!r} has two rows of priority {rule.priority!r}")
        table[key] = rule
    root.done()
    root.finish(where=where)
    return table


def _held(before: Episode | None, rule: AlarmRule, condition: Condition, *, t_s: float) -> Episode:
    since_s = t_s if before is None else before.since_s
    alarm = None if before is None else before.alarm
    if alarm is None and t_s - since_s >= rule.on_delay_s - _CLOCK_SLACK_S:
        alarm = Alarm(rule.cause, rule.kind, rule.priority, rule.told(detail=condition.detail), t_on_s=t_s)
    if alarm is None:
        return Episode(since_s)
    early = before is not None and t_s - before.told_s < RETOLD_S - _CLOCK_SLACK_S
    if before is not None and before.told and (early or rule.lasting):  # an injury keeps its first words
        return Episode(since_s, alarm, told=before.told, told_s=before.told_s)
    return Episode(since_s, alarm, told=rule.told(detail=condition.detail), told_s=t_s)


def _over(gone: Episode, alarm: Alarm, rule: AlarmRule, *, t_s: float) -> bool:
    if gone.clear_s is None:
        return False
    long_gone = t_s - gone.clear_s >= rule.clear_hold_s - _CLOCK_SLACK_S
    return long_gone and t_s - alarm.t_on_s >= rule.minimum_s - _CLOCK_SLACK_S


def _rule(row: Table) -> AlarmRule:
    rule = AlarmRule(
        cause=row.text("cause"),
        priority=row.text("priority", choices=PRIORITIES),
        kind=row.text("kind", choices=KINDS),
        message=row.text("message"),
        on_delay_s=row.number("on_delay_s", low=0.0, high=10.0),
        clear_hold_s=row.number("clear_hold_s", low=0.0, high=10.0),
        minimum_s=row.number("minimum_s", low=0.0, high=60.0),
        latched=row.flag("latched"),
        lasting=row.flag("lasting"),
    )
    try:
        fields = {name for _, name, _, _ in string.Formatter().parse(rule.message) if name is not None}
    except ValueError as error:
        row.wrong("message", f"has a stray brace ({error})")
        fields = set[str]()
    if fields - {"detail"}:
        row.wrong("message", "may hold {detail} and no other placeholder")
    if rule.priority == "high" and rule.kind == "physiological" and rule.on_delay_s > 0.5:
        row.wrong("on_delay_s", "of a STOP must be 0.5 or less")
    if rule.latched != (rule.priority == "high" and rule.kind == "physiological"):
        row.wrong("latched", "must be true for a STOP (high, physiological) and for nothing else")
    row.done()
    return rule
