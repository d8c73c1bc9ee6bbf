"""What a page of the calibration is told, as plain data, and pictures small enough to send."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np

from calibration.advice import Advice
from calibration.beside import beside_of
from calibration.folder_steps import StepTold
from calibration.guided_run import TITLES, Step
from calibration.holding import DISTANCES, LEANS
from calibration.outstanding import Outstanding
from calibration.pictures import spread_grey
from calibration.recorded_plan import STEPS
from models.geometry import Bytes, Counts, Floats

SHOWN_PX, QUALITY = 960, 75
WARM_PX = 640
"""A thermal picture is enlarged to this width where it is what one looks at."""

SHORT = {
    "rgb": "Colour",
    "thermal": "Thermal",
    "depth": "Depth",
    "collar": "Collar",
    "tip": "Tip",
    "spread": "Spread",
    "radiometry": "Degrees",
    "time": "Time",
    "axis": "Axis",
    "jet": "Jet",
    "check": "Check",
}
"""In the row at the head of the page."""


def title_of(name: str) -> str:
    """Of any step."""
    return TITLES.get(name) or STEPS[name].title


def step_told(
    name: str, told: StepTold | None, stands: Outstanding | None, *, ended: bool
) -> dict[str, object]:
    """How one step stands: what came of it in this sitting, else as the rig has it.

    Args:
        name: Of the step.
        told: What came of it in this sitting.
        stands: As the rig has it.
        ended: Whether nothing more can be done, for want of pictures.
    """
    state, lines = ("open", ()) if told is None else (told.state, told.lines)
    return {
        "name": name,
        "title": title_of(name),
        "short": SHORT[name],
        "state": state,
        "lines": list(lines),
        "beside": _beside_told(name, lines),
        "stands": "open" if stands is None else stands.state,
        "words": "" if stands is None else stands.words,
        "offered": stands is not None and stands.offered and not ended,
        "wanted": stands is not None and stands.wanted,
    }


def _beside_told(name: str, lines: Sequence[str]) -> dict[str, object] | None:
    found = beside_of(name, lines)
    if found is None:
        return None
    rows = [list(row) for row in found.rows]
    return {"head": list(found.head), "rows": rows, "verdict": found.verdict, "differs": found.differs}


def outcome_told(told: StepTold | None) -> dict[str, object] | None:
    """What came of a step, for its card."""
    if told is None:
        return None
    return {"name": told.name, "title": title_of(told.name), "state": told.state, "lines": list(told.lines)}


def advice_told(advice: Advice) -> dict[str, object]:
    """What to do with board or nozzle."""
    coverage = advice.coverage
    covered = None
    if coverage is not None:
        covered = {
            "cells": coverage.cells.tolist(),
            "leans": list(zip(LEANS, coverage.leans, strict=True)),
            "distances": list(zip(DISTANCES, coverage.distances, strict=True)),
        }
    return {
        "taken": advice.taken,
        "say": advice.say,
        "say_plain": advice.say_plain,
        "why": advice.why,
        "warnings": list(advice.warnings),
        "count": advice.count,
        "least": advice.least,
        "error_mm": advice.error_mm,
        "foretold_mm": advice.foretold_mm,
        "asked_mm": advice.asked_mm,
        "limit_mm": advice.limit_mm,
        "missing": list(advice.missing),
        "coverage": covered,
        "seen": _pixels(advice.seen_px),
        "ghost": [_pixels(outline) for outline in advice.ghost_px],
    }


def _pixels(px: Floats | Iterable[tuple[float, float]] | None) -> list[list[float]]:
    """Pixels that can be drawn."""
    if px is None:
        return []
    return [[round(float(x), 1), round(float(y), 1)] for x, y in px if np.isfinite(x) and np.isfinite(y)]


def pictures_told(bgr: Bytes | None, thermal: Counts | None, *, warm_first: bool) -> dict[str, bytes]:
    """The pictures as JPEG: ``jpeg`` is the large one, ``warm`` the thermal one in its corner.

    Args:
        bgr: Colour picture, shape (h, w, 3).
        thermal: Centikelvin, shape (h, w).
        warm_first: Whether the thermal picture is the large one.
    """
    parts: dict[str, bytes] = {}
    if thermal is not None:
        warm = np.asarray(cv2.applyColorMap(spread_grey(thermal), cv2.COLORMAP_INFERNO), np.uint8)
        if warm_first:
            high = round(WARM_PX * warm.shape[0] / warm.shape[1])
            large = cv2.resize(warm, (WARM_PX, high), interpolation=cv2.INTER_CUBIC)
            return {"jpeg": _jpeg(np.asarray(large, np.uint8))}
        parts["warm"] = _jpeg(warm)
    if bgr is not None:
        height, width = bgr.shape[:2]
        share = min(1.0, SHOWN_PX / width)
        small = bgr
        if share < 1.0:
            size = (round(share * width), round(share * height))
            small = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA)
        parts["jpeg"] = _jpeg(np.asarray(small, np.uint8))
    return parts


def _jpeg(picture: Bytes) -> bytes:
    _, packed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return packed.tobytes()


def played_out(step: Step | None) -> str:
    """Why a step is left out for which what was played held too little, in a sentence."""
    if step is None:
        return "What was played ended before this step began; play more, or use the cameras."
    count, error_mm = len(step.taken), step.error_mm
    known = "no error could be told yet" if error_mm is None else f"the error was still {error_mm:.1f} mm"
    return (
        f"What was played ended when {count} picture{' was' if count == 1 else 's were'} taken: {known}, and"
        f" {step.asked_mm:.1f} mm are asked; play more, or do this step from the pictures by its own command."
    )
