"""The shift in time between two streams that see one motion, with its drift and bounds.

Each stream is reduced to its modes: how the small picture changes over time, its few strongest patterns
(`calibration.motion_modes`). Whatever moves, a hand, the nozzle or the whole rig, both streams' modes follow
the same state of the scene, so at the right shift the one's are a linear map of the other's, nearly. The
faster stream is a smooth curve through its own stamps and is read at the slower one's; the map is solved out
for each shift, and what is left over is least at the right one. Offset and drift are then refined by
Gauss-Newton with the map solved along (`calibration.time_system`), and their bounds come from leaving out one
stretch of time after another (jackknife), which counts what the map does not explain as well as noise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline

from calibration.motion_modes import Modes, slow_changes
from calibration.time_system import TimeSystem, TwoStreams, onto
from models.geometry import Floats, Ints

SMOOTH_PICTURES = 1.0
"""Width (1 sigma, in pictures) over which the quicker stream is smoothed. The noise of a curve through its
stamps is less between them, which pulls the offset towards half a picture: 1 ms in dim pictures."""

PRODUCTS = 4
"""Strongest patterns whose products the map may use."""

STEP_S = 0.02
"""Of the search; the main lobe of any motion a hand makes is several times as wide."""

RIVALS_TO = 2.0
"""Second best shifts are looked for so many times as far as the best one: to and fro at one pace fits again a
period later, and a search that ends before that would not know."""

STRETCHES = 12
"""Stretches of time for the bounds, of `LEAST_STRETCH_S` at least, so that what is left over in one says
nothing of the next."""
LEAST_STRETCH_S = 1.2


@dataclass(frozen=True, eq=False)
class Shift:
    """What was found. Add ``offset_s + drift * (t - middle_s)`` to a stamp t of the second stream."""

    offset_s: float
    offset_sigma_s: float
    drift: float
    """Seconds a second."""
    drift_sigma: float
    freedom: float
    """Degrees of freedom of both sigmas."""
    middle_s: float
    """Stamp of the second stream at which offset and drift are independent, nearly."""
    explained: float
    """Share of the slower stream's quick changes that the other explains, at the offset."""
    tried_s: Floats
    """Shifts that were searched, shape (m,)."""
    tried_explained: Floats
    """Share explained at each, NaN where the streams hardly overlap."""
    window_t_s: Floats
    """Middle of each stretch, stamps of the second stream."""
    window_offset_s: Floats
    """Offset by each stretch alone."""
    window_sigma_s: Floats
    """Of it, by what is left over in the stretch; white noise assumed."""
    rival_s: float
    """Second best shift outside the main lobe; NaN where there is none."""
    rival_sigmas: float
    """How clearly the best one is better than that, by the stretches of time; inf where there is none."""


def tries(search_s: float) -> int:
    """How many shifts a search tries."""
    return 2 * round(RIVALS_TO * search_s / STEP_S) + 1


def find_shift(
    first: Modes,
    second: Modes,
    *,
    search_s: float,
    stretch_s: float = LEAST_STRETCH_S,
    on_tried: Callable[[], None] = lambda: None,
) -> Shift | None:
    """The shift of the second stream's stamps onto the first one's clock.

    Args:
        first: Of the stream whose clock is the session's.
        second: Of the other.
        search_s: How far to either side is searched.
        stretch_s: Least length of the stretches of time that the bounds come from.
        on_tried: Called after each of `tries` shifts.

    Returns:
        None where the streams overlap too little to say anything.
    """
    first_quick = _interval_s(first) <= _interval_s(second)
    quick, slow = (first, second) if first_quick else (second, first)
    sign = 1.0 if first_quick else -1.0  # slow stamp + sign * offset = stamp of the quick stream
    smooth = _smoothed(quick.t_s, quick.values, SMOOTH_PICTURES * _interval_s(quick))
    curve = CubicSpline(quick.t_s, _with_products(smooth), axis=0)
    span = (float(quick.t_s[0]), float(quick.t_s[-1]))
    reach = tries(search_s) // 2
    tried: Floats = STEP_S * np.arange(-reach, reach + 1, dtype=np.float64)
    told = np.full(len(tried), np.nan)
    for k, shift in enumerate(tried):
        told[k] = _explained(curve, slow, span, sign * float(shift))
        on_tried()
    wanted = np.abs(tried) <= search_s + 1e-9
    if not np.isfinite(told[wanted]).any():
        return None
    best = float(tried[int(np.nanargmax(np.where(wanted, told, np.nan)))])
    fit = TwoStreams(curve, slow, span, sign)
    theta = np.array([best, 0.0])
    weight = np.ones(len(slow.t_s))
    for _ in range(12):
        system = fit.system(theta, weight)
        if system is None:
            return None
        step = np.clip(system.solve(np.ones(len(slow.t_s), bool)), -0.05, 0.05)
        theta = theta + step
        weight = system.huber()
        if abs(step[0]) < 1e-6:
            break
    system = fit.system(theta, weight)
    if system is None:
        return None
    groups = _stretches(slow.t_s, system.inside, stretch_s)
    count = int(groups.max()) + 1
    if count < 4:
        return None
    without = np.array([system.solve(groups != g) for g in range(count)])
    sigma = np.sqrt((count - 1.0) / count * ((without - without.mean(axis=0)) ** 2).sum(axis=0))
    sigma = np.sqrt(sigma * _scattered(system, groups))
    alone = [system.alone(groups == g) for g in range(count)]
    rival_s, rival_sigmas = _rival(fit, theta, tried, told, groups)
    middles = np.array([slow.t_s[groups == g].mean() for g in range(count)])
    shift_s = theta[0] + theta[1] * (middles - fit.middle_s)
    to_second = 0.0 if first_quick else theta[0]  # middles are to be stamps of the second stream
    return Shift(
        offset_s=float(theta[0]),
        offset_sigma_s=float(sigma[0]),
        drift=float(theta[1]),
        drift_sigma=float(sigma[1]),
        freedom=float(count - 2),
        middle_s=fit.middle_s - to_second,
        explained=system.explained,
        tried_s=tried,
        tried_explained=told,
        window_t_s=middles - to_second,
        window_offset_s=shift_s + np.array([one for one, _ in alone]),
        window_sigma_s=np.array([one for _, one in alone]),
        rival_s=rival_s,
        rival_sigmas=rival_sigmas,
    )


def _scattered(system: TimeSystem, groups: Ints) -> Floats:
    """1 sigma of offset and drift by how the stretches' own scores scatter, shape (2,).

    What is left over is less than what went wrong, by what the map took, so this is too small by as much as
    leaving out is too large, where the map has to foretell a stretch that it did not see. Between both is
    right (Bell & McCaffrey, Survey Methodology 28 (2002) 169, have the exact middle, which would need the
    map's whole leverage).
    """
    q, _ = np.linalg.qr(system.base)
    y = system.values - q @ (q.T @ system.values)
    d = np.stack([s - q @ (q.T @ s) for s in system.slopes])
    bread = np.linalg.inv(np.einsum("anp,bnp->ab", d, d))
    step = bread @ np.einsum("anp,np->a", d, y)
    left = y - np.einsum("a,anp->np", step, d)
    each = np.einsum("anp,np->na", d, left)
    count = int(groups.max()) + 1
    scores = np.array([each[groups == g].sum(axis=0) for g in range(count)])
    return np.sqrt(np.diag(bread @ (scores.T @ scores) @ bread) * count / (count - 2.0))


def _smoothed(t_s: Floats, values: Floats, sigma_s: float) -> Floats:
    """Straight lines laid through each stamp's surroundings: gaps and jitter move nothing."""
    apart_s = t_s[None, :] - t_s[:, None]
    weight = np.exp(-0.5 * (apart_s / sigma_s) ** 2)
    one, two = (weight * apart_s).sum(axis=1), (weight * apart_s**2).sum(axis=1)
    share = weight * (two[:, None] - apart_s * one[:, None])
    return (share / share.sum(axis=1, keepdims=True)) @ values


def _with_products(values: Floats) -> Floats:
    """The patterns and the products of the strongest ones: shades go with a place's square too.

    Without them what is left over goes round with the motion, the same way where a hand circles one way, and
    pulls the offset by up to 2 ms beyond its bound (our simulation).
    """
    strong = values[:, :PRODUCTS]
    count = strong.shape[1]
    products = [strong[:, i] * strong[:, k] for i in range(count) for k in range(i, count)]
    return np.column_stack([values, *products])


def _interval_s(modes: Modes) -> float:
    return float(np.median(np.diff(modes.t_s)))


def _explained(curve: CubicSpline, slow: Modes, span: tuple[float, float], shift_s: float) -> float:
    """Share of the slower stream's quick changes that the quicker one explains at a shift."""
    at_s = slow.t_s + shift_s
    inside = (at_s >= span[0]) & (at_s <= span[1])
    if inside.sum() < max(0.6 * len(at_s), 30):
        return float("nan")
    base = slow_changes(slow.t_s[inside])
    whole = slow.values[inside] - onto(base, slow.values[inside])
    left = slow.values[inside] - onto(np.hstack([base, curve(at_s[inside])]), slow.values[inside])
    return 1.0 - float((left**2).sum() / max((whole**2).sum(), 1e-12))


def _stretches(t_s: Floats, inside: Floats, stretch_s: float) -> Ints:
    """Number of the stretch of time of each picture; -1 outside."""
    rows = np.flatnonzero(inside > 0.0)
    from_s, to_s = float(t_s[rows[0]]), float(t_s[rows[-1]])
    count = int(min(STRETCHES, (to_s - from_s) // stretch_s))
    if count < 1:
        return np.where(inside > 0.0, 0, -1)
    number = np.clip(((t_s - from_s) / (to_s - from_s + 1e-9) * count).astype(int), 0, count - 1)
    return np.where(inside > 0.0, number, -1)


def _rival(fit: TwoStreams, theta: Floats, tried: Floats, told: Floats, groups: Ints) -> tuple[float, float]:
    """The best shift outside the main lobe, and by how many sigmas the winner is better."""
    known = np.where(np.isfinite(told), told, -np.inf)
    k = int(np.abs(tried - theta[0]).argmin())
    while 0 < k < len(known) - 1 and known[k] < max(known[k - 1], known[k + 1]):
        k += 1 if known[k + 1] > known[k - 1] else -1
    low, high = k, k
    while low > 0 and known[low - 1] <= known[low]:
        low -= 1
    while high < len(known) - 1 and known[high + 1] <= known[high]:
        high += 1
    outside = np.concatenate([np.arange(low), np.arange(high + 1, len(known))])
    outside = outside[np.isfinite(known[outside])]
    if not len(outside):
        return float("nan"), float("inf")
    rival_s = float(tried[outside[int(known[outside].argmax())]])
    ones = np.ones(len(fit.slow.t_s))
    mine, other = fit.system(theta, ones), fit.system(np.array([rival_s, 0.0]), ones)
    if mine is None or other is None:
        return rival_s, float("inf")
    both = (mine.inside > 0.0) & (other.inside > 0.0) & (groups >= 0)
    worse = (_left(fit, other) ** 2 - _left(fit, mine) ** 2).sum(axis=1)
    gain = np.array([worse[both & (groups == g)].sum() for g in range(int(groups.max()) + 1)])
    spread = float(gain.std(ddof=1)) * np.sqrt(len(gain))
    return rival_s, float(gain.sum()) / max(spread, 1e-12)


def _left(fit: TwoStreams, system: TimeSystem) -> Floats:
    """What is left over, in the modes' own unit, shape (n, p)."""
    base, y = system.base, np.sqrt(system.weight * system.inside)[:, None] * fit.slow.values
    chart, *_ = np.linalg.lstsq(base, y, rcond=None)
    return y - base @ chart
