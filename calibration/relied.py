"""A rig as a step may rely on it, with bounds as wide as `analyze` and `live` have them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np

from calibration.vouching import last_check
from models.geometry import Floats
from models.rig import Nozzle, Rig
from models.rig_file import read_rig
from models.rig_moved import moved_parts, moved_words, relied_on
from models.rig_widened import loosened, widened_words
from models.validity import RESTS_ON, lapsed_words


def relied_rig(path: Path, *, now: datetime, step: str) -> tuple[Rig, Rig, tuple[str, ...]]:
    """The rig in a file: as stated, as it may be relied on, and in sentences what of it is wider.

    Args:
        path: Of ``rig.toml``; the last check lies beside it.
        now: Time of day.
        step: What is done with it: what that does not rest on is left out of the sentences.
    """
    stated, _ = read_rig(path.read_text(encoding="utf-8"), where=str(path))
    checked = last_check(path)
    grounds = {*RESTS_ON[step], "time"}
    gone = tuple(one for one in loosened(stated, now=now) if one.lapsed.step in grounds)
    told = [f"{lapsed_words(tuple(one.lapsed for one in gone))}; {widened_words(gone)}."] if gone else []
    moved = [
        replace(one, steps=steps)
        for one in moved_parts(checked, stated)
        if (steps := tuple(step for step in one.steps if step in grounds))
    ]
    if words := moved_words(tuple(moved)):
        told.append(f"{words}.")
    return stated, relied_on(stated, checked, now=now), tuple(told)


def collar_lean_rad2(nozzle: Nozzle, stated: Rig, relied: Rig) -> float:
    """Variance by which the jet may lean along a collar whose tags no longer sit where they were found to.

    Tags that are off by so much each, seen half of them at a time, turn the collar by it over how far they
    lie apart: as `models.rig_widened.UNMEASURED_AXIS_RAD`.
    """
    tags = nozzle.tags.corners_mm.mean(axis=1)
    more = _tag_mm2(relied.nozzle_errors.tag_mm2) - _tag_mm2(stated.nozzle_errors.tag_mm2)
    off = tags - tags.mean(axis=0)
    lever2 = float(np.linalg.eigvalsh(np.trace(off.T @ off) * np.eye(3) - off.T @ off)[0])
    return max(more, 0.0) / max(0.5 * lever2, 1.0)


def _tag_mm2(covariance: Floats | None) -> float:
    """Mean variance of a direction of a tag's place."""
    return 0.0 if covariance is None else float(np.mean(np.diag(covariance)))
