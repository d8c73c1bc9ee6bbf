"""A collar glued by hand is measured while it is used."""

from __future__ import annotations

import numpy as np

from models.camera import Camera
from models.geometry import Pose
from models.rig import Tags
from models.sightings import NozzleSighting
from tests.vision.tag_scenes import collar, misplaced, picture, rig_of, wand
from vision.alignment import Aligned, align
from vision.collar import collar_view
from vision.fiducials import tag_body, window_of
from vision.nozzle import track_nozzle
from vision.nozzle_track import NozzleTrack
from vision.pose_bounds import pulls_on

CAMERA = Camera(512, 512, 1000.0, 1001.5, 258.7, 307.4, np.array([0.08, -0.17, 0.0004, -0.0003, 0.0]))
TAGS = collar()


def swept(t_s: float) -> Pose:
    tip = (40.0 * np.sin(2.0 * t_s), 60.0 + 30.0 * np.cos(1.6 * t_s), 950.0 + 30.0 * np.sin(t_s))
    return wand(tip, lean_deg=35.0 + 15.0 * np.sin(1.3 * t_s), roll_deg=25.0 * np.sin(0.9 * t_s))


def test_a_tag_that_sits_elsewhere_moves_the_pose_as_foretold() -> None:
    """To first order: within a tenth of a collar's own motion of 0.3 mm at the tip's lever."""
    pose = swept(0.3)
    bgr = picture([(TAGS, pose)], camera=CAMERA, noise=0.5, quality=None)

    def laid(tags: Tags) -> Aligned:
        window = window_of(bgr, low_px=np.zeros(2), high_px=np.full(2, 512.0), transfer="srgb")
        assert window is not None
        start, blur_px = pose, 0.8
        found = align(
            window, tag_body(tags), CAMERA, start=start, blur_px=blur_px, srgb=True, coarse=False, settle=True
        )
        assert found is not None
        return found

    found = laid(TAGS)
    pulls = pulls_on(found)
    view = collar_view(found, tag_body(TAGS), inverse=pulls.inverse, inflation=pulls.inflation)
    number = int(np.flatnonzero(found.used)[0])
    for axis in range(3):
        motion = np.zeros(6 * len(TAGS.ids) + 1)
        motion[6 * number + 3 + axis] = 0.05
        corners_mm = np.array(TAGS.corners_mm)
        corners_mm[number, :, axis] += 0.05
        foretold = found.moved(view.pose_by_motion @ motion).rgb_from_body
        moved = laid(Tags(TAGS.dictionary, TAGS.ids, corners_mm)).rgb_from_body
        went = np.linalg.norm(moved.translation_mm - found.rgb_from_body.translation_mm)
        assert np.linalg.norm(moved.translation_mm - foretold.translation_mm) < 0.15 * went + 0.03


def test_tags_misplaced_by_a_fifth_of_a_millimetre_cost_less_than_3_mm_once_seen_for_two_seconds() -> None:
    """Measured over 3 collars: 0.8 mm (median) and 1.3 mm (95 %) at the tip, inside the bound throughout."""
    errors_mm, inside = [], []
    for seed in range(3):
        rig = rig_of(misplaced(TAGS, sigma_mm=0.2, seed=seed), camera=CAMERA)
        track = NozzleTrack.start()
        for k in range(24):
            t_s = k / 10.0
            pose = swept(t_s + seed)
            bgr = picture([(TAGS, pose)], camera=CAMERA, seed=100 * seed + k)
            sighting, track = track_nozzle(track, bgr, t_s=t_s, rig=rig)
            assert isinstance(sighting, NozzleSighting)
            if t_s > 1.5:
                errors_mm.append(float(np.linalg.norm(sighting.tip_rgb_mm - pose.translation_mm)))
                inside.append(errors_mm[-1] <= sighting.tip_u95_mm)
    assert np.quantile(errors_mm, 0.95) < 3.0
    assert np.mean(inside) > 0.9
