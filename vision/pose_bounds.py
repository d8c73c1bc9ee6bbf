"""How well an aligned pose is known: noise of the picture, misplaced tags, imperfect intrinsics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.geometry import Floats
from models.rig import Rig
from vision.alignment import Aligned
from vision.fiducials import TagBody

FOCAL_PER_RMS = 0.005
"""Relative 1-sigma error of a calibrated focal length per pixel of the calibration's rms. Measured: 13 chessboard
photos with rms 0.196 px state 0.08 %; calibrations from random halves of them scatter by 0.10 %."""

UNKNOWN_RMS_PX = 0.4
"""Taken where the rig does not say."""

PLACED_MM = 0.02
"""1-sigma placement of a calibrated tag on its body before anything was seen: its calibration's noise."""

MISFIT_S = 3.0
"""Time over which evidence of misplaced tags is averaged."""

PRIOR_WEIGHT = 2.0
"""Captures' worth of belief in `PLACED_MM`."""


@dataclass(frozen=True)
class Misfit:
    """Evidence that tags do not lie where the rig says."""

    sum_mm2: float
    """Squared shifts of tags against the common pose beyond their noise, summed with fading weights."""
    freedom: float
    """Degrees of freedom behind it, fading likewise."""

    @staticmethod
    def none() -> Misfit:
        """No evidence."""
        return Misfit(0.0, 0.0)

    @property
    def placed_mm(self) -> float:
        """1-sigma placement of a tag that explains it, per direction."""
        prior = PRIOR_WEIGHT * 6.0
        mean = (prior * PLACED_MM**2 + max(self.sum_mm2, 0.0)) / (prior + self.freedom)
        return float(np.sqrt(max(mean, PLACED_MM**2)))


def score_inflation(found: Aligned) -> float:
    """Factor by which the scores scatter more than independent pixels would: residuals of video go together."""
    h = found.information[found.used].sum(axis=0)
    spread = found.spread[found.used].sum(axis=0)
    return max(1.0, float(np.trace(np.linalg.solve(h + 1e-9 * np.diag(np.diag(h)), spread))) / 7.0)


def tag_misfit(found: Aligned, body: TagBody) -> Misfit:
    """Shift of each used tag against the common pose, less what noise explains."""
    tags = np.flatnonzero(found.used)
    freedom = 2.0 * len(tags) - 6.0
    if freedom <= 0.0:
        return Misfit.none()
    inflation = score_inflation(found)
    total = 0.0
    for k in tags:
        h = found.information[k][3:5, 3:5]
        inverse = np.linalg.inv(h + 1e-9 * np.eye(2))
        shift = inverse @ found.score[k][3:5]
        total += float(shift @ shift - inflation * np.trace(inverse) * freedom / (2.0 * len(tags)))
    return Misfit(total, freedom)


def settle(old: Misfit, new: Misfit, *, dt_s: float) -> Misfit:
    """Fade old evidence and add new."""
    keep = float(np.exp(-min(max(dt_s, 0.0), 60.0) / MISFIT_S))
    return Misfit(keep * old.sum_mm2 + new.sum_mm2, keep * old.freedom + new.freedom)


def pose_covariance(found: Aligned, body: TagBody, rig: Rig, misfit: Misfit) -> Floats:
    """Covariance of the pose as `models.sightings.NozzleSighting` wants it, shape (6, 6).

    Noise: residuals within a block of the video's transform go together, blocks do not, so the scores summed
    by block give the covariance (sandwich estimator), evened out with the mean inflation because the blocks
    are few. Misplaced tags: each tag moved by itself pulls the pose as its own information says.
    Intrinsics: a focal length wrong by a share moves everything by that share in depth.
    """
    tags = np.flatnonzero(found.used)
    h = found.information[tags].sum(axis=0)
    h[6, 6] += 1.0 / 0.15**2
    inverse = np.linalg.inv(h + 1e-12 * np.diag(np.diag(h)))
    spread = found.spread[tags].sum(axis=0)
    noise = 0.5 * (inverse @ spread @ inverse + score_inflation(found) * inverse)

    placed = np.zeros((7, 7))
    sigma_mm = misfit.placed_mm
    for k in tags:
        corners = found.rgb_from_body.apply(body.corners_mm[k])
        centre = corners.mean(axis=0)
        half_mm = 0.5 * float(np.linalg.norm(corners[1] - corners[0]))
        x, y, z = found.centroid_rgb_mm - centre
        move = np.eye(6)
        # A turn about the tag's centre, told about the body's centroid: translation gains turn x (body - tag).
        move[3:, :3] = [[0.0, z, -y], [-z, 0.0, x], [y, -x, 0.0]]
        pull = found.information[k][:, :6] @ move
        own = np.diag([(sigma_mm / half_mm) ** 2] * 3 + [sigma_mm**2] * 3)
        placed += pull @ own @ pull.T
    covariance = (noise + inverse @ placed @ inverse)[:6, :6]

    rms_px = rig.rgb_rms_px if rig.rgb_rms_px is not None else UNKNOWN_RMS_PX
    depth_mm = float(found.centroid_rgb_mm[2])
    along = found.centroid_rgb_mm * (FOCAL_PER_RMS * rms_px)
    along[:2] = rms_px * depth_mm / rig.rgb.fx_px * 0.5
    covariance[3:, 3:] += np.diag(along**2)
    return covariance
