"""Two streams that see one motion as equations at one offset and drift, the map between them solved along."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline

from calibration.motion_modes import Modes, slow_changes
from models.geometry import Bools, Floats

ROBUST_SIGMA = 3.0
"""Pictures left over by more have less and less weight (Huber)."""


def onto(base: Floats, values: Floats) -> Floats:
    """What of values (n, p) the columns of a base (n, m) explain."""
    q, _ = np.linalg.qr(base)
    return q @ (q.T @ values)


@dataclass(frozen=True, eq=False)
class TimeSystem:
    """The equations at one offset and drift, linear in the map and in a small step of both."""

    base: Floats
    """Weighted columns of the map and of slow changes, shape (n, m); rows outside are 0."""
    values: Floats
    """Weighted patterns of the slower stream, each by what is left over of it, shape (n, p)."""
    slopes: Floats
    """Of the values by offset and drift, shape (2, n, p)."""
    inside: Floats
    """1 where the quicker stream's curve reaches, shape (n,)."""
    weight: Floats
    """Of each picture, as it was given, shape (n,)."""
    explained: float
    """Share of the slower stream's quick changes that the other explains here."""
    left: Floats
    """What is left over, each pattern in its own noise, shape (n, p); 0 outside."""

    def solve(self, use: Bools) -> Floats:
        """Step of offset and drift by the rows in use."""
        q, _ = np.linalg.qr(self.base[use])
        y = self.values[use] - q @ (q.T @ self.values[use])
        d = np.stack([(s[use] - q @ (q.T @ s[use])).ravel() for s in self.slopes], axis=1)
        return np.asarray(np.linalg.lstsq(d, y.ravel(), rcond=None)[0], float)

    def alone(self, use: Bools) -> tuple[float, float]:
        """Step of the offset by some rows with the common map, and its 1 sigma."""
        q, _ = np.linalg.qr(self.base)
        y = (self.values - q @ (q.T @ self.values))[use].ravel()
        d = (self.slopes[0] - q @ (q.T @ self.slopes[0]))[use].ravel()
        power = max(float(d @ d), 1e-12)
        step = float(d @ y) / power
        return step, float(np.sqrt(np.mean((y - step * d) ** 2) / power))

    def huber(self) -> Floats:
        """Weights of pictures by what is left over of them."""
        size = np.linalg.norm(self.left, axis=1)
        usual = float(np.median(size[self.inside > 0.0])) / 0.8
        return np.minimum(1.0, ROBUST_SIGMA * usual / np.maximum(size, 1e-12))


@dataclass(frozen=True, eq=False)
class TwoStreams:
    """The quicker stream as a smooth curve, and the slower one, which is held against it."""

    curve: CubicSpline
    """Patterns of the quicker stream by its own stamps, with their products."""
    slow: Modes
    span: tuple[float, float]
    """First and last stamp of the curve."""
    sign: float
    """A slow stamp plus so many times the offset is a stamp of the quicker stream."""

    @property
    def middle_s(self) -> float:
        """Slow stamp at which the drift adds nothing."""
        return float(self.slow.t_s.mean())

    def system(self, theta: Floats, weight: Floats) -> TimeSystem | None:
        """Equations; each pattern of the slower stream counts by what is left over of it.

        Args:
            theta: Offset in s, and drift, shape (2,).
            weight: Of each picture of the slower stream, shape (n,).

        Returns:
            None where too few pictures lie within the curve.
        """
        t_s = self.slow.t_s
        at_s = t_s + self.sign * (theta[0] + theta[1] * (t_s - self.middle_s))
        inside = ((at_s >= self.span[0]) & (at_s <= self.span[1])).astype(float)
        if inside.sum() < 30:
            return None
        at_s = np.clip(at_s, *self.span)
        root = np.sqrt(weight) * inside
        quick, moves = self.curve(at_s), self.curve(at_s, 1)
        slow_base = slow_changes(t_s)
        base = root[:, None] * np.hstack([quick, slow_base])
        y = root[:, None] * self.slow.values
        chart, *_ = np.linalg.lstsq(base, y, rcond=None)
        left = y - base @ chart
        noise = np.sqrt((left**2).sum(axis=0) / inside.sum())
        scale = 1.0 / np.maximum(noise, 1e-6)
        slope = self.sign * root[:, None] * (moves @ chart[: quick.shape[1]]) * scale
        whole = y - onto(root[:, None] * slow_base, y)
        return TimeSystem(
            base=base,
            values=y * scale,
            slopes=np.stack([slope, slope * (t_s - self.middle_s)[:, None]]),
            inside=inside,
            weight=weight,
            explained=1.0 - float((left**2).sum() / max((whole**2).sum(), 1e-12)),
            left=left * scale / np.maximum(root, 1e-6)[:, None] * inside[:, None],
        )
