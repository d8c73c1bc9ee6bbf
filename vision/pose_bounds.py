"""How well an aligned pose is known: noise of the picture, the collar's geometry, imperfect intrinsics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.geometry import Floats
from models.lens_errors import ACROSS_PER_RMS, FOCAL_PER_RMS, UNKNOWN_RMS_PX, lens_slopes
from models.rig import Rig
from vision.alignment import Aligned

SCALE_SIGMA = 0.0015
"""Relative 1-sigma error of depth that neither rms nor covariance of a calibration shows, taken where the rig
does not state how true its tags are: flatness and print of the board, focus since then, the printed size of
the tags. Focal lengths of one camera calibrated twice differ by 0.1-0.3 %: the latter is taken as the 95 %
bound. A session cannot tell it: the perspective of a collar 60 mm across and 1 m away leaves 0.1 % open after
300 views, and what blooming does to tags biases it by 0.2 % (measured on exact rigs)."""


@dataclass(frozen=True, eq=False)
class Pulls:
    """What moves the pose: the terms of its covariance before they are put together."""

    inverse: Floats
    """Covariance of pose and blur, were the residuals independent, shape (7, 7)."""
    spread: Floats
    """Sum over the picture's blocks of the outer products of their scores, shape (7, 7)."""

    @property
    def inflation(self) -> float:
        """Factor by which scores scatter more than they would if pixels were independent, as in video."""
        return max(1.0, float(np.sum(self.inverse * self.spread)) / len(self.inverse))


def pulls_on(found: Aligned) -> Pulls:
    """Work out what noise does to a pose."""
    total = found.information[found.used].sum(axis=0)
    diagonal = np.diag_indices(len(found.prior))
    total[diagonal] = (total[diagonal] + found.prior) * (1.0 + 1e-9)
    return Pulls(np.linalg.inv(total), found.spread[found.used].sum(axis=0))


def noise_covariance(pulls: Pulls) -> Floats:
    """Covariance of the pose by noise of the picture, shape (6, 6).

    Residuals within a block of the video's transform go together, blocks do not, so the scores summed by
    block give the covariance (sandwich estimator), evened out with the mean inflation because the blocks are
    few.
    """
    inverse = pulls.inverse
    return 0.5 * (inverse @ pulls.spread @ inverse + pulls.inflation * inverse)[:6, :6]


def pose_covariance(
    found: Aligned, pulls: Pulls, rig: Rig, *, pose_by_motion: Floats, collar: Floats
) -> Floats:
    """Covariance of the pose as `models.sightings.NozzleSighting` wants it, shape (6, 6).

    Intrinsics: a scale wrong by a share moves everything by that share in depth; the rest of the
    calibration's residual moves it across. What calibration leaves open of tip and axis is added as if the
    whole nozzle were off by it.

    Args:
        found: The pose.
        pulls: From `pulls_on`.
        rig: For the intrinsics.
        pose_by_motion: See `vision.collar.CollarView`, shape (6, 6n + 1).
        collar: Covariance of the tags' own motions, see `models.collar.Collar`, shape (6n + 1, 6n + 1).
    """
    covariance = noise_covariance(pulls) + pose_by_motion @ collar @ pose_by_motion.T
    covariance += rig.nozzle_errors.pose_covariance(found.rgb_from_body, found.centroid_rgb_mm)
    return covariance + np.diag([0.0, 0.0, 0.0, *intrinsic_variance_mm2(found.centroid_rgb_mm, rig)])


def intrinsic_variance_mm2(point_rgb_mm: Floats, rig: Rig) -> Floats:
    """`placed_variance_mm2` of what is placed by the nozzle's tags."""
    return placed_variance_mm2(point_rgb_mm, rig, scale_u95=rig.nozzle_scale_u95)


def placed_variance_mm2(point_rgb_mm: Floats, rig: Rig, *, scale_u95: float | None) -> Floats:
    """Variance of a point's x, y, z by imperfect intrinsics and tags of another size, shape (3,).

    With a stated covariance by the place in the picture: where no board was held a lens is known much less.

    Args:
        point_rgb_mm: Where, shape (3,).
        rig: For the intrinsics.
        scale_u95: 95 % bound of the share by which the tags' size may be off; None = not stated.
    """
    depth_mm = float(point_rgb_mm[2])
    scale = SCALE_SIGMA if scale_u95 is None else scale_u95 / 1.96
    if rig.rgb_covariance is None:
        rms_px = rig.rgb_rms_px if rig.rgb_rms_px is not None else UNKNOWN_RMS_PX
        across = np.full(2, ACROSS_PER_RMS * rms_px / rig.rgb.fx_px)
        focal = FOCAL_PER_RMS * rms_px
    else:
        ray = point_rgb_mm[:2] / depth_mm
        (by_lens,), (by_size,) = lens_slopes(rig.rgb, ray[None])
        beside = by_lens - ray[:, None] * by_size  # what looks smaller lies farther out along its ray
        across = np.sqrt(np.einsum("ia,ab,ib->i", beside, rig.rgb_covariance, beside))
        focal = float(np.sqrt(by_size @ rig.rgb_covariance @ by_size))
    return depth_mm**2 * np.array([*across**2, focal**2 + scale**2])
