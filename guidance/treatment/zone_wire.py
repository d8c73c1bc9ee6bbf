"""What a page may say of the zone and the touch check, checked strictly: limits, kinds, nothing beside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from guidance.treatment.commands import Command, EditZone, SkipTouch, TakeTouch
from guidance.zone_actions import (
    AdjustZone,
    DragZone,
    KeepIn,
    LeaveOutCircle,
    LeaveOutOutline,
    MarkSpot,
    OutlineZone,
    Px,
    ResizeLeftOut,
    ZoneAction,
    ZoneAsFound,
)

POINTS_MOST = 64
"""Of an outline: a finger taps a dozen, and a message has room for these."""
PX_MOST = 10_000.0
"""Wider than any camera's picture."""
STEP_MM, TURN_DEG, SCALE = 50.0, 45.0, (0.5, 2.0)
"""One adjustment goes no farther; buttons step by much less."""
RADIUS_MM = (3.0, 60.0)
"""Of a circle to leave out: from a mole with its rim to a palm."""
NUMBER_MOST = 10_000

_NOW_S = 0.0
"""Stands for the time until the session's clock gives it."""


def read_zone_message(what: str, fields: Mapping[str, object]) -> Command | None:
    """A command of the zone's and the touch check's pages; None where it is another one.

    Args:
        what: Which.
        fields: All else that was said.

    Raises:
        ValueError: If it is one of them, and not as a page of ours would say it.
    """
    if what not in _FIELDS:
        return None
    if frozenset(fields) != _FIELDS[what]:
        raise ValueError(f"{what} is said with other words.")
    if what == "take_touch":
        return TakeTouch()
    if what == "skip_touch":
        reason = fields["reason"]
        if not isinstance(reason, str):
            raise ValueError("A reason is text.")
        return SkipTouch(reason)
    return EditZone(_edit(what, fields))


def _edit(what: str, fields: Mapping[str, object]) -> ZoneAction:
    if what == "outline_zone":
        return OutlineZone(_NOW_S, _points(fields["points"]))
    if what == "adjust_zone":
        return AdjustZone(
            _NOW_S,
            right_mm=_number(fields["right_mm"], -STEP_MM, STEP_MM),
            down_mm=_number(fields["down_mm"], -STEP_MM, STEP_MM),
            turn_deg=_number(fields["turn_deg"], -TURN_DEG, TURN_DEG),
            scale=_number(fields["scale"], *SCALE),
        )
    if what == "drag_zone":
        return DragZone(_NOW_S, _point(fields["from"]), _point(fields["to"]))
    if what == "leave_out_circle":
        return LeaveOutCircle(_NOW_S, _point(fields["at"]), _number(fields["radius_mm"], *RADIUS_MM))
    if what == "leave_out_outline":
        return LeaveOutOutline(_NOW_S, _points(fields["points"]))
    if what == "resize_left_out":
        return ResizeLeftOut(_NOW_S, _count(fields["number"]), _number(fields["radius_mm"], *RADIUS_MM))
    if what == "keep_in":
        return KeepIn(_NOW_S, _count(fields["number"]))
    if what == "mark_spot":
        return MarkSpot(_NOW_S, _point(fields["at"]))
    return ZoneAsFound(_NOW_S)


_FIELDS: Mapping[str, frozenset[str]] = {
    "outline_zone": frozenset({"points"}),
    "adjust_zone": frozenset({"right_mm", "down_mm", "turn_deg", "scale"}),
    "drag_zone": frozenset({"from", "to"}),
    "zone_as_found": frozenset(),
    "leave_out_circle": frozenset({"at", "radius_mm"}),
    "leave_out_outline": frozenset({"points"}),
    "resize_left_out": frozenset({"number", "radius_mm"}),
    "keep_in": frozenset({"number"}),
    "mark_spot": frozenset({"at"}),
    "take_touch": frozenset(),
    "skip_touch": frozenset({"reason"}),
}


def _number(value: object, low: float, high: float) -> float:
    if type(value) not in (int, float):
        raise ValueError("A length is a number.")
    number = cast("int | float", value)
    if not low <= number <= high:  # NaN neither
        raise ValueError(f"A number lies between {low:g} and {high:g}.")
    return float(number)


def _count(value: object) -> int:
    if type(value) is not int or not 1 <= value <= NUMBER_MOST:
        raise ValueError("An area is named by its number.")
    return value


def _point(value: object) -> Px:
    if not isinstance(value, list) or len(cast("list[object]", value)) != 2:
        raise ValueError("A place in the picture is two numbers.")
    x, y = (_number(one, 0.0, PX_MOST) for one in cast("list[object]", value))
    return x, y


def _points(value: object) -> tuple[Px, ...]:
    if not isinstance(value, list) or not 3 <= len(cast("list[object]", value)) <= POINTS_MOST:
        raise ValueError(f"An outline has 3 to {POINTS_MOST} points.")
    return tuple(_point(one) for one in cast("list[object]", value))
