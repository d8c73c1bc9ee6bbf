"""What earlier sessions hand on to the next one: exposure that goes on, gas used up, blood flow still low."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from models.history import PastSession
from models.protocol import Protocol

COLD_PERFUSION = 0.1
"""Blood flow of cooled skin, as a share of that at rest: 0.1 to 0.3 in the cold (domain section 3, expert
knowledge). Low end chosen: less blood overestimates the cooling."""


def goes_on_from(
    history: Sequence[PastSession], *, protocol: Protocol, zone: str, side: str, now: datetime
) -> PastSession | None:
    """The session that this one goes on with: same zone, side, device and protocol, a short while ago."""
    ended = [past for past in history if past.gas_s > 0.0 and past.started <= now]
    last = max(ended, key=lambda past: past.ended, default=None)
    if last is None or (last.zone, last.side) != (zone, side):
        return None
    if (last.device, last.protocol) != (protocol.device, protocol.name):
        return None
    gap_s = seconds_since(last, now)
    return last if 0.0 <= gap_s <= protocol.again.resume_within_s else None


def perfusion_now(
    history: Sequence[PastSession], *, protocol: Protocol, zone: str, side: str, now: datetime
) -> float:
    """Blood flow in a zone as a share of that at rest: low for a while after it was cooled."""
    cooled = any(
        past.gas_s > 0.0
        and past.zone == zone
        and meet(past.side, side)
        and past.started <= now
        and seconds_since(past, now) < protocol.again.perfusion_low_s
        for past in history
    )
    return COLD_PERFUSION if cooled else 1.0


def used_s(history: Sequence[PastSession], *, protocol: Protocol, now: datetime) -> float:
    """Gas time of this protocol's session total that earlier recordings have used up.

    Recordings on any zone count as long as they lie closer than the interval between sessions; those with
    another device count by the share of their own total.
    """
    share = 0.0
    for past in history:
        if past.started <= now and seconds_since(past, now) < wanted_interval_s(past, protocol):
            share += past.gas_s / (past.session_time_s or protocol.session_time_s)
    return share * protocol.session_time_s


def chain_of(resumed: PastSession | None, here: Sequence[PastSession]) -> frozenset[str]:
    """The resumed recording and those that it goes on from."""
    by_key = {past.recording_sha256: past for past in here}
    found: set[str] = set()
    key = resumed.recording_sha256 if resumed is not None else None
    while key is not None and key in by_key and key not in found:
        found.add(key)
        key = by_key[key].continues
    return frozenset(found)


def wanted_interval_s(past: PastSession, protocol: Protocol) -> float:
    """The longer of what the two protocols want."""
    return max(protocol.again.interval_s.value, past.zone_interval_s or 0.0)


def seconds_since(past: PastSession, now: datetime) -> float:
    """Seconds from the end of a session; negative where the two overlap."""
    return (now - past.ended).total_seconds()


def meet(one: str, other: str) -> bool:
    """Whether two sides have skin in common."""
    return one == other or "both" in (one, other)
