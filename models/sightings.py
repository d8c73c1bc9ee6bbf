"""What was seen in one capture. Absence is data: `Lost` says why and since when."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from models.geometry import Bools, Floats, Pose, frozen


@dataclass(frozen=True)
class Lost:
    """Nothing usable was seen, and why."""

    reason: str
    """One short clause for people, e.g. ``no tag in the picture``."""
    since_s: float
    """Session time from which on nothing was seen."""
    state: str = "lost"
    """``lost`` or ``ambiguous`` (several poses fit equally well and none was chosen)."""


@dataclass(frozen=True, eq=False)
class NozzleSighting:
    """Where the nozzle is."""

    t_s: float
    rgb_from_nozzle: Pose
    covariance: Floats
    """6x6, of a small motion (rotation vector in rad, translation in mm) applied on the left in the
    rgb frame about the tag body's centroid: systematic and random parts together, 1 sigma squared."""
    centroid_rgb_mm: Floats
    """Centroid of the tags used, about which the covariance is stated, shape (3,)."""
    tags_used: int
    state: str
    """``tracked`` or ``predicted`` (bridged over at most 150 ms)."""

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        object.__setattr__(self, "covariance", frozen(np.asarray(self.covariance, float).reshape(6, 6)))
        centroid = np.asarray(self.centroid_rgb_mm, float).reshape(3)
        object.__setattr__(self, "centroid_rgb_mm", frozen(centroid))

    @property
    def tip_rgb_mm(self) -> Floats:
        """Centre of the orifice, rgb frame, shape (3,)."""
        return self.rgb_from_nozzle.translation_mm

    @property
    def axis_rgb(self) -> Floats:
        """Unit vector of the jet, rgb frame, shape (3,)."""
        return self.rgb_from_nozzle.rotation[:, 2]

    def point_covariance_mm2(self, point_rgb_mm: Floats) -> Floats:
        """3x3 covariance of a point that is fixed to the nozzle, rgb frame, mm^2."""
        x, y, z = point_rgb_mm - self.centroid_rgb_mm
        jacobian = np.zeros((3, 6))
        jacobian[:, :3] = [[0.0, z, -y], [-z, 0.0, x], [y, -x, 0.0]]  # d(r x p)/dr
        jacobian[:, 3:] = np.eye(3)
        return jacobian @ self.covariance @ jacobian.T

    @property
    def tip_u95_mm(self) -> float:
        """95 % bound of the tip error (length of the error vector), mm."""
        return radius_95_mm(self.point_covariance_mm2(self.tip_rgb_mm))


def radius_95_mm(covariance_mm2: Floats) -> float:
    """Radius that holds 95 % of a zero-mean normal error vector of this covariance.

    Imhof-type two-moment match: the squared length is taken as a scaled chi-square with the
    same mean and variance. Exact for equal axes and for a single axis; within 3 % between.
    """
    eigenvalues = np.maximum(np.linalg.eigvalsh(covariance_mm2), 0.0)
    mean, var = eigenvalues.sum(), 2.0 * (eigenvalues**2).sum()
    if mean <= 0.0:
        return 0.0
    scale, freedom = var / (2.0 * mean), 2.0 * mean * mean / var
    # Wilson-Hilferty approximation of the 95 % point of chi-square.
    k = 2.0 / (9.0 * freedom)
    return float(np.sqrt(scale * freedom * (1.0 - k + 1.6449 * np.sqrt(k)) ** 3))


@dataclass(frozen=True, eq=False)
class TagPatch:
    """One skin tag seen in one capture: a small plane with its place on the skin."""

    tag: int
    rgb_from_tag: Pose
    """Tag frame: origin its centre, z out of the skin."""
    position_u95_mm: float
    normal_u95_deg: float


@dataclass(frozen=True, eq=False)
class Landmarks:
    """Body landmarks of one person in one picture, already cross-checked."""

    t_s: float
    points_px: Floats
    """MediaPipe Pose order, shape (33, 2), pixels of the colour picture."""
    visibility: Floats
    """Shape (33,), 0..1."""
    world_mm: Floats
    """Metric estimate of the network, hip-centred, shape (33, 3): a guess of the pose, not a measurement."""
    believed: Bools
    """Shape (33,): inside the picture, visible, and consistent with its neighbours."""

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        for name in ("points_px", "visibility", "world_mm", "believed"):
            object.__setattr__(self, name, frozen(getattr(self, name)))


@dataclass(frozen=True, eq=False)
class BodyMotion:
    """How the body has moved since the chart was laid, by all that was seen up to one capture."""

    rgb_from_chart: Pose
    velocity_mm_s: Floats
    """Of the chart's centre, rgb frame, shape (3,)."""
    covariance: Floats
    """9x9 (rotation vector, translation, velocity) about the chart's centre, rgb frame."""
    matched: float
    """Share of visible cells that look as they did; NaN where the picture did not count."""
    followed_s: float
    """When the chart was last really followed, by whatever saw it."""
    in_colour_s: float = math.nan
    """When it was last followed in colour; NaN where that was not told apart when it was recorded."""

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        object.__setattr__(self, "velocity_mm_s", frozen(self.velocity_mm_s))
        object.__setattr__(self, "covariance", frozen(self.covariance))

    @property
    def seen_in_colour_s(self) -> float:
        """When it was last followed in colour, as far as that is told."""
        return self.followed_s if math.isnan(self.in_colour_s) else self.in_colour_s


@dataclass(frozen=True, eq=False)
class Seen:
    """All that a step takes from colour pictures: with it, the picture itself is not looked at.

    Nothing of what carries the trackers from picture to picture is in it: a session is replayed from what
    was seen from its first capture on, or looked at again from its first picture on.
    """

    in_colour: bool
    """Whether there was a colour picture."""
    nozzle: NozzleSighting | Lost
    patches: tuple[TagPatch, ...]
    landmarks: Landmarks | Lost | None
    """None: they were not looked for."""
    body: BodyMotion | None
    """None: the zone was not placed in millimetres."""
