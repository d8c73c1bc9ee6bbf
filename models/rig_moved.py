"""What a check found moved counts as a wider bound until it is calibrated again.

Values stay as they are: what a part moved by is added to what calibration states of it, every cause that
explains what was seen, since any of them may be the one. A check that told no size (`Off`) leaves the part
open as if nobody had ever measured it. See decision 38.

What a check could not have told from moved is no narrower than that either: a part found valid keeps what
calibration states, or what the check leaves open where that is wider.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from models.covering import covering
from models.geometry import Floats, frozen
from models.lens_errors import ACROSS_PER_RMS, FOCAL_PER_RMS, UNKNOWN_RMS_PX
from models.nozzle_errors import TIP
from models.rig import INTRINSICS, Rig, ThermalCamera
from models.rig_checked import CAMERAS, READS, TIMES, CheckedPart, RigChecked
from models.rig_widened import (
    UNMEASURED_CLOCK_S,
    Loosened,
    loosened,
    opened,
    widened,
    with_nozzle_errors,
    with_thermal,
)
from models.stream_clock import StreamClock
from models.validity import TITLES, Lapsed

NOT_JUDGED = "; not judged since"
"""Beside what an earlier check found, where a later one could not tell."""

CONCERNS: Mapping[str, tuple[str, ...]] = {
    "cameras": ("rgb", "thermal"),
    "tip": ("tip", "axis"),
    "temperature": ("radiometry",),
    "time": ("time",),
}
"""Steps whose bounds what each part of a check is off by goes into."""


@dataclass(frozen=True)
class Moved:
    """A part that a check found moved, and that was not calibrated since."""

    part: CheckedPart
    found: datetime
    steps: tuple[str, ...]
    """Of its steps those that were not done since, in order."""


def moved_parts(checked: RigChecked | None, rig: Rig) -> tuple[Moved, ...]:
    """What a check found moved and nobody has calibrated since.

    Args:
        checked: The last check of this rig, or of it as it was before; None = there was none.
        rig: As it is now.
    """
    told: list[Moved] = []
    if checked is None:
        return ()
    for part in checked.moved:
        found = part.found or checked.checked
        # What the check says of the rig's own dates is told and opened by those, at any time of day.
        dated = loosened(rig, now=found) if part.name == "calibration" else ()
        passed = {one.lapsed.step for one in dated}
        steps = tuple(s for s in part.again if s not in passed and not _done_since(rig, s, found))
        if steps:
            told.append(Moved(part, found, steps))
    return tuple(told)


def relied_on(rig: Rig, checked: RigChecked | None, *, now: datetime) -> Rig:
    """The rig with bounds that hold: `models.rig_widened.widened`, and what a check found moved.

    Args:
        rig: As calibrated.
        checked: The last check; None = there was none.
        now: Time of day.

    Returns:
        The very same where all its parts hold.
    """
    out = widened(rig, now=now)
    for moved in moved_parts(checked, rig):
        if not moved.part.off:
            for step in moved.steps:
                why = Lapsed(step, (moved.part.name,), moved.part.words)
                out = opened(out, Loosened(why, None, 1.0, True))
            continue
        for step in CONCERNS.get(moved.part.name, ()):
            if not _done_since(rig, step, moved.found):
                out = _WIDEN[step](out, moved.part)
    return _no_narrower(out, checked)


def moved_words(moved: tuple[Moved, ...]) -> str:
    """What is moved, and what is done about it, in a sentence; empty where nothing is."""
    if not moved:
        return ""
    told = "; ".join(f"{one.part.words} (check of {_day(one.found)})" for one in moved)
    return f"{told}; until then wider bounds are used for {moved_titles(moved)}"


def moved_titles(moved: tuple[Moved, ...]) -> str:
    """What has wider bounds by that, in words."""
    return ", ".join(TITLES[step] for step in moved_steps(moved))


def moved_steps(moved: tuple[Moved, ...]) -> tuple[str, ...]:
    """Steps that are to be done again, each once."""
    return tuple(dict.fromkeys(step for one in moved for step in one.steps))


def with_what_was_found_before(checked: RigChecked, before: RigChecked | None, rig: Rig) -> RigChecked:
    """A check that keeps what an earlier one found moved, where it could not tell itself.

    Args:
        checked: The new one.
        before: The one whose file it is to replace; None = there is none.
        rig: That was checked: what was calibrated since is not kept.
    """
    older = {one.part.name: one for one in moved_parts(before, rig)}
    left_open = {p.name: p for p in before.parts if p.off and p.state != "moved"} if before else {}
    parts: list[CheckedPart] = []
    for part in checked.parts:
        one = older.get(part.name)
        if one is not None and part.state in ("unknown", "not looked at"):
            words = one.part.words.removesuffix(NOT_JUDGED) + NOT_JUDGED
            part = replace(one.part, words=words, again=one.steps, found=one.found)
        elif part.state == "not looked at" and part.name in left_open:
            earlier = left_open[part.name]
            part = replace(part, off=earlier.off, found=earlier.found or (before.checked if before else None))
        parts.append(part)
    return replace(checked, parts=tuple(parts))


def _done_since(rig: Rig, step: str, found: datetime) -> bool:
    one = rig.validity.of(step)
    # A rig without any marks is of another program or version: its own date is all it tells.
    measured = one.measured if one is not None else None if rig.validity.found else rig.created
    return measured is not None and _aware(measured) > _aware(found)


def _lens(rig: Rig, part: CheckedPart) -> Rig:
    """Another zoom of the colour camera makes all that is placed by its size nearer or farther."""
    share2 = sum(float(one.moments(("rgb_zoom",))[0, 0]) for one in part.off)
    if share2 == 0.0:
        return rig
    focal = rig.rgb.focal[:2]
    more = np.zeros((len(INTRINSICS), len(INTRINSICS)))
    more[:2, :2] = share2 * np.outer(focal, focal)
    if rig.rgb_covariance is None:  # a bound by its residuals goes on holding beside it
        rms_px = rig.rgb_rms_px if rig.rgb_rms_px is not None else UNKNOWN_RMS_PX
        more[:2, :2] += (FOCAL_PER_RMS * rms_px) ** 2 * np.outer(focal, focal)
        more[[2, 3], [2, 3]] = (ACROSS_PER_RMS * rms_px) ** 2
        return replace(rig, rgb_covariance=frozen(more))
    return replace(rig, rgb_covariance=frozen(rig.rgb_covariance + more))


def _thermal(rig: Rig, part: CheckedPart) -> Rig:
    camera = rig.thermal
    if camera is None:
        return rig
    by = _by_causes(camera)
    more = by @ sum(one.moments(CAMERAS) for one in part.off) @ by.T
    stated = np.zeros((15, 15)) if camera.covariance is None else camera.covariance
    return with_thermal(rig, replace(camera, covariance=frozen(stated + more)))


def _by_causes(camera: ThermalCamera) -> Floats:
    """What a change of each cause is as one of the thermal camera's parameters, shape (15, 8)."""
    focal = camera.camera.focal[:2]
    by = np.zeros((15, len(CAMERAS)))
    by[9:15, :6] = np.eye(6)
    by[:2, CAMERAS.index("thermal_zoom")] = focal
    # What the colour camera sees under a wrong angle is looked up beside its place in the thermal picture: a
    # longer lens there is as a shorter one here.
    by[:2, CAMERAS.index("rgb_zoom")] = -focal
    return by


def _no_narrower(rig: Rig, checked: RigChecked | None) -> Rig:
    """The thermal camera's place no better known than a check that found nothing moved has seen it."""
    if checked is None:
        return rig
    for part in checked.parts:
        camera = rig.thermal
        if part.name != "cameras" or part.state == "moved" or not part.off or camera is None:
            continue
        if _done_since(rig, "thermal", part.found or checked.checked):
            continue
        by = _by_causes(camera)
        stated = np.zeros((15, 15)) if camera.covariance is None else camera.covariance
        wide = covering(stated, [by @ one.moments(CAMERAS) @ by.T for one in part.off])
        rig = with_thermal(rig, replace(camera, covariance=frozen(wide)))
    return rig


def _tip(rig: Rig, part: CheckedPart) -> Rig:
    if rig.nozzle is None:
        return rig
    return with_nozzle_errors(rig, "tip_mm2", np.sum([one.moments(TIP) for one in part.off], axis=0))


def _axis(rig: Rig, part: CheckedPart) -> Rig:
    """A tip that went aside leans the jet by its way over its distance from the tags; a slip does not."""
    if rig.nozzle is None or "axis" not in part.again:
        return rig
    lever_mm = float(np.linalg.norm(rig.nozzle.tags.corners_mm.reshape(-1, 3).mean(axis=0)))
    if lever_mm <= 0.0:
        return rig
    aside_mm2 = np.sum([one.moments(TIP)[:2, :2] for one in part.off], axis=0)
    return with_nozzle_errors(rig, "axis_rad2", aside_mm2 / lever_mm**2)


def _radiometry(rig: Rig, part: CheckedPart) -> Rig:
    """Its corrections stay, since it is against them that it was held; claim and residual grow alike."""
    camera = rig.thermal
    more = max(one.u95(READS[0]) for one in part.off)
    if camera is None:
        return rig
    stated = camera.radiometry
    if stated is not None:
        stated = replace(stated, residual_u95_degc=stated.residual_u95_degc + more)
    return with_thermal(rig, replace(camera, accuracy_degc=camera.accuracy_degc + more, radiometry=stated))


def _time(rig: Rig, part: CheckedPart) -> Rig:
    camera = rig.thermal
    if camera is None:
        return rig
    clock = camera.clock or StreamClock(0.0, UNMEASURED_CLOCK_S)
    u95_s = clock.u95_s + max(one.u95(TIMES[0]) for one in part.off)
    return with_thermal(rig, replace(camera, clock=replace(clock, u95_s=u95_s)))


_WIDEN = {
    "rgb": _lens,
    "thermal": _thermal,
    "tip": _tip,
    "axis": _axis,
    "radiometry": _radiometry,
    "time": _time,
}


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _day(moment: datetime) -> str:
    return f"{_aware(moment).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
