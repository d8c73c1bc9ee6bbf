"""A rig whose tip and axis are wrong by a draw from their covariances keeps the truth in its bounds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.geometry import rotation_from_rvec
from models.nozzle_errors import NozzleErrors
from models.rig import Nozzle
from models.sightings import NozzleSighting, radius_95_mm
from tests.vision.tag_scenes import collar, picture, rig_of, wand
from vision.nozzle import track_nozzle
from vision.nozzle_track import NozzleTrack

TIP_MM = np.array([1.2, 0.6, 2.0])
"""1 sigma of the tip, nozzle frame."""

AXIS_RAD = np.array([0.010, 0.015])


def test_a_tip_and_axis_wrong_by_a_draw_from_their_covariances_stay_in_the_bounds() -> None:
    """16 draws: with 95 % held, 13 or more are within three standard deviations.

    Without the covariances 5 of 16 tips are held.
    """
    rng, tags = np.random.default_rng(5), collar()
    pose = wand((40.0, 60.0, 850.0), lean_deg=35.0, roll_deg=20.0, yaw_deg=10.0)
    bgr = picture([(tags, pose)])
    stated = NozzleErrors(np.diag(TIP_MM**2), np.diag(AXIS_RAD**2))
    tips = spots = blind = 0
    for _ in range(16):
        x, y = AXIS_RAD * rng.normal(size=2)
        lean = rotation_from_rvec(np.array([-y, x, 0.0]))
        corners = (tags.corners_mm - TIP_MM * rng.normal(size=3)) @ lean
        nozzle = Nozzle(replace(tags, corners_mm=corners), 12.0)
        rig = replace(rig_of(tags), nozzle=nozzle, nozzle_errors=stated, nozzle_scale_u95=0.0)
        seen, _ = track_nozzle(NozzleTrack.start(), bgr, t_s=0.0, rig=rig)
        assert isinstance(seen, NozzleSighting)
        off_mm = float(np.linalg.norm(seen.tip_rgb_mm - pose.translation_mm))
        tips += off_mm <= seen.tip_u95_mm
        at = seen.tip_rgb_mm + 150.0 * seen.axis_rgb
        true = pose.apply(np.array([0.0, 0.0, 150.0]))
        spots += float(np.linalg.norm(at - true)) <= radius_95_mm(seen.point_covariance_mm2(at))
        whole = stated.pose_covariance(seen.rgb_from_nozzle, seen.centroid_rgb_mm)
        alone = replace(seen, covariance=seen.covariance - whole)
        blind += off_mm <= alone.tip_u95_mm
    assert tips >= 13
    assert spots >= 13
    assert blind < 13
