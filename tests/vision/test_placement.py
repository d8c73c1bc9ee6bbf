"""A zone placed on skin: where it was tapped or where the landmarks say, by the best evidence there is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.body_landmarks import LANDMARKS
from models.capture import DepthPicture
from models.catalogue import load_zones
from models.chart import ZoneChart
from models.geometry import Floats, Pose, unit
from models.sightings import Landmarks, Lost, TagPatch
from models.tag_surface import GrazingRays, fit_limb
from models.tag_surface import Limb as FittedLimb
from models.treatment import Tap
from tests.models.limb_points import Limb
from tests.rendered_limb import RenderedLimb, knee_high, limb_rig, nozzle_over
from vision.depth import DepthPoints, depth_points
from vision.evidence import Evidence
from vision.outline import grazing_rays
from vision.placement import Placement, place_by_landmarks, place_by_tap
from vision.skin_surface import hidden_mm, with_relief

SCENE = RenderedLimb()
OTHER_LEG = RenderedLimb(limb=replace(SCENE.limb, aside_mm=140.0))
ZONE = knee_high()
AWAY = Lost("no tag in the picture", 0.0)
BARE = Evidence(
    t_s=1.0, points=None, patches=(), thermal=None, nozzle=AWAY, landmarks=(), subject_height_mm=None
)


def tapped(
    limb: Limb = SCENE.limb, *, half_u_mm: float = 40.0, half_v_mm: float = 55.0, v_mm: float = 0.0
) -> Tap:
    """An ellipse on the skin, tapped at 16 points of its edge."""
    turn = np.linspace(0.0, 2.0 * np.pi, 16, endpoint=False)
    skin = limb.at(half_u_mm * np.cos(turn) / limb.radius_mm, v_mm + half_v_mm * np.sin(turn))
    return Tap(0.0, "rgb", SCENE.rig.rgb.project(skin))


def with_depth(*pictures: DepthPicture) -> Evidence:
    nearest = np.min([picture.depth_mm for picture in pictures], axis=0)
    return replace(BARE, points=depth_points(DepthPicture(1.0, nearest), rig=SCENE.rig, nozzle=None))


def laid(placement: Placement | str) -> ZoneChart:
    assert isinstance(placement, Placement), placement
    return placement.chart


def tags(limb: Limb = SCENE.limb) -> tuple[TagPatch, ...]:
    patches = []
    for number, (angle, y) in enumerate(((-0.5, -60.0), (0.55, -50.0), (-0.45, 55.0), (0.5, 65.0))):
        centre = limb.at(np.array(angle), np.array(y))
        z = limb.normal(centre)
        x = unit(np.cross([0.0, 1.0, 0.0], z))
        pose = Pose.of(np.stack([x, np.cross(z, x), z], axis=1), centre)
        patches.append(TagPatch(number, pose, 1.5, 4.0))
    return tuple(patches)


def test_a_tapped_outline_with_depth_lies_where_it_was_tapped() -> None:
    chart = laid(place_by_tap(tapped(), with_depth(SCENE.depth(1.0)), zone=ZONE, rig=SCENE.rig))
    assert (chart.anchored_by, chart.surface_by) == ("tap", "depth")
    assert np.linalg.norm(chart.centre_mm - SCENE.chart.centre_mm) < 5.0
    assert chart.zone_area_cm2 == pytest.approx(np.pi * 4.0 * 5.5, rel=0.06)
    error = np.abs(SCENE.limb.outside_mm(chart.position_mm))
    assert (error <= chart.height_u95_mm).mean() > 0.97
    assert np.percentile(error[chart.in_zone], 95) < 2.5


def test_v_runs_along_the_limb_and_u_round_it() -> None:
    chart = laid(place_by_tap(tapped(), with_depth(SCENE.depth(1.0)), zone=ZONE, rig=SCENE.rig))
    zone = chart.in_zone
    assert abs(np.corrcoef(chart.v_mm[zone], chart.position_mm[zone, 1])[0, 1]) > 0.99
    assert abs(np.corrcoef(chart.u_mm[zone], chart.position_mm[zone, 0])[0, 1]) > 0.99


@pytest.mark.parametrize("leg", [SCENE, OTHER_LEG], ids=["one leg", "the other"])
def test_the_leg_under_the_finger_is_taken_and_not_its_neighbour(leg: RenderedLimb) -> None:
    evidence = with_depth(SCENE.depth(1.0), OTHER_LEG.depth(1.0, seed=1))
    chart = laid(place_by_tap(tapped(leg.limb), evidence, zone=ZONE, rig=SCENE.rig))
    error = np.abs(leg.limb.outside_mm(chart.position_mm))
    assert error[chart.in_zone].max() < 4.0
    assert (error <= chart.height_u95_mm).mean() > 0.97
    assert np.linalg.norm(chart.centre_mm - leg.limb.centre_mm) < 6.0


def test_without_a_body_in_view_the_thicker_end_is_taken_for_the_trunk_and_that_is_said() -> None:
    """The limb tapers downwards in the picture, so v points up; turned over, v points down."""
    for taper, up in ((-0.15, -1.0), (0.15, 1.0)):
        leg = RenderedLimb(limb=replace(SCENE.limb, taper=taper))
        placement = place_by_tap(tapped(leg.limb), with_depth(leg.depth(1.0)), zone=ZONE, rig=SCENE.rig)
        chart = laid(placement)
        assert np.corrcoef(chart.v_mm, chart.position_mm[:, 1])[0, 1] * up > 0.9
        assert isinstance(placement, Placement)
        assert any("guessed" in remark for remark in placement.remarks)


def trunk_above() -> Landmarks:
    """The person's trunk lies below in the picture: against what the taper says."""
    points = np.full((33, 2), 320.0)
    for name, place in (
        ("left_hip", (280, 500)), ("right_hip", (360, 500)), ("left_shoulder", (270, 700)),
        ("right_shoulder", (370, 700)),
    ):  # fmt: skip
        points[LANDMARKS[name]] = place
    return Landmarks(1.0, points, np.ones(33), np.zeros((33, 3)), np.ones(33, bool))


def test_a_body_in_view_tells_where_the_trunk_is() -> None:
    evidence = replace(with_depth(SCENE.depth(1.0)), landmarks=(trunk_above(),))
    placement = place_by_tap(tapped(), evidence, zone=ZONE, rig=SCENE.rig)
    chart = laid(placement)
    assert np.corrcoef(chart.v_mm, chart.position_mm[:, 1])[0, 1] > 0.9
    assert isinstance(placement, Placement)
    assert placement.remarks == ()


def test_a_tap_beside_everything_is_a_sentence_and_no_chart() -> None:
    nothing = DepthPicture(1.0, np.zeros((240, 320), np.uint16))
    said = place_by_tap(tapped(), with_depth(nothing), zone=ZONE, rig=SCENE.rig)
    assert isinstance(said, str)
    assert "no reading under the tapped outline" in said


def test_tags_carry_the_surface_where_there_is_no_depth_and_warm_skin_shows_its_width() -> None:
    evidence = replace(BARE, patches=tags(), thermal=SCENE.thermal(1.0))
    chart = laid(place_by_tap(tapped(), evidence, zone=ZONE, rig=SCENE.rig))
    assert (chart.anchored_by, chart.surface_by) == ("tap", "skin_tags")
    error = np.abs(SCENE.limb.outside_mm(chart.position_mm))
    assert (error <= chart.height_u95_mm)[chart.in_zone].mean() > 0.95
    assert np.percentile(error[chart.in_zone], 95) < 4.0
    assert chart.zone_area_cm2 == pytest.approx(np.pi * 4.0 * 5.5, rel=0.1)


def test_with_neither_depth_nor_tags_the_surface_is_a_guess_that_says_so() -> None:
    placement = place_by_tap(tapped(), BARE, zone=ZONE, rig=SCENE.rig)
    chart = laid(placement)
    assert chart.surface_by == "body_model"
    assert isinstance(placement, Placement)
    assert any("was guessed" in remark for remark in placement.remarks)
    error = np.linalg.norm(chart.centre_mm - SCENE.chart.centre_mm)
    assert error <= np.median(chart.height_u95_mm)
    assert np.median(chart.height_u95_mm) > 200.0


@pytest.fixture(scope="module")
def first_fit() -> FittedLimb:
    return fit_limb(tags(), zone=ZONE, rays=None)


def missed_mm(rays: GrazingRays | None) -> Floats:
    """How far each ray passes outside the limb at its nearest."""
    assert rays is not None
    assert len(rays.directions) >= 10
    along = np.linspace(700.0, 1200.0, 600)[:, None, None]
    return SCENE.limb.outside_mm(rays.origin_rgb_mm + along * rays.directions).min(0)


def test_rays_along_warm_skins_edge_graze_the_limb(first_fit: FittedLimb) -> None:
    """Within a thermal pixel of 5.3 mm at this distance."""
    rays = grazing_rays(SCENE.thermal(1.0), first_fit, rig=SCENE.rig, nozzle=AWAY)
    assert np.abs(missed_mm(rays)).max() < 5.0


def test_the_nozzles_edge_is_not_the_limbs(first_fit: FittedLimb) -> None:
    nozzle = nozzle_over(SCENE.limb.centre_mm, t_s=1.0, distance_mm=30.0)
    picture = SCENE.thermal(1.0, nozzle=nozzle)
    assert np.abs(missed_mm(grazing_rays(picture, first_fit, rig=SCENE.rig, nozzle=nozzle))).max() < 6.0


def test_skin_as_cold_as_the_room_has_no_edge_to_trust(first_fit: FittedLimb) -> None:
    assert grazing_rays(SCENE.thermal(1.0, degc=24.0), first_fit, rig=SCENE.rig, nozzle=AWAY) is None
    blind = replace(SCENE.rig, thermal=None)
    assert grazing_rays(SCENE.thermal(1.0), first_fit, rig=blind, nozzle=AWAY) is None


# --- by landmarks: a trunk, prone, head up in the picture ---------------------------------------------------

BACK = RenderedLimb(limb=Limb(radius_mm=170.0, deep_mm=1150.0), rig=limb_rig())
LUMBAR = load_zones()["lumbar"]
JOINTS_MM = {
    "left_hip": (-90.0, 190.0), "right_hip": (90.0, 190.0), "left_shoulder": (-90.0, -210.0),
    "right_shoulder": (90.0, -210.0),
}  # fmt: skip
"""x and y; they lie 85 mm below the skin. Seen from behind, the subject's left is the picture's left."""
LIMBS_MM = {
    "left_knee": (-95.0, 560.0, 40.0), "right_knee": (95.0, 560.0, 60.0), "left_elbow": (-210.0, 0.0, 90.0),
    "right_elbow": (210.0, 20.0, 120.0),
}  # fmt: skip
"""From the middle of the hips."""


def joint_mm(name: str) -> Floats:
    x, y = JOINTS_MM[name]
    skin = BACK.limb.at(np.array(np.arcsin(x / BACK.limb.radius_mm)), np.array(y))
    return skin - 85.0 * BACK.limb.normal(skin)


def prone(*, spread_mm: float = 0.0, believed: bool = True, world: bool = False) -> Landmarks:
    seeded = np.random.default_rng(1)
    points, metric, good = np.full((33, 2), 320.0), np.zeros((33, 3)), np.zeros(33, bool)
    middle = 0.5 * (joint_mm("left_hip") + joint_mm("right_hip"))
    for name in JOINTS_MM:
        k = LANDMARKS[name]
        points[k] = BACK.rig.rgb.project(joint_mm(name) + seeded.normal(0.0, spread_mm, 3))
        good[k] = believed
        metric[k] = joint_mm(name) - middle
    if world:
        for name, place in LIMBS_MM.items():
            k = LANDMARKS[name]
            metric[k], good[k] = place, True
            points[k] = BACK.rig.rgb.project(middle + np.array(place))
    return Landmarks(1.0, points, np.ones(33), metric, good)


def back_evidence(landmarks: Landmarks) -> Evidence:
    points = depth_points(BACK.depth(1.0), rig=BACK.rig, nozzle=None)
    return replace(BARE, points=points, landmarks=(landmarks,) * 3)


def expected_centre_mm() -> Floats:
    assert LUMBAR.anchor is not None
    centre = np.sum([weight * joint_mm(name) for name, weight in LUMBAR.anchor.centre], axis=0)
    return BACK.limb.at(np.array(np.arcsin(centre[0] / BACK.limb.radius_mm)), np.array(centre[1]))


def test_landmarks_with_depth_place_the_lumbar_zone_on_the_back() -> None:
    chart = laid(place_by_landmarks(back_evidence(prone()), zone=LUMBAR, rig=BACK.rig))
    assert (chart.anchored_by, chart.surface_by) == ("landmarks", "depth")
    assert np.linalg.norm(chart.centre_mm - expected_centre_mm()) < 15.0
    error = np.abs(BACK.limb.outside_mm(chart.position_mm))
    assert (error <= chart.height_u95_mm).mean() > 0.95
    assert LUMBAR.anchor is not None
    assert chart.place_u95_mm == LUMBAR.anchor.place_u95_mm


def test_u_points_to_the_subjects_left_and_v_to_the_head() -> None:
    chart = laid(place_by_landmarks(back_evidence(prone()), zone=LUMBAR, rig=BACK.rig))
    zone = chart.in_zone
    left, head = np.array([-1.0, 0.0, 0.0]), np.array([0.0, -1.0, 0.0])
    assert np.corrcoef(chart.u_mm[zone], chart.position_mm[zone] @ left)[0, 1] > 0.99
    assert np.corrcoef(chart.v_mm[zone], chart.position_mm[zone] @ head)[0, 1] > 0.99


def test_landmarks_in_error_by_15_mm_move_the_zone_by_little_more() -> None:
    chart = laid(place_by_landmarks(back_evidence(prone(spread_mm=15.0)), zone=LUMBAR, rig=BACK.rig))
    assert np.linalg.norm(chart.centre_mm - expected_centre_mm()) < 40.0


def test_without_depth_the_bodys_size_gives_a_distance_with_an_honest_bound() -> None:
    evidence = replace(BARE, landmarks=(prone(world=True),) * 3, subject_height_mm=1700.0)
    chart = laid(place_by_landmarks(evidence, zone=LUMBAR, rig=BACK.rig))
    assert chart.surface_by == "body_model"
    off = chart.centre_mm - expected_centre_mm()
    assert np.linalg.norm(off) <= np.median(chart.height_u95_mm)
    assert np.median(chart.height_u95_mm) > 50.0
    unknown = laid(place_by_landmarks(replace(evidence, subject_height_mm=None), zone=LUMBAR, rig=BACK.rig))
    assert np.median(unknown.height_u95_mm) > 1.5 * np.median(chart.height_u95_mm)


@pytest.mark.parametrize(
    ("evidence", "words"),
    [
        (BARE, "no body was recognised"),
        (replace(BARE, landmarks=(prone(believed=False),) * 3), "not seen well enough"),
        (replace(BARE, landmarks=(prone(),) * 3), "to tell its distance"),
    ],
)
def test_what_landmarks_cannot_do_is_told_in_a_sentence(evidence: Evidence, words: str) -> None:
    said = place_by_landmarks(evidence, zone=LUMBAR, rig=BACK.rig)
    assert isinstance(said, str)
    assert words in said


def test_a_depth_picture_without_readings_is_told() -> None:
    nothing = DepthPoints(np.full((240, 320, 3), np.nan), np.zeros((240, 320), bool))
    said = place_by_landmarks(
        replace(BARE, points=nothing, landmarks=(prone(),) * 3), zone=LUMBAR, rig=BACK.rig
    )
    assert isinstance(said, str)


def test_a_zone_without_an_anchor_asks_for_a_tap() -> None:
    said = place_by_landmarks(back_evidence(prone()), zone=replace(LUMBAR, anchor=None), rig=BACK.rig)
    assert isinstance(said, str)
    assert "tap" in said


def test_an_outline_cut_by_the_limbs_edge_has_its_middle_round_the_limb() -> None:
    limb = SCENE.limb
    skin = limb.surface().add(limb.seen(noise_mm=0.0)).skin()
    turn = np.linspace(0.0, 2.0 * np.pi, 40, endpoint=False)
    shifted_mm = 35.0
    u, v = shifted_mm + 50.0 * np.cos(turn), 55.0 * np.sin(turn)
    edge_mm = limb.radius_mm * np.arccos(limb.radius_mm / (limb.deep_mm + limb.radius_mm)) - 3.0
    cut = limb.at(np.minimum(u, edge_mm) / limb.radius_mm, v)
    assert hidden_mm(skin, cut) == pytest.approx(30.0, abs=8.0)
    whole = limb.at(50.0 * np.cos(turn) / limb.radius_mm, v)
    assert hidden_mm(skin, whole) == pytest.approx(0.0, abs=3.0)


def test_a_knee_has_its_cap_and_a_calf_has_none() -> None:
    skin = SCENE.limb.surface().add(SCENE.limb.seen(noise_mm=0.0)).skin()
    knee = with_relief(skin, load_zones()["knee"], hidden_mm=0.0)
    assert np.nanmax(knee.radius_mm - skin.radius_mm) > 5.0
    assert np.nanmax(knee.u95_mm - skin.u95_mm) > 0.5
    calf = with_relief(skin, ZONE, hidden_mm=0.0)
    assert np.array_equal(calf.radius_mm, skin.radius_mm, equal_nan=True)
