"""How well an aligned pose is known: noise of the picture, misplaced tags, imperfect intrinsics."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from models.geometry import Floats
from models.rig import Rig
from vision.alignment import Aligned
from vision.fiducials import TagBody

FOCAL_PER_RMS = 0.005
"""Relative 1-sigma error of a calibrated focal length per pixel of the calibration's rms. Measured: 13
chessboard photos with rms 0.196 px state 0.08 %; calibrations from random halves of them scatter by 0.10
%."""

UNKNOWN_RMS_PX = 0.4
"""Taken where the rig does not say."""

SCALE_SIGMA = 0.0013
"""Relative 1-sigma error of depth that a calibration's rms does not show: flatness and print of its board,
focus since then, the printed size of the tags. Focal lengths of one camera calibrated twice differ by 0.1-0.3
%."""

PLACED_MM = 0.015
"""1-sigma placement of a calibrated tag on its body before anything was seen."""

PLACED_WEIGHT = 4.0
"""Degrees of freedom with which that is believed; a capture of 6 tags brings about 5."""

VIDEO_INFLATION = 3.0
"""What coding alone does to `Pulls.inflation` (measured 2.0 to 3.4 where tags are where the rig says); more
comes from the misfit itself and must not be taken off it as noise."""

MISFIT_S = 3.0
"""Time over which evidence of misplaced tags is averaged."""

SHORT = 1.9
"""Factor on the placement that shifts of tags tell. Robust weights hide a third of it (measured: 0.1 mm reads
as 0.07, 0.2 mm as 0.13), and the 5 or so degrees of freedom that 6 tags leave, which every capture sees
again, are too few: 1.3 times makes up for that (Student's t)."""


@dataclass(frozen=True)
class Misfit:
    """Evidence that tags do not lie where the rig says."""

    sum_mm2: float
    """Squared shifts of tags against the common pose beyond their noise, summed with fading weights."""
    freedom: float
    """What that would be for tags misplaced by 1 mm, fading likewise."""

    @staticmethod
    def none() -> Misfit:
        """No evidence."""
        return Misfit(0.0, 0.0)

    @property
    def placed_mm(self) -> float:
        """1-sigma placement of a tag that explains it, per direction."""
        mean = (PLACED_WEIGHT * PLACED_MM**2 + max(self.sum_mm2, 0.0)) / (PLACED_WEIGHT + self.freedom)
        return float(max(np.sqrt(mean), PLACED_MM))


def settle(old: Misfit, new: Misfit, *, dt_s: float) -> Misfit:
    """Fade old evidence and add new."""
    keep = float(np.exp(-min(max(dt_s, 0.0), 60.0) / MISFIT_S))
    return Misfit(keep * old.sum_mm2 + new.sum_mm2, keep * old.freedom + new.freedom)


@dataclass(frozen=True, eq=False)
class Pulls:
    """What moves the pose: the terms of its covariance before they are put together."""

    inverse: Floats
    """Covariance of pose and blur, were the residuals independent, shape (7, 7)."""
    spread: Floats
    """Sum over the picture's blocks of the outer products of their scores, shape (7, 7)."""
    placed: Floats
    """Covariance of the scores for tags misplaced by 1 mm, shape (7, 7)."""
    misfit: Misfit

    @property
    def inflation(self) -> float:
        """Factor by which scores scatter more than they would if pixels were independent, as in video."""
        return max(1.0, float(np.sum(self.inverse * self.spread)) / len(self.inverse))


def pulls_on(found: Aligned, body: TagBody) -> Pulls:
    """Work out what noise and misplaced tags do to a pose.

    A tag misplaced by itself pulls the pose as its own information says, and leaves a shift of each tag
    against the common pose. Shifts are compared with what noise and a placement error of 1 mm (tilts by 1 mm
    at the tag's edge) would leave.
    """
    tags = np.flatnonzero(found.used)
    h, b, spreads = found.information[tags], found.score[tags], found.spread[tags]
    total = h.sum(axis=0)
    m = len(found.prior)
    total[np.diag_indices(m)] += found.prior
    total[np.diag_indices(m)] *= 1.0 + 1e-9
    inverse = np.linalg.inv(total)
    spread = spreads.sum(axis=0)

    corners = found.rgb_from_body.apply(body.corners_mm[tags])
    half_mm = 0.5 * np.linalg.norm(corners[:, 1] - corners[:, 0], axis=-1)
    x, y, z = (found.centroid_rgb_mm - corners.mean(axis=1)).T
    # A turn about the tag's centre, told about the body's centroid: translation gains turn x (body - tag).
    move = np.zeros((len(tags), 6, 6))
    move[:, range(6), range(6)] = 1.0
    move[:, 3, 1], move[:, 3, 2], move[:, 4, 2] = z, -y, x
    move[:, 4, 0], move[:, 5, 0], move[:, 5, 1] = -z, y, -x
    move[:, :, :3] /= half_mm[:, None, None]
    pull = h[:, :, :6] @ move
    own = pull @ pull.transpose(0, 2, 1)
    placed = own.sum(axis=0)

    if len(tags) < 2:
        return Pulls(inverse, spread, placed, Misfit.none())
    shift = np.linalg.inv(h[:, 3:5, 3:5] + 1e-9 * np.eye(2))
    share = (h @ inverse)[:, 3:5]
    kept = shift @ (np.eye(m)[3:5] - share)
    passed = shift @ share
    seen = (shift @ b[:, 3:5, None])[:, :, 0]
    noise = _trace(kept, spreads) + _trace(passed, spread - spreads)
    freedom = _trace(kept, own) + _trace(passed, placed - own)
    pulls = Pulls(inverse, spread, placed, Misfit.none())
    noise *= min(1.0, VIDEO_INFLATION / pulls.inflation)
    return replace(pulls, misfit=Misfit(float(np.sum(seen**2) - noise), freedom))


def _trace(maps: Floats, covariances: Floats) -> float:
    """Sum of the traces of m c m' over tags."""
    return float(np.einsum("kij,kjl,kil->", maps, covariances, maps))


def pose_covariance(found: Aligned, pulls: Pulls, rig: Rig, placed_mm: float) -> Floats:
    """Covariance of the pose as `models.sightings.NozzleSighting` wants it, shape (6, 6).

    Noise: residuals within a block of the video's transform go together, blocks do not, so the scores summed
    by block give the covariance (sandwich estimator), evened out with the mean inflation because the blocks
    are few. Intrinsics: a scale wrong by a share moves everything by that share in depth; the rest of the
    calibration's residual moves it across.

    Args:
        found: The pose.
        pulls: From `pulls_on`.
        rig: For the intrinsics.
        placed_mm: 1-sigma placement of a tag.
    """
    inverse = pulls.inverse
    noise = 0.5 * (inverse @ pulls.spread @ inverse + pulls.inflation * inverse)
    covariance = (noise + (SHORT * placed_mm) ** 2 * (inverse @ pulls.placed @ inverse))[:6, :6]
    return covariance + np.diag([0.0, 0.0, 0.0, *intrinsic_variance_mm2(found.centroid_rgb_mm, rig)])


def intrinsic_variance_mm2(point_rgb_mm: Floats, rig: Rig) -> Floats:
    """Variance of a point's x, y, z by imperfect intrinsics, shape (3,)."""
    rms_px = rig.rgb_rms_px if rig.rgb_rms_px is not None else UNKNOWN_RMS_PX
    depth_mm = float(point_rgb_mm[2])
    across_mm = 0.5 * rms_px * depth_mm / rig.rgb.fx_px
    along_mm = depth_mm * float(np.hypot(FOCAL_PER_RMS * rms_px, SCALE_SIGMA))
    return np.array([across_mm**2, across_mm**2, along_mm**2])
