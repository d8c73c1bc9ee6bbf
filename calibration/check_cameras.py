"""Whether two cameras still stand and see as the rig says, from one board that both see; if not, what moved.

All that may have moved is estimated at once, with the board's place in each view: the thermal camera's turn
and shift against the colour camera, and both zooms. What the estimate says counts against what the rig's own
covariance allows. Where that does not explain it, each single cause is tried: the one that explains it with
least left over is named, and so is each other that does nearly as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from calibration.check_unnoticed import SINGLE, Unnoticed, least_found, may_be_off
from calibration.check_views import CAUSES, SeenBoth, SeenSystem
from models.geometry import Floats, frozen
from models.rig import Rig
from models.rig_checked import Off

USUAL_SIGMA = np.array([*[np.radians(0.1)] * 3, 2.0, 2.0, 3.0, 0.005, 0.003])
"""Of a rig whose calibration states no covariance: as good as the step ``thermal`` is at its limits."""

UNLIKELY = 0.005
"""Share of checks in which a rig that is as it was is called moved."""

ALSO = 6.0
"""Causes that leave no more than this over in squared sigmas beyond the best one are named too."""

MATTERS_MM = 2.0
"""Less than this on the skin is no reason to calibrate again: a thermal pixel is 3 mm wide there."""

MOST_U95_MM = 8.0
"""As the step ``thermal`` has it."""

WORKING_MM = 800.0
"""Where it is told what might have gone unnoticed, as the step ``thermal`` tells its bound."""


@dataclass(frozen=True, eq=False)
class CamerasChecked:
    """What the views say."""

    state: str
    """``valid``, ``moved``, ``unknown``."""
    causes: tuple[str, ...]
    """Of `SINGLE`, the likeliest first; none where nothing moved."""
    found: Floats
    """The first cause alone, in the order of `CAUSES`, 0 for what it does not hold."""
    u95: Floats
    """Of it."""
    on_skin_mm: float
    """By how much a thermal pixel is misplaced on the skin at the board's distance, and along the line of
    sight what is placed by its size, both together."""
    on_skin_u95_mm: float
    distance_mm: float
    likely: float
    """Probability that as much is explained by a cause if nothing moved."""
    views: int
    unnoticed: Unnoticed
    """The least turn that would have been found, on the skin `WORKING_MM` away."""
    may_be_mm: float
    """By how much a thermal pixel may be misplaced there by what was seen, whatever may have moved, 95 %."""
    off: tuple[Off, ...]
    """What each of `causes` alone would be, in this order. Where nothing is named: by how much the cameras
    may be off, for each of `SINGLE`."""
    open_by_rig: bool = False
    """They are surely off by more than matters, and the rig states no bound to hold that against."""


def check_cameras(
    views: Sequence[SeenBoth], corners_mm: Floats, rig: Rig, *, known: Floats
) -> CamerasChecked:
    """Hold views of a board against the rig.

    Args:
        views: At least one.
        corners_mm: Of the board, shape (m, 3).
        rig: With a thermal camera.
        known: Covariance of `CAUSES` as calibration states it, shape (8, 8). Where the rig holds one of all
            that the thermal step found, that is taken: focal length, middle and turn of a camera each know
            little of themselves, and together where a pixel looks.
    """
    system = SeenSystem(views, corners_mm, rig)
    estimate, spread = system.solve()
    known = system.known(known)
    whole = spread + known
    far = float(estimate @ np.linalg.solve(whole, estimate))
    tried = sorted(((*_alone(estimate, whole, at), name, at) for name, at in SINGLE), key=lambda one: one[0])
    left, found, own, _, _ = tried[0]
    # How much each cause explains, by chance; four chances, so four times as likely.
    by_chance = [stats.chi2.sf(far - price + 2.0 * len(at), len(at)) for price, _, _, _, at in tried]
    likely = min(1.0, len(SINGLE) * float(min(by_chance)))
    near = [one for one in tried if one[0] <= left + ALSO]
    causes = tuple(name for _, _, _, name, _ in near)
    # What the rig and the views say together, where nothing moved; what the cause does, where it did.
    gain = known @ np.linalg.inv(whole)
    quiet, quiet_spread = gain @ estimate, known - gain @ known
    moved = likely < UNLIKELY
    off_mm, u95_mm = system.on_skin_mm(found if moved else quiet, own if moved else quiet_spread)
    state = "moved" if moved and off_mm > MATTERS_MM else "valid"
    may_be = may_be_off(estimate, spread, known)
    may_be_mm = max(
        sum(system.on_skin_mm(one.values, one.covariance, WORKING_MM, along=False)) for one in may_be
    )
    nothing_stated = rig.thermal is not None and rig.thermal.covariance is None
    surely_off = state == "valid" and nothing_stated and off_mm - u95_mm > MATTERS_MM
    if state == "valid" and (surely_off or max(off_mm + u95_mm, may_be_mm) > MOST_U95_MM):
        state = "unknown"
    return CamerasChecked(
        state=state,
        causes=causes if state == "moved" else (),
        found=frozen(found),
        u95=frozen(1.96 * np.sqrt(np.maximum(np.diag(own), 0.0))),
        on_skin_mm=off_mm,
        on_skin_u95_mm=u95_mm,
        distance_mm=system.distance_mm,
        likely=likely,
        views=len(views),
        unnoticed=least_found(
            whole,
            system.on_skin(np.zeros(len(CAUSES)), WORKING_MM)[1],
            unlikely=UNLIKELY / len(SINGLE),
            least_mm=MATTERS_MM,
        ),
        may_be_mm=may_be_mm,
        off=tuple(_named(size, own, at) for _, size, own, _, at in near) if state == "moved" else may_be,
        open_by_rig=surely_off,
    )


def _named(found: Floats, spread: Floats, at: tuple[int, ...]) -> Off:
    """What one cause amounts to, by the names of its parameters."""
    names = tuple(CAUSES[k] for k in at)
    return Off(names, found[list(at)], spread[np.ix_(at, at)])


def _alone(estimate: Floats, whole: Floats, at: tuple[int, ...]) -> tuple[float, Floats, Floats]:
    """One cause alone: what it leaves over with the price of its freedom, itself, and its covariance."""
    pick = np.eye(len(CAUSES))[:, list(at)]
    weight = np.linalg.inv(whole)
    spread = np.linalg.inv(pick.T @ weight @ pick)
    found = pick @ (spread @ (pick.T @ weight @ estimate))
    left = estimate - found
    return float(left @ weight @ left) + 2.0 * len(at), found, pick @ spread @ pick.T
