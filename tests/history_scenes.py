"""Earlier sessions for the tests of the history."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from models.history import LimitReached, PastSession

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def past(recording: str = "a", **changes: object) -> PastSession:
    """A minute of LN2 on the left knee at noon, one STOP."""
    session = PastSession(
        recording_sha256=recording,
        subject="A-017",
        started=NOON,
        duration_s=100.0,
        zone="knee",
        side="left",
        device="ln2-wand",
        protocol="ln2-analgesia",
        protocol_sha256="p",
        protocol_approved_by=None,
        gas_from_s=5.0,
        gas_to_s=65.0,
        gas_s=60.0,
        unassigned_s=0.5,
        min_degc=6.5,
        min_u95_degc=1.0,
        end_degc=15.0,
        end_u95_degc=1.0,
        area_cm2=170.0,
        overexposed_cm2=0.0,
        unknown_cm2=1.5,
        software="0.1.0",
        zone_interval_s=None,
        session_time_s=None,
        continues=None,
        gap_s=None,
        tile_time_s=(60.0, 2.0),
        limits=(LimitReached("skin_temperature", "physiological", "high", 1, 40.0),),
    )
    return replace(session, **changes)
