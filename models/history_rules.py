"""Whether a zone may be treated now, after what was done before: pure, the same live and for a recording."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from models.earlier import chain_of, goes_on_from, meet, seconds_since, used_s, wanted_interval_s
from models.history import PastSession
from models.protocol import Protocol

DAY_S = 86400.0
"""Sessions a day are counted over the last 24 hours, whatever the calendar says: never fewer than by date."""

BUDGET_SHARE = 0.8
"""Share of the session total from which on it is told: interventional radiology notifies at 80 and 100 %."""


@dataclass(frozen=True)
class Reason:
    """One rule that is not kept, or not known to be kept."""

    rule: str
    """``interval``, ``sessions_a_day``, ``rewarmed``, ``session_time``, ``zone_time``, ``perfusion``,
    ``resumed``, ``stops``, ``clock``, ``checklist``, or ``history`` (what was before is not known)."""
    refuses: bool
    words: str


@dataclass(frozen=True)
class Allowed:
    """Nothing in the history speaks against it."""

    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class Warned:
    """The operator must know this first."""

    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Refused:
    """The protocol does not want it; what refuses comes first."""

    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class SkinReading:
    """Lowest skin temperature of the zone before the gas, with its 95 % bound."""

    degc: float
    u95_degc: float | None
    """None: no bound is known, and the reading alone does not show that skin is warm."""


def may_treat(
    history: Sequence[PastSession],
    *,
    protocol: Protocol,
    zone: str,
    side: str,
    now: datetime,
    skin: SkinReading | None = None,
) -> Allowed | Warned | Refused:
    """Judge by the protocol whether a zone may be treated now.

    Warm skin never shortens an interval: blood flow stays low after it has rewarmed (Khoshnevis 2016).

    Args:
        history: Sessions of this subject, in any order; those without gas do not count.
        protocol: Limits, already tightened to the zone.
        zone: Name of the zone.
        side: ``left``, ``right`` or ``both``.
        now: When the session begins, with an offset from UTC.
        skin: None = not measured, which is told where it matters.
    """
    before = [past for past in history if past.gas_s > 0.0 and past.started <= now]
    here = [past for past in before if past.zone == zone and meet(past.side, side)]
    resumed = goes_on_from(history, protocol=protocol, zone=zone, side=side, now=now)
    chain = chain_of(resumed, here)
    reasons = [
        *_clock(history, now),
        *_interval(here, chain, protocol, now),
        *_sessions_a_day(here, chain, protocol, now),
        *_session_time(before, protocol, now),
        *(_resumed(resumed, protocol, now) if resumed is not None else _rewarmed(here, protocol, now, skin)),
        *_stops(here, now),
        *_perfusion(here, protocol, now, skin),
    ]
    return with_reasons(Allowed(), reasons)


def with_reasons(verdict: Allowed | Warned | Refused, more: Sequence[Reason]) -> Allowed | Warned | Refused:
    """A verdict with further reasons; what refuses comes first."""
    reasons = (*verdict.reasons, *more)
    if not reasons:
        return verdict
    if any(reason.refuses for reason in reasons):
        return Refused(tuple(sorted(reasons, key=lambda reason: not reason.refuses)))
    return Warned(reasons)


def _clock(history: Sequence[PastSession], now: datetime) -> Iterator[Reason]:
    ahead = [past for past in history if past.started > now]
    if ahead:
        first = min(ahead, key=lambda past: past.started)
        yield Reason(
            "clock",
            True,
            f"The history holds a session of {_day(first.started)}, which has not come yet: how long ago it"
            " was is not known; set the clock right.",
        )


def _interval(
    here: Sequence[PastSession], chain: frozenset[str], protocol: Protocol, now: datetime
) -> Iterator[Reason]:
    early = [
        (seconds_since(past, now), past)
        for past in here
        if past.recording_sha256 not in chain and seconds_since(past, now) < wanted_interval_s(past, protocol)
    ]
    if not early:
        return
    since_s, last = min(early, key=lambda item: item[0])
    wanted_s = wanted_interval_s(last, protocol)
    who = last.protocol if wanted_s > protocol.again.interval_s.value else protocol.name
    when = f"{_time(since_s)} before" if since_s >= 0.0 else "at the same time"
    yield Reason(
        "interval",
        protocol.again.interval_s.refuses,
        f"The same zone was treated {when}, and {who} wants {_time(wanted_s)} between;"
        " warm skin does not shorten that.",
    )


def _sessions_a_day(
    here: Sequence[PastSession], chain: frozenset[str], protocol: Protocol, now: datetime
) -> Iterator[Reason]:
    rule = protocol.again.a_day
    if rule is None:
        return
    others = [past for past in here if past.recording_sha256 not in chain]
    recent = {past.recording_sha256: past for past in others if seconds_since(past, now) < DAY_S}
    # A session that goes on from another one is no treatment of its own.
    treatments = sum(past.continues not in recent for past in recent.values())
    if treatments >= rule.value:
        times = "once" if treatments == 1 else f"{treatments} times"
        yield Reason(
            "sessions_a_day",
            rule.refuses,
            f"The same zone was treated {times} in the last 24 h, and the protocol allows {rule.value:.0f}.",
        )


def _session_time(before: Sequence[PastSession], protocol: Protocol, now: datetime) -> Iterator[Reason]:
    gone_s, total_s = used_s(before, protocol=protocol, now=now), protocol.session_time_s
    if gone_s >= BUDGET_SHARE * total_s:
        refuses = gone_s >= total_s
        yield Reason(
            "session_time",
            refuses,
            f"Earlier recordings used {gone_s:.0f} s of the {total_s:.0f} s of gas that a session may have"
            + (": it is used up." if refuses else f": {total_s - gone_s:.0f} s are left."),
        )


def _resumed(resumed: PastSession, protocol: Protocol, now: datetime) -> Iterator[Reason]:
    limit_s = protocol.zone_time_s.stop
    done = [time_s >= limit_s for time_s in resumed.tile_time_s]
    if any(done):
        which = "" if all(done) else f" on {sum(done)} of {len(done)} tiles"
        words = f"The session that this goes on from used up the {limit_s:.0f} s of gas of the zone{which}."
        yield Reason("zone_time", all(done), words)
    yield Reason(
        "resumed",
        False,
        f"This goes on from the session that ended {_time(seconds_since(resumed, now))} before: its exposure"
        " counts on, and nothing is known of the time between.",
    )


def _stops(here: Sequence[PastSession], now: datetime) -> Iterator[Reason]:
    """A limit reached on this zone within a day: the skin is to be looked at before it is cooled again."""
    causes = {
        limit.cause.replace("_", " ")
        for past in here
        if seconds_since(past, now) < DAY_S
        for limit in past.limits
        if limit.is_stop
    }
    if causes:
        words = ", ".join(sorted(causes))
        yield Reason(
            "stops",
            False,
            f"The last sessions on this zone reached a STOP ({words}): look at the skin first.",
        )


def _rewarmed(
    here: Sequence[PastSession], protocol: Protocol, now: datetime, skin: SkinReading | None
) -> Iterator[Reason]:
    """Skin that is known to be cold is no skin to cool, whoever or whatever cooled it."""
    rule = protocol.again.rewarmed_degc
    recent = any(seconds_since(past, now) < DAY_S for past in here)
    was, again = ("was treated and ", " again") if recent else ("", "")
    if skin is None:
        if recent:
            words = (
                f"The zone was treated, and nobody measured whether it is above {rule.value:g} degC again."
            )
            yield Reason("rewarmed", False, words)
    elif skin.degc <= rule.value:
        words = f"The zone {was}is at {skin.degc:.1f} degC: not above {rule.value:g} degC{again}."
        yield Reason("rewarmed", rule.refuses, words)
    elif skin.u95_degc is None or skin.degc - skin.u95_degc <= rule.value:
        bound = "" if skin.u95_degc is None else f" +- {skin.u95_degc:.1f}"
        words = f"The zone is at {skin.degc:.1f}{bound} degC: perhaps not above {rule.value:g} degC{again}."
        yield Reason("rewarmed", False, words)


def _perfusion(
    here: Sequence[PastSession], protocol: Protocol, now: datetime, skin: SkinReading | None
) -> Iterator[Reason]:
    since_s = min((seconds_since(past, now) for past in here), default=float("inf"))
    if since_s < protocol.again.perfusion_low_s:
        at = "" if skin is None else f" (now {skin.degc:.1f} degC)"
        yield Reason(
            "perfusion",
            False,
            f"Blood flow in the zone may still be low, however warm the skin is{at}: it was cooled"
            f" {_time(max(since_s, 0.0))} before, cools faster, and rewarms later.",
        )


def _time(seconds: float) -> str:
    minutes = round(abs(seconds) / 60.0)
    if minutes < 1:
        return f"{abs(seconds):.0f} s"
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{rest} min"
    return f"{hours} h {rest:02d} min" if rest else f"{hours} h"


def _day(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")
