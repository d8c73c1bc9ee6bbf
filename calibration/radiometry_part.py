"""What radiometry and point spread have to show in the certificate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from calibration.certificate import Certified
from calibration.certificate_plots import bars_svg
from calibration.chart_plot import Series, chart_svg
from calibration.radiometry import SKIN_DEGC, UNIFORMITY_U95_DEGC, RadiometryFound
from calibration.reference_reading import ReferenceRead
from calibration.shutter_step import LEAST_CLOSINGS, STEP_UNSEEN_U95_DEGC
from calibration.spot_error import SPOT_DEGC, SPOT_WORDS, spot_errors
from calibration.spread import SpreadFound
from models.geometry import Floats
from models.radiometry import PARAMETERS, SURE, UNFLAGGED_MIN
from vision.point_spread import PointSpread

NONE = np.zeros((0, 0))


def radiometry_part(found: RadiometryFound, *, focal_px: float, spread: PointSpread) -> Certified:
    """Of offset, gain and drift of the thermal camera."""
    stated, camera = found.stated, found.fresh
    values = (stated.offset_degc, stated.gain, stated.drift_degc_per_min)
    bounds = SURE * np.sqrt(np.diag(stated.covariance))
    spot_u95 = float(camera.bound_degc(np.array(SPOT_DEGC)))
    calibrated = spot_errors(focal_px=focal_px, spread=spread, camera_u95_degc=spot_u95)
    claimed = spot_errors(focal_px=focal_px, spread=spread, camera_u95_degc=found.claim_degc)
    even = found.skin_u95_degc()
    told_spread = "as calibrated" if spread.measured else "taken for granted: calibrate spread"
    return Certified(
        step="radiometry",
        table="thermal.radiometry",
        title="Temperatures of the thermal camera",
        parameters=(
            *((name, value, float(u95)) for name, value, u95 in zip(PARAMETERS, values, bounds, strict=True)),
            ("at_degc (readings at which the offset holds)", stated.at_degc, float("nan")),
            (
                f"step at the shutter, degC{'' if found.step_seen else ' (taken for granted)'}",
                0.0,
                found.step_u95_degc,
            ),
            ("place in the picture, degC (taken for granted)", 0.0, UNIFORMITY_U95_DEGC),
        ),
        covariance_of=PARAMETERS,
        covariance=stated.covariance,
        on_skin=(
            *((f"large even skin of {t:g} degC", (u95,) * 4) for t, u95 in zip(SKIN_DEGC, even, strict=True)),
            (f"{SPOT_WORDS}, spread {told_spread}: too warm by at most", calibrated.too_warm_degc),
            ("the same: too cold by at most", calibrated.too_cold_degc),
            ("by the camera's claim alone: too warm by at most", claimed.too_warm_degc),
        ),
        facts=(
            *(
                _reference_words(one, u95)
                for one, u95 in zip(found.references, found.off_u95_degc, strict=True)
            ),
            f"The camera claims {found.claim_degc:g} degC. Errors on the skin hold on the day,"
            f" {UNFLAGGED_MIN:g} minutes after the shutter closed, for a camera that has warmed up as it had"
            " here; with the rig's age they grow towards the claim.",
            "The covariance is as wide as the 95 % bound of so few looks: 1.96 times its root is one.",
        ),
        plots=plots(found.references, found),
        used=tuple(
            f"{one.told.name}, {look.t_s:.0f} s: {look.read_degc:.2f} degC, {look.pictures} pictures"
            for one in found.references
            for look in one.looks
        ),
        refused=left_out(found.references),
        on_skin_unit="degC",
    )


def unsolved_part(references: Sequence[ReferenceRead]) -> Certified:
    """Of references that told nothing; for a page that says why."""
    seen = [one for one in references if one.looks]
    return Certified(
        step="radiometry",
        table="thermal.radiometry",
        title="Temperatures of the thermal camera",
        parameters=(),
        covariance_of=(),
        covariance=NONE,
        on_skin=(),
        facts=tuple(_reference_words(one, None) for one in seen),
        plots=plots(seen, None),
        used=tuple(f"{one.told.name}: {len(one.looks)} looks" for one in references),
        refused=left_out(references),
        on_skin_unit="degC",
    )


def step_words(found: RadiometryFound) -> str:
    """What the closing shutter does, and whether that was seen."""
    by = f"The closing shutter moves the camera by up to {found.step_u95_degc:.2f} degC (95 %)"
    if found.step_seen:
        return f"{by}."
    if found.step_u95_degc > STEP_UNSEEN_U95_DEGC:
        return (
            f"{by}: by looks that jumped or differed without a word that it closed, and by what is taken for"
            f" granted ({STEP_UNSEEN_U95_DEGC:g}); a camera that flags its shutter tells it better."
        )
    return (
        f"{by}: taken for granted, since it was seen to close fewer than {LEAST_CLOSINGS} times between"
        " looks; a recording in which it closes more often tells it."
    )


def left_out(references: Sequence[ReferenceRead]) -> tuple[str, ...]:
    """A sentence for each look that has no say."""
    return tuple(sentence for one in references for sentence in one.left_out)


def plots(references: Sequence[ReferenceRead], found: RadiometryFound | None) -> tuple[tuple[str, str], ...]:
    """How far each look is off, over temperature and over time."""
    seen = [one for one in references if one.looks]
    if not seen:
        return ()
    line, doubts = None, [one.own_u95_degc for one in seen]
    if found is not None:
        at = np.array(_range(seen))
        line = (at, found.stated.off_degc(at))
        doubts = list(found.off_u95_degc)
    over_degc = [
        Series(one.told.name, _reads(one), one.off_degc, np.full(len(one.looks), doubt))
        for one, doubt in zip(seen, doubts, strict=True)
    ]
    over_time = [
        Series(
            one.told.name,
            np.array([look.t_s for look in one.looks]) / 60.0,
            one.off_degc - one.off_degc.mean(),
        )
        for one in seen
    ]
    return (
        (
            "Each look at each reference, with the bound of the reference; red: offset and gain",
            chart_svg(over_degc, across="reading, degC", up="reads too warm, degC", line=line),
        ),
        (
            "Each look against the mean of its reference: drift, and steps at the shutter",
            chart_svg(over_time, across="time on the recording's clock, minutes", up="off the mean, degC"),
        ),
    )


def spread_part(
    found: SpreadFound, names: Sequence[str], *, focal_px: float, spread: PointSpread
) -> Certified:
    """Of point spread and halo of the thermal camera."""
    spot = spot_errors(focal_px=focal_px, spread=spread, camera_u95_degc=0.0)
    parameters = (
        ("sigma_px", found.sigma_px, found.sigma_u95_px),
        ("halo_share", found.halo_share, found.halo_u95),
        ("halo_px", found.halo_px, float("nan")),
    )
    used = [name for name in names if not any(one.startswith(f"{name} ") for one in found.refused)]
    return Certified(
        step="spread",
        table="thermal.spread",
        title="Point spread and halo of the thermal camera",
        parameters=parameters,
        covariance_of=("sigma_px", "halo_share"),
        covariance=np.diag([(found.sigma_u95_px / SURE) ** 2, (found.halo_u95 / SURE) ** 2]),
        on_skin=(
            (f"{SPOT_WORDS}: the bare camera reads too warm by", spot.bare_degc),
            ("with spread and halo taken out: too warm by at most", spot.too_warm_degc),
            ("the same: too cold by at most", spot.too_cold_degc),
        ),
        facts=(
            f"{found.used} pictures of a straight edge. What the camera's own offset does is not in these"
            " errors: calibrate radiometry. Taking a spread out overshoots where a spot is 3 to 4 pixels"
            " wide: it then reads too cold, which is the safe side.",
        ),
        plots=(
            (
                "The spot at 0.6, 0.8, 1.0 and 1.2 m: too warm before, and by at most so much after (95 %)",
                bars_svg(
                    [f"{d} m {w}" for d in ("0.6", "0.8", "1.0", "1.2") for w in ("before", "after")],
                    [float(v) for pair in zip(spot.bare_degc, spot.too_warm_degc, strict=True) for v in pair],
                    limit=None,
                    unit="degC",
                ),
            ),
        ),
        used=tuple(used),
        refused=found.refused,
        on_skin_unit="degC",
    )


def unsolved_spread_part(names: Sequence[str]) -> Certified:
    """Of pictures that told no spread; for a page that says why."""
    return Certified(
        "spread",
        "thermal.spread",
        "Point spread and halo of the thermal camera",
        (),
        (),
        NONE,
        (),
        (),
        (),
        (),
        tuple(names),
        "degC",
    )


def _reference_words(one: ReferenceRead, u95_degc: float | None) -> str:
    bound = "" if u95_degc is None else f" (95 % bound {u95_degc:.2f})"
    across = min(look.across_px for look in one.looks)
    return (
        f"{one.told.name}: {one.told.degc:g} degC known to {one.told.u95_degc:g}, emissivity"
        f" {one.told.emissivity:g}, so that a right camera shows {one.shown_degc:.2f}; {len(one.looks)} looks"
        f" read {one.off_degc.mean():+.2f} degC off{bound}; {across:.0f} px across."
    )


def _reads(one: ReferenceRead) -> Floats:
    return np.array([look.read_degc for look in one.looks])


def _range(seen: Sequence[ReferenceRead]) -> tuple[float, float]:
    every = np.concatenate([_reads(one) for one in seen])
    return float(every.min()), float(every.max())
