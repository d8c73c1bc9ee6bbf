"""Poses that are alike err alike: how much so is found from the residuals of a solution.

Drift of a tracker, tags misplaced on the tool, a lens that is not as calibrated: then there are fewer
independent poses than poses, and a bound that counts them all is too small. How errors go together, over time
or over the turn of the tool, is told by the restricted likelihood of the residuals (Patterson & Thompson,
Biometrika 58 (1971) 545), averaged over what it leaves open. What changes so smoothly with the tool's turn
that it looks like another tip altogether, no pivot can tell.
"""

from __future__ import annotations

import numpy as np

from models.geometry import Floats

_SHARES = (0.15, 0.35, 0.6, 0.85)
"""Parts of the errors' variance that poses alike may share."""

_APART = (2.0, 5.0, 12.0)
"""Poses over which errors may be alike in time."""

_TURNED = (0.15, 0.4)
"""Parts of the whole turn over which they may."""

_ALONE = 0.9
"""Taken before looking as the probability that poses err each by itself; the rest is shared by all other
kinds alike. With 0.5 bounds of independent poses come out 7 to 13 % too wide, with 0.8 by 2 to 4 %."""

_MOST_POSES = 160
"""More are thinned out for the likelihood: its cost grows with their cube."""


def ways_alike(rotations: Floats, rows: Floats, residuals: Floats) -> tuple[Floats, Floats]:
    """Ways in which errors of poses may go together, and how probable each is.

    Args:
        rotations: ``tracker_from_tool`` in the order in which they were taken, shape (n, 3, 3).
        rows: Derivatives of the residuals by what was solved for, in units of their noise, shape (n, k, p).
        residuals: In the same units, shape (n, k).

    Returns:
        Covariances in units of the variance that was found, shape (ways, n, n), and weights, shape (ways,);
        the first way is that each errs by itself.
    """
    n = len(rotations)
    chosen = np.arange(0, n, int(np.ceil(n / _MOST_POSES)))
    apart, turned = _distances(rotations)
    inner = np.ix_(chosen, chosen)
    kinds = [np.exp(-apart / far) for far in _APART]
    widest = max(float(turned.max()), 1e-9)
    kinds += [np.exp(-0.5 * (turned / (share * widest)) ** 2) for share in _TURNED]
    none, whole = np.eye(n), [np.eye(n)]
    likely, size = _restricted(rows[chosen], residuals[chosen], np.eye(len(chosen)))
    logs, variances, priors = [likely], [size], [_ALONE]
    for kind in kinds:
        for share in _SHARES:
            kernel = (1.0 - share) * none + share * kind
            likely, size = _restricted(rows[chosen], residuals[chosen], kernel[inner])
            logs.append(likely)
            variances.append(size)
            priors.append((1.0 - _ALONE) / (len(kinds) * len(_SHARES)))
            whole.append(kernel)
    weight = np.exp(np.array(logs) - max(logs)) * priors
    scale = np.array(variances) / max(variances[0], 1e-300)
    return scale[:, None, None] * np.array(whole), weight / weight.sum()


def shared_part(influence: Floats, noise: Floats, kernel: Floats) -> Floats:
    """What errors that go together add to a solution's covariance.

    Args:
        influence: How the solution moves with each residual, shape (n, m, k).
        noise: Covariance of each residual, shape (n, k, k).
        kernel: How they go together, shape (n, n).

    Returns:
        Shape (m, m).
    """
    values, vectors = np.linalg.eigh(noise)
    root = vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :] @ np.swapaxes(vectors, 1, 2)
    moved = influence @ root
    return np.einsum("nij,nm,mkj->ik", moved, kernel - np.eye(len(kernel)), moved)


def open_freedom(totals: Floats, weight: Floats, freedom: float) -> float:
    """Degrees of freedom of a variance that is open both in size and in how errors go together.

    Matched by the first two moments: a scaled chi square of f degrees of freedom has variance 2 mean^2 / f.
    """
    mean = float(weight @ totals)
    open_ = float(weight @ (totals - mean) ** 2) / max(mean**2, 1e-300)
    return max(2.0 / (open_ + 2.0 / max(freedom, 1.0)), 3.0)


def _restricted(rows: Floats, seen: Floats, kernel: Floats) -> tuple[float, float]:
    """Restricted log likelihood of residuals whose poses go together so, and the variance that fits."""
    n = len(kernel)
    values, vectors = np.linalg.eigh(kernel)
    values = np.maximum(values, 1e-9)
    turned = vectors.T / np.sqrt(values)[:, None]
    x = np.einsum("ab,bij->aij", turned, rows).reshape(-1, rows.shape[2])
    y = (turned @ seen).ravel()
    normal = x.T @ x
    solved = np.linalg.solve(normal, x.T @ y)
    freedom = float(rows.shape[1] * n - x.shape[1])
    square = float(np.sum((y - x @ solved) ** 2))
    log = -0.5 * rows.shape[1] * float(np.sum(np.log(values))) - 0.5 * float(np.linalg.slogdet(normal)[1])
    return log - 0.5 * freedom * np.log(max(square, 1e-300)), square / freedom


def _distances(rotations: Floats) -> tuple[Floats, Floats]:
    """Between poses: how many are between, and by what angle the tool turned, shape (n, n) each."""
    k = np.arange(len(rotations), dtype=float)
    trace = np.einsum("aij,bij->ab", rotations, rotations)
    return np.abs(k[:, None] - k[None, :]), np.arccos(np.clip((trace - 1.0) / 2.0, -1.0, 1.0))
