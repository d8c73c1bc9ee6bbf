"""Which alarms have not come clear of their limits yet: the same rules, asked of slightly worse facts.

A value that wavers around its limit would begin an alarm at each crossing. So what has begun ends only where
the value is inside its limit by a margin. Nothing begins by it, so that no STOP comes earlier or later.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from guidance.alarms.episodes import Condition
from guidance.alarms.facts import Facts
from guidance.alarms.judge import conditions
from models.protocol import Device, Protocol

# Own choices, each about twice the noise of what is measured, and small beside the steps of a protocol.
TEMPERATURE_DEGC = 0.5
"""Half the step from warning to STOP of a thermal shock (3 and 2 degC)."""
DISTANCE_MM = 5.0
"""A hand that holds 15 cm trembles and strays by a few millimetres."""
INCIDENCE_DEG = 3.0
SPEED_CM_S = 0.3
FORECAST_S = 0.5
OFFSET_MM = 2.0


def lingering(facts: Facts, *, protocol: Protocol, device: Device) -> tuple[Condition, ...]:
    """Conditions that hold or are still within their hysteresis.

    Args:
        facts: As for `judge.conditions`.
        protocol: Limits.
        device: Its name is told where it matters.

    Returns:
        What would hold if each value were worse by its margin; the distance, both nearer and farther.
    """
    return tuple(_told(facts, protocol=protocol, device=device))


def _told(facts: Facts, *, protocol: Protocol, device: Device) -> Iterable[Condition]:
    worse = replace(
        facts,
        lowest_degc=_less(facts.lowest_degc, TEMPERATURE_DEGC),
        lowest_bound_degc=_less(facts.lowest_bound_degc, TEMPERATURE_DEGC),
        time_to_limit_s=_less(facts.time_to_limit_s, FORECAST_S),
        time_to_limit_lower_s=_less(facts.time_to_limit_lower_s, FORECAST_S),
        jet_speed_cm_s=_less(facts.jet_speed_cm_s, SPEED_CM_S),
        incidence_deg=_less(facts.incidence_deg, -INCIDENCE_DEG),
        offset_mm=_less(facts.offset_mm, -OFFSET_MM),
        distance_u95_mm=_less(facts.distance_u95_mm, -DISTANCE_MM),
        distance_mm=_less(facts.distance_mm, DISTANCE_MM),
    )
    yield from conditions(worse, protocol=protocol, device=device)
    farther = replace(worse, distance_mm=_less(facts.distance_mm, -DISTANCE_MM))
    yield from conditions(farther, protocol=protocol, device=device)


def _less(value: float | None, margin: float) -> float | None:
    return None if value is None else value - margin
