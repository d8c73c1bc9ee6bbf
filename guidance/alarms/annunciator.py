"""What the operator sees and hears of the alarms: latching, acknowledging, audio pause, escalation.

The board (`guidance.alarms.episodes`) says which conditions stand; this says what is told of them, after
what the operator has done. Pure: neither a clock nor a sound card.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from guidance.alarms.episodes import PRIORITIES, AlarmTable, Key
from guidance.session import (
    Acknowledge,
    Alarm,
    Announcement,
    OperatorAction,
    PauseAudio,
    ResumeAudio,
    Shown,
    Sound,
)

PAUSE_MOST_S = 120.0
"""Habit with medical alarm systems (expert knowledge; the standard's own text was not read)."""
ESCALATE_S = 15.0
"""Own choice: three bursts of a medium alarm have passed unheeded by then."""


@dataclass(frozen=True)
class Pause:
    """The operator has asked for quiet."""

    until_s: float
    quiet: frozenset[Alarm]
    """What was displayed then, each episode for itself."""
    rank: int
    """Most urgent priority of what stood, an index of `PRIORITIES`; their number where nothing did."""


@dataclass(frozen=True)
class Annunciator:
    """What is displayed, and whether the sound is paused."""

    table: AlarmTable
    t_s: float | None = None
    """Time of the last step."""
    shown: tuple[Shown, ...] = ()
    """Most urgent first."""
    pause: Pause | None = None

    @property
    def announcement(self) -> Announcement:
        """What the operator sees and hears now."""
        loud = next((one for one in self.shown if self._sounds(one)), None)
        sound = None
        if loud is not None:
            sound = Sound(loud.alarm.priority, loud.alarm.kind, loud.escalated)
        left_s = None
        if self.pause is not None and self.t_s is not None:
            left_s = min(self.pause.until_s - self.t_s, PAUSE_MOST_S)
        return Announcement(self.shown, sound, left_s)

    def _sounds(self, one: Shown) -> bool:
        """A latched one whose condition has ended is seen and not heard: there is nothing left to flee from.

        Through a pause sounds what is new and either more urgent than all that was displayed when the pause
        began, or high: what can harm within seconds is never kept quiet beforehand.
        """
        if one.acknowledged or not one.standing:
            return False
        if self.pause is None:
            return True
        if one.alarm in self.pause.quiet:
            return False
        return one.alarm.priority == "high" or PRIORITIES.index(one.alarm.priority) < self.pause.rank


def advance(
    annunciator: Annunciator, active: Iterable[Alarm], actions: Iterable[OperatorAction] = (), *, t_s: float
) -> Annunciator:
    """Advance by one capture.

    Args:
        annunciator: State before.
        active: Alarms that stand now, most urgent first (`AlarmBoard.active`).
        actions: What the operator has done since the last step, in order of time. It refers to what was
            displayed then: an alarm that comes up now cannot have been acknowledged.
        t_s: Session time of the capture.

    Returns:
        The new state. A displayed alarm goes when its condition has ended and, where it latches, it has been
        acknowledged. A pause never lasts beyond `PAUSE_MOST_S`.

    Raises:
        ValueError: If time runs backwards, or an action lies outside the time of this step.
    """
    before_s = annunciator.t_s
    if before_s is not None and t_s < before_s:
        raise ValueError(f"Alarms were announced at {before_s} s and cannot go back to {t_s} s.")
    shown, pause, at_s = annunciator.shown, annunciator.pause, before_s
    for action in actions:
        if action.t_s > t_s or (at_s is not None and action.t_s < at_s):
            raise ValueError(
                f"An action at {action.t_s} s does not belong to the step from {at_s} to {t_s} s."
            )
        at_s = action.t_s
        if isinstance(action, Acknowledge):
            shown = tuple(
                replace(one, acknowledged=True) if action.cause in (None, one.alarm.cause) else one
                for one in shown
            )
        elif isinstance(action, PauseAudio):
            pause = _paused(shown, action)
        elif isinstance(action, ResumeAudio):
            pause = None
    if pause is not None and t_s >= pause.until_s:
        pause = None
    known = {_key(one.alarm): one for one in shown}
    standing = {_key(alarm): _standing(known.get(_key(alarm)), alarm, t_s=t_s) for alarm in active}
    kept = {
        key: replace(one, standing=False, escalated=False)
        for key, one in known.items()
        if key not in standing and annunciator.table[key].latched and not one.acknowledged
    }
    order = {key: place for place, key in enumerate(annunciator.table)}
    everything = sorted(
        (*standing.values(), *kept.values()),
        key=lambda one: (PRIORITIES.index(one.alarm.priority), not one.standing, order[_key(one.alarm)]),
    )
    return Annunciator(annunciator.table, t_s, tuple(everything), pause)


def _standing(before: Shown | None, alarm: Alarm, *, t_s: float) -> Shown:
    """A new episode of the same row has not been acknowledged, whatever was done about the last one."""
    acknowledged = before is not None and before.acknowledged and before.alarm == alarm
    escalated = alarm.priority == "medium" and not acknowledged and t_s - alarm.t_on_s >= ESCALATE_S
    return Shown(alarm, acknowledged=acknowledged, escalated=escalated)


def _paused(shown: tuple[Shown, ...], action: PauseAudio) -> Pause:
    lasts_s = min(max(action.seconds, 0.0), PAUSE_MOST_S)
    rank = min(
        (PRIORITIES.index(one.alarm.priority) for one in shown if one.standing), default=len(PRIORITIES)
    )
    return Pause(action.t_s + lasts_s, frozenset(one.alarm for one in shown), rank)


def _key(alarm: Alarm) -> Key:
    return alarm.cause, alarm.priority
