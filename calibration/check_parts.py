"""The quick check in words: cameras, tip on known points, references, time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from calibration.bounds import radius_95
from calibration.check_cameras import MATTERS_MM, UNLIKELY, WORKING_MM, CamerasChecked
from calibration.check_touches import Touch
from calibration.check_views import CAUSES
from calibration.time_offset import TimeFound
from calibration.vouching import LAPSED, NOT_MEASURED, Standing
from models.camera_offset import PatchReading
from models.geometry import Floats
from models.nozzle_errors import TIP
from models.radiometry import Calibrated
from models.rig_checked import READS, TIMES, CheckedPart, Off

TOUCH_SIGMA_MM = 0.7
"""How well a hand puts an orifice on a corner, 1 sigma of each direction (own choice: half the width of the
line between two squares, and the orifice's middle is judged by eye)."""

TIP_SIGMA_MM = 0.6
"""Of a tip whose calibration states no covariance: half of the step's limit of 2.5 mm (95 % of three)."""

CLOCK_U95_S = 0.02
"""Of a rig that states none: what an honest offset may be off by (`guidance.alarms.judge`)."""


def cameras_part(found: CamerasChecked) -> CheckedPart:
    """In words."""
    off = (
        f"{found.on_skin_mm:.1f} +- {found.on_skin_u95_mm:.1f} mm on the skin {found.distance_mm:.0f} mm away"
    )
    away = f"{WORKING_MM / 1000.0:g} m away"
    least = found.unnoticed
    would = (
        f"a turn of {np.degrees(least.turn_rad):.2f} degrees ({least.on_skin_mm:.1f} mm {away}) would have"
        f" been found, and less counts in the bounds: up to {found.may_be_mm:.1f} mm"
    )
    if found.state == "valid":
        words = f"thermal and colour camera agree: {off}; {would}"
        return CheckedPart("cameras", "valid", words, off=found.off)
    if found.open_by_rig:
        words = (
            f"off by {off}, and the rig states no bound to hold that against; calibrate thermal; until then"
            f" up to {found.may_be_mm:.1f} mm {away} count in the bounds"
        )
        return CheckedPart("cameras", "unknown", words, off=found.off)
    if found.state == "unknown":
        words = f"cannot be told: {off}; {would}; show the board nearer, leaning to both sides, for longer"
        return CheckedPart("cameras", "unknown", words, off=found.off)
    told = " or ".join(_cause(name, found) for name in found.causes)
    again = ("rgb", "thermal") if found.causes[0] == "colour zoom" else ("thermal",)
    words = f"{told}: off by {off}; do calibrate {', then '.join(again)} again"
    by = f"{found.on_skin_mm:.1f} +- {found.on_skin_u95_mm:.1f} mm"
    return CheckedPart("cameras", "moved", words, again, by, found.off)


def _cause(name: str, found: CamerasChecked) -> str:
    one, u95 = dict(zip(CAUSES, found.found, strict=True)), dict(zip(CAUSES, found.u95, strict=True))
    first = name == found.causes[0]
    if name == "turned":
        turn = np.degrees([one["rx_rad"], one["ry_rad"], one["rz_rad"]])
        size = (
            f" by {np.linalg.norm(turn):.2f} +- {np.degrees(max(u95['rx_rad'], u95['ry_rad'])):.2f} degrees"
        )
        return "the thermal camera is turned against the colour camera" + (size if first else "")
    if name == "shifted":
        shift = np.array([one["tx_mm"], one["ty_mm"], one["tz_mm"]])
        size = f" by {np.linalg.norm(shift):.1f} +- {max(u95['tx_mm'], u95['ty_mm']):.1f} mm"
        return "the thermal camera is shifted against the colour camera" + (size if first else "")
    key, camera = ("thermal_zoom", "thermal") if name == "thermal zoom" else ("rgb_zoom", "colour")
    if not first:
        return f"the {camera} camera's focal length changed (zoom or focus)"
    way = "longer" if one[key] > 0.0 else "shorter"
    return (
        f"the {camera} camera's focal length became {100.0 * abs(one[key]):.1f} +- {100.0 * u95[key]:.1f} %"
        f" {way} (zoom or focus)"
    )


def tip_part(touches: Sequence[Touch], *, tip_covariance_mm2: Floats | None) -> CheckedPart:
    """Whether the tip is where the rig says, and if not, whether collar or tip gave way.

    Along the nozzle the collar slips; aside of it the tip is bent, or the collar tilted.
    """
    if not touches:
        return CheckedPart("tip", "not looked at", "no known point was touched with the tip")
    weights = [np.linalg.inv(touch.covariance_mm2 + TOUCH_SIGMA_MM**2 * np.eye(3)) for touch in touches]
    spread = np.linalg.inv(np.sum(weights, axis=0))
    off = spread @ np.sum([w @ t.off_nozzle_mm for w, t in zip(weights, touches, strict=True)], axis=0)
    known = TIP_SIGMA_MM**2 * np.eye(3) if tip_covariance_mm2 is None else tip_covariance_mm2
    whole = spread + known
    likely = float(stats.chi2.sf(off @ np.linalg.solve(whole, off), 3))
    size, u95 = float(np.linalg.norm(off)), radius_95(spread, freedom=1e6)
    at = f"{len(touches)} point{'s' if len(touches) > 1 else ''} touched"
    if likely >= UNLIKELY or size <= MATTERS_MM:
        return CheckedPart("tip", "valid", f"tip {size:.1f} +- {u95:.1f} mm from where it should be, {at}")
    along, aside = off[2], off[:2]
    slipped = along**2 / whole[2, 2] + 2.0 > float(aside @ np.linalg.solve(whole[:2, :2], aside))
    what = (
        f"the collar slipped along the nozzle by {abs(along):.1f} mm,"
        f" {'away from' if along > 0 else 'towards'} the tip"
        if slipped
        else f"the tip is bent aside by {np.linalg.norm(aside):.1f} mm, or the collar tilted"
    )
    again = ("tip",) if slipped else ("tip", "axis")  # what is bent or tilted blows another way too
    words = f"{what} (+- {u95:.1f} mm, {at}); do calibrate {', then '.join(again)} again"
    by = f"{size:.1f} +- {u95:.1f} mm"
    return CheckedPart("tip", "moved", words, again, by, (Off(TIP, off, spread),))


def temperature_part(
    readings: Sequence[PatchReading], *, claim_u95_degc: float, calibrated: Calibrated | None = None
) -> CheckedPart:
    """Whether the thermal camera reads references as its calibration, or else its rig, claims.

    Args:
        readings: Of references, without what calibration found.
        claim_u95_degc: Of the uncalibrated camera.
        calibrated: What calibration found; None = the claim is what is held against the references.
    """
    if not readings:
        return CheckedPart("temperature", "not looked at", "no reference of known temperature was in sight")
    off = np.array([r.off_degc for r in readings])
    u95 = np.array([np.hypot(r.common_u95_degc, r.noise_u95_degc) for r in readings])
    allowed = np.full(len(off), claim_u95_degc)
    if calibrated is not None:
        allowed = calibrated.bound_degc(np.array([r.at_degc for r in readings]))
    worst = int(np.argmax(np.abs(off) / np.hypot(u95, allowed)))
    told = ", ".join(
        f"{abs(o):.1f} +- {u:.1f} degC too {'warm' if o > 0.0 else 'cold'} at {r.at_degc:.0f} degC"
        for o, u, r in zip(off, u95, readings, strict=True)
    )
    by = f"{'claimed' if calibrated is None else 'calibrated to'} {allowed[worst]:.1f} degC"
    if abs(off[worst]) <= np.hypot(u95[worst], allowed[worst]):
        return CheckedPart("temperature", "valid", f"reads {told} ({by})")
    again = "" if calibrated is None else " again"
    words = f"reads {told}, beyond the {by}; let it warm up, then calibrate radiometry{again}"
    by = f"{abs(off[worst]):.1f} +- {u95[worst]:.1f} degC"
    size = Off(READS, off[[worst]], np.array([[(u95[worst] / 1.96) ** 2]]))
    return CheckedPart("temperature", "moved", words, ("radiometry",), by, (size,))


def time_part_of(found: TimeFound | str | None, *, clock_u95_s: float | None) -> CheckedPart:
    """Whether thermal pictures come when the rig says."""
    if found is None or isinstance(found, str):
        return CheckedPart("time", "not looked at", found or "there are no thermal pictures")
    # What is to be added is what the stamps lack.
    way = "too early" if found.offset_s > 0.0 else "too late"
    told = f"thermal times are {1000.0 * abs(found.offset_s):.0f} +- {1000.0 * found.u95_s:.0f} ms {way}"
    if found.refusal is not None:
        return CheckedPart("time", "not looked at", "no motion that tells the time between the cameras")
    stated_s = CLOCK_U95_S if clock_u95_s is None else max(clock_u95_s, 0.005)
    if abs(found.offset_s) <= np.hypot(found.u95_s, stated_s):
        return CheckedPart("time", "valid", told)
    by = f"{1000.0 * abs(found.offset_s):.0f} +- {1000.0 * found.u95_s:.0f} ms"
    off = Off(TIMES, np.array([found.offset_s]), np.array([[(found.u95_s / 1.96) ** 2]]))
    return CheckedPart("time", "moved", f"{told}; do calibrate time again", ("time",), by, (off,))


def steps_part(told: Sequence[Standing]) -> CheckedPart | None:
    """What of the rig was found with something that it no longer has, was changed since, or is too old.

    Args:
        told: How the rig's parts stand.

    Returns:
        None where no step was ever noted.
    """
    gone = [one for one in told if one.state == LAPSED]
    if not gone and all(one.state == NOT_MEASURED for one in told):
        return None
    if not gone:
        return CheckedPart("calibration", "valid", "no part was found with what the rig no longer has")
    whys: dict[str, list[str]] = {}
    for one in gone:
        whys.setdefault(one.why, []).append(one.title)
    told_ = "; ".join(f"{', '.join(titles)}: {why}" for why, titles in whys.items())
    words = f"{told_}; do calibrate {', then '.join(one.name for one in gone)} again"
    return CheckedPart("calibration", "moved", words, tuple(one.name for one in gone))
