"""The rig file is read exactly, and what is wrong in it is told."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.camera import Camera
from models.geometry import Pose, rotation_from_rvec
from models.problems import InputError
from models.radiometry import StatedRadiometry
from models.radiometry_file import radiometry_lines
from models.rig import (
    Corrected,
    DepthCamera,
    Nozzle,
    Rig,
    SkinTags,
    StatedHalo,
    StatedSpread,
    Tags,
    ThermalCamera,
)
from models.rig_file import read_rig, write_rig

RADIOMETRY = StatedRadiometry(
    datetime(2026, 11, 28, 9, tzinfo=UTC),
    1.2,
    16.5,
    0.013,
    0.01,
    np.array([[0.01, 1e-5, 0.0], [1e-5, 1e-5, 0.0], [0.0, 0.0, 1e-4]]),
    0.3,
    (0.4, 32.6),
)
CORRECTED = Corrected("FLIR sequence", 22.0, 21.5, 0.5, 700.0, 0.95, ((2.0, 2.56), (30.0, 29.81)))


@pytest.fixture
def text(tiny: Callable[[], Path]) -> str:
    return (tiny() / "rig.toml").read_text()


def same(a: Rig, b: Rig) -> None:
    assert (a.created, a.transfer, a.rgb_rms_px, a.skin) == (b.created, b.transfer, b.rgb_rms_px, b.skin)
    for one, other in ((a.rgb, b.rgb), (a.thermal, b.thermal), (a.depth, b.depth)):
        assert (one is None) == (other is None)
        if one is None or other is None:
            continue
        if isinstance(one, ThermalCamera) and isinstance(other, ThermalCamera):
            assert one.thermal_from_rgb.matrix == pytest.approx(other.thermal_from_rgb.matrix, abs=1e-9)
            names = ("rgb_minus_thermal_s", "latency_s", "accuracy_degc", "emissivity", "corrected")
            for name in names:
                assert getattr(one, name) == getattr(other, name)
        if isinstance(one, DepthCamera) and isinstance(other, DepthCamera):
            assert one.depth_from_rgb.matrix == pytest.approx(other.depth_from_rgb.matrix, abs=1e-9)
        ours = one if isinstance(one, Camera) else one.camera
        theirs = other if isinstance(other, Camera) else other.camera
        assert ours.matrix == pytest.approx(theirs.matrix)
        assert ours.distortion.tolist() == theirs.distortion.tolist()
        assert (ours.width_px, ours.height_px) == (theirs.width_px, theirs.height_px)
    assert a.nozzle_scale_u95 == b.nozzle_scale_u95
    if a.thermal is not None and b.thermal is not None:
        ours_covariance, theirs_covariance = a.thermal.covariance, b.thermal.covariance
        assert (ours_covariance is None) == (theirs_covariance is None)
        if ours_covariance is not None and theirs_covariance is not None:
            assert np.array_equal(ours_covariance, theirs_covariance)
    assert (a.rgb_covariance is None) == (b.rgb_covariance is None)
    if a.rgb_covariance is not None and b.rgb_covariance is not None:
        assert np.array_equal(a.rgb_covariance, b.rgb_covariance)
    assert (a.thermal.spread if a.thermal else None) == (b.thermal.spread if b.thermal else None)
    assert (a.nozzle is None) == (b.nozzle is None)
    if a.nozzle and b.nozzle:
        assert a.nozzle.bore_mm == b.nozzle.bore_mm
        assert a.nozzle.tags.ids.tolist() == b.nozzle.tags.ids.tolist()
        assert a.nozzle.tags.corners_mm == pytest.approx(b.nozzle.tags.corners_mm)


def test_figures_come_as_written(calf: Path) -> None:
    rig, warnings = read_rig((calf / "rig.toml").read_text(), where="rig.toml")
    assert warnings == ()
    assert (rig.rgb.width_px, rig.rgb.fy_px, rig.rgb.cy_px) == (1280, 1001.5, 357.4)
    assert rig.thermal is not None
    assert rig.thermal.rgb_minus_thermal_s == -0.18
    assert rig.thermal.latency_s == 0.05, "the default"
    assert rig.thermal.thermal_from_rgb.matrix[0, 3] == -47.3394345
    assert rig.nozzle is not None
    assert rig.nozzle.tags.corners_mm[1, 0].tolist() == [2.70633, 29.6875, -112.5]
    assert rig.transfer == "srgb"
    assert rig.created.tzinfo is not None


@settings(max_examples=30, deadline=None)
@given(
    turn=arrays(np.float64, 3, elements=st.floats(-3, 3)),
    move=arrays(np.float64, 3, elements=st.floats(-500, 500)),
    corners=arrays(np.float64, (2, 3), elements=st.floats(-50, 50)),
    focal_px=st.floats(100, 5000),
    with_all=st.booleans(),
)
def test_what_is_written_is_read_back(
    turn: np.ndarray, move: np.ndarray, corners: np.ndarray, focal_px: float, with_all: bool
) -> None:
    camera = Camera(
        640, 480, focal_px, focal_px * 1.01, 319.5, 239.5, np.array([0.1, -0.2, 1e-4, 2e-5, 0.03])
    )
    pose = Pose.of(rotation_from_rvec(turn), move)
    square = np.array([[0, 0, 0], [20, 0, 0], [20, 20, 0], [0, 20, 0]], float)
    tags = Tags("DICT_APRILTAG_36h11", np.array([3, 7]), square + corners[:, None])
    rig = Rig(
        created=datetime(2026, 11, 23, 9, tzinfo=UTC),
        rgb=camera,
        transfer="linear" if with_all else "srgb",
        rgb_rms_px=0.21 if with_all else None,
        thermal=ThermalCamera(
            camera,
            pose,
            -0.18,
            0.07,
            2.0,
            0.98,
            CORRECTED,
            StatedSpread(0.85, 0.05, StatedHalo(0.09, 7.0, 0.02)),
        )
        if with_all
        else None,
        depth=DepthCamera(camera, pose) if with_all else None,
        nozzle=Nozzle(tags, 12.0) if with_all else None,
        skin=SkinTags("DICT_APRILTAG_36h11", 24.0, (100, 101)) if with_all else None,
        rgb_covariance=np.diag([0.5, 0.6, 1.0, 1.1, 1e-4, 1e-4, 1e-8, 1e-8, 0.0]) if with_all else None,
        nozzle_scale_u95=0.001 if with_all else None,
    )
    again, warnings = read_rig(write_rig(rig), where="rig.toml")
    assert warnings == ()
    same(again, rig)


def test_a_slightly_rounded_rotation_becomes_a_true_one(text: str) -> None:
    rounded = text.replace(
        "[1, 0, 0, -30], [0, 1, 0, 0]", "[0.9999, -0.0124, 0, -30], [0.0124, 0.9999, 0, 0]"
    )
    rig, _ = read_rig(rounded, where="rig.toml")
    assert rig.thermal is not None
    rotation = rig.thermal.thermal_from_rgb.rotation
    assert rotation @ rotation.T == pytest.approx(np.eye(3), abs=1e-12)


def test_an_unknown_optional_table_is_left_out_and_said(text: str) -> None:
    more = text + "\n[rgb.covariance]\nfx_px = 0.1\n[validity]\ndays = 30\n[[jet]]\na = 1\n"
    rig, warnings = read_rig(more, where="s/rig.toml")
    same(rig, read_rig(text, where="rig.toml")[0])
    assert len(warnings) == 3
    assert all(
        re.search(r"^s/rig\.toml.*\[(rgb\.covariance|validity|jet)\]", warning) for warning in warnings
    )


def test_a_covariance_may_name_only_what_was_estimated(text: str) -> None:
    more = text + '\n[rgb.covariance]\nparameters = ["cx_px", "fx_px"]\nmatrix = [[4, 1], [1, 9]]\n'
    rig, warnings = read_rig(more, where="rig.toml")
    assert warnings == ()
    assert rig.rgb_covariance is not None
    assert rig.rgb_covariance[0, 0] == 9.0
    assert rig.rgb_covariance[2, 2] == 4.0
    assert rig.rgb_covariance[0, 2] == rig.rgb_covariance[2, 0] == 1.0
    assert rig.rgb_covariance.sum() == 15.0, "nothing else was estimated"


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ('parameters = ["fx_px"]\nmatrix = [[1, 2], [2, 1]]', "matrix must hold 1 x 1"),
        ('parameters = ["fx_px", "fx_px"]\nmatrix = [[1, 0], [0, 1]]', "names one twice"),
        ('parameters = ["fx_px", "fy_px"]\nmatrix = [[1, 2], [2, 1]]', "is no covariance"),
        ('parameters = ["focus"]\nmatrix = [[1]]', "focus"),
    ],
)
def test_a_covariance_that_is_none_is_refused(text: str, lines: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        read_rig(text + "\n[rgb.covariance]\n" + lines, where="rig.toml")


def test_the_spread_that_calibration_measured_is_read(text: str) -> None:
    rig, warnings = read_rig(text + "\n[thermal.spread]\nsigma_px = 0.85\nu95_px = 0.05\n", where="rig.toml")
    assert warnings == ()
    assert rig.thermal is not None
    assert rig.thermal.spread == StatedSpread(0.85, 0.05)


WRONG = {
    "halo without reach": (
        "[skin]",
        "[thermal.spread]\nsigma_px = 0.9\nu95_px = 0.1\nhalo_share = 0.09\nhalo_u95 = 0.02\n[skin]",
        "halo_px is missing",
    ),
    "spread without bound": ("[skin]", "[thermal.spread]\nsigma_px = 0.9\n[skin]", "u95_px is missing"),
    "spread in focus beyond all": (
        "[skin]",
        "[thermal.spread]\nsigma_px = 0\nu95_px = 0.1\n[skin]",
        r"\[thermal.spread\] sigma_px must be a number from 0.2 to 3",
    ),
    "spread with an unknown key": (
        "[skin]",
        "[thermal.spread]\nsigma_px = 0.9\nu95_px = 0.1\nshape = 1\n[skin]",
        r"\[thermal.spread\] shape is not a known key",
    ),
    "other schema": ("cryoguide.rig/1", "cryoguide.rig/2", "cryoguide.rig/2"),
    "no schema": ('schema = "cryoguide.rig/1"', "", "no schema"),
    "created is a text": ("2026-11-23T09:00:00Z", '"today"', "created must be a date"),
    "focal length zero": (
        "fx_px = 60",
        "fx_px = 0",
        r"\[rgb\] fx_px must be a number from 10 to 100000, not 0",
    ),
    "focal length nan": ("fx_px = 60", "fx_px = nan", "fx_px must be a number"),
    "focal length a text": ("fx_px = 60", 'fx_px = "60"', "fx_px must be a number"),
    "focal length true": ("fx_px = 60", "fx_px = true", "fx_px must be a number"),
    "half a pixel wide": ("width_px = 64", "width_px = 64.5", "whole number"),
    "missing key": ("cx_px = 31.5\n", "", r"\[rgb\] cx_px is missing"),
    "four distortions": ("distortion = [0, 0, 0, 0, 0]", "distortion = [0, 0, 0, 0]", "5 finite numbers"),
    "unknown key": (
        "emissivity = 0.98",
        "emissivity = 0.98\nfever = 1",
        r"\[thermal\] fever is not a known key",
    ),
    "humidity in percent": (
        "emissivity = 0.98",
        'emissivity = 0.98\ncorrected = { source = "a", reflected_degc = 22, air_degc = 22, humidity = 50, '
        "distance_mm = 700, at_degc = [2], stated_degc = [2.5] }",
        r"\[thermal.corrected\] humidity must be a number from 0 to 1, not 50",
    ),
    "unknown key at the top": ("created", "maker = 1\ncreated", "maker is not a known key"),
    "unknown transfer": ("rms_px = 0.2", 'transfer = "log"', "srgb, linear"),
    "not rigid": ("[[1, 0, 0, -30]", "[[1.01, 0, 0, -30]", "thermal_from_rgb is not a rigid transform"),
    "mirrored": ("[[1, 0, 0, -30]", "[[-1, 0, 0, -30]", "not a rigid transform"),
    "column by column": ("[0, 0, 0, 1]]\nrgb", "[9, 0, 0, 1]]\nrgb", r"row \[0, 0, 0, 1\]"),
    "three by four": (", [0, 0, 0, 1]]\nrgb", "]\nrgb", "4 x 4 finite numbers"),
    "negative latency": (
        "rgb_minus_thermal_s = 0.3",
        "rgb_minus_thermal_s = 0.3\nlatency_s = -1",
        "latency_s must be a number of at least 0",
    ),
    "a perfect thermal camera": ("accuracy_degc = 2", "accuracy_degc = 0", "must be a number above 0"),
    "emissivity above 1": ("emissivity = 0.98", "emissivity = 98", "at most 1"),
    "no tags": ("[[nozzle.tag]]\nid = 0", "[nozzle.other]\nid = 0", r"\[nozzle\] tag is missing"),
    "three corners": (", [27, 12, -88]]", "]", r"\[nozzle.tag 1\] corners_nozzle_mm must hold 4 x 3"),
    "corners in one place": ("[27, -12, -112]", "[27, 12, -112]", "two corners in one place"),
    "tag twice": (
        "[skin]",
        "[[nozzle.tag]]\nid = 0\ncorners_nozzle_mm = [[0,0,0],[1,0,0],[1,1,0],[0,1,0]]\n[skin]",
        r"\[nozzle.tag 2\] id is 0",
    ),
    "tag on nozzle and skin": ("ids = [100, 101]", "ids = [0, 101]", "tag 0, which is on the nozzle"),
    "skin tag twice": ("ids = [100, 101]", "ids = [100, 100]", "each once"),
    "unknown dictionary": ("DICT_APRILTAG_36h11", "DICT_36H11", "use one of DICT_4X4_50"),
    "table is a number": ("[skin]\n", "skin = 3\n[other]\n", "skin is not a known key"),
    "a middle beyond any picture": (
        "cx_px = ",
        "cx_px = 1e299 # ",
        "cx_px must be a number from -20000 to 20000",
    ),
    "a lens that bends without end": ("distortion = [", "distortion = [1e200, 0, 0, 0, 0] # [", "beyond"),
    "a picture of 10^18 pixels": ("width_px = ", "width_px = 1000000000000000000 # ", "from 1 to 20000"),
    "a thermal camera that knows nothing": ("accuracy_degc = 2", "accuracy_degc = 1e299", "at most 50"),
    "a stream of another year": (
        "rgb_minus_thermal_s = ",
        "rgb_minus_thermal_s = 1e299 # ",
        "from -3600 to 3600",
    ),
    "cameras miles apart": (
        "[[1, 0, 0, -30]",
        "[[1, 0, 0, -1e200]",
        r"thermal_from_rgb holds a number beyond \+-10000",
    ),
    "a tag of no dictionary": (
        "id = 0",
        "id = 1000000000000000000000000000000",
        r"id must be a number from 0 to 1e\+06",
    ),
    "a tag miles away": ("[27, -12, -112]", "[1e200, -12, -112]", "corners_nozzle_mm holds a number beyond"),
    "a variance beyond all": (
        "[thermal]",
        '[rgb.covariance]\nparameters = ["fx_px"]\nmatrix = [[1e299]]\n[thermal]',
        r"matrix holds a number beyond \+-1e\+12",
    ),
    "variances that vanish beside what they share": (
        "[thermal]",
        '[rgb.covariance]\nparameters = ["fx_px", "fy_px"]\nmatrix = [[1e-308, 1e12], [1e12, 1e-308]]'
        "\n[thermal]",
        "is no covariance",
    ),
    "the middle of a lens far from its picture": (
        "cx_px = 31.5",
        "cx_px = -250",
        r"\[rgb\] cx_px is -250, but in a picture 64 px wide .* between -32 and 96; give it in pixels",
    ),
    "a number beyond all": ("fx_px = 60", "fx_px = 1" + 400 * "0", "fx_px must be a number"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_rig_gets_one_sentence(text: str, name: str) -> None:
    old, new, told = WRONG[name]
    assert old in text
    with pytest.raises(InputError, match=told) as trouble:
        read_rig(
            text.replace(old, new, 1) if "DICT" not in old else text.replace(old, new), where="s/rig.toml"
        )
    assert str(trouble.value).startswith("s/rig.toml")
    assert "\n" not in str(trouble.value)


def test_all_mistakes_of_a_rig_are_told_at_once(text: str) -> None:
    spoiled = text.replace("fx_px = 60", "fx_px = 0", 1).replace("emissivity = 0.98", "emisivity = 0.98")
    with pytest.raises(InputError) as trouble:
        read_rig(spoiled, where="s/rig.toml")
    sentence = str(trouble.value)
    first = "[rgb] fx_px must be a number from 10 to 100000, not 0;"
    assert sentence.startswith(f"s/rig.toml has 3 mistakes: {first}")
    assert "[thermal] emissivity is missing; [thermal] emisivity is not a known key" in sentence
    assert "did you mean emissivity?" in sentence


def test_a_wrong_figure_is_one_mistake_and_not_two(text: str) -> None:
    with pytest.raises(InputError, match=r"has 1 mistake: .* 4 x 4 finite numbers"):
        read_rig(text.replace("[[1, 0, 0, -30]", "[[nan, 0, 0, -30]", 1), where="s/rig.toml")


@pytest.mark.parametrize(
    "more",
    ["[other]\nx = " + 100_000 * "[", "[other]\nx = 1" + 6000 * "0", "[other]\nx = " + 50_000 * "{a = "],
    ids=["lists without end", "a number of 6000 digits", "tables without end"],
)
def test_what_no_reader_of_toml_can_hold_is_the_files_mistake_and_not_ours(text: str, more: str) -> None:
    with pytest.raises(InputError, match=r"^s/rig.toml is not valid TOML \(.*\): correct it there\.$"):
        read_rig(f"{text}\n{more}", where="s/rig.toml")


@settings(max_examples=100, deadline=None)
@given(junk=st.text(max_size=200))
def test_any_text_is_refused_with_a_sentence_or_read(junk: str) -> None:
    with pytest.raises(InputError):
        read_rig(junk, where="rig.toml")
    with pytest.raises(InputError):
        read_rig('schema = "cryoguide.rig/1"\n' + junk, where="rig.toml")


def test_what_references_told_of_the_camera_is_read_back(text: str) -> None:
    lines = "\n".join(radiometry_lines(RADIOMETRY))
    rig, warnings = read_rig(f"{text}\n{lines}\n", where="rig.toml")
    assert rig.thermal is not None
    assert rig.thermal.radiometry is not None
    assert radiometry_lines(rig.thermal.radiometry) == radiometry_lines(RADIOMETRY)
    assert not warnings
    again, _ = read_rig(write_rig(rig), where="rig.toml")
    assert again.thermal is not None
    assert again.thermal.radiometry is not None
    assert radiometry_lines(again.thermal.radiometry) == radiometry_lines(RADIOMETRY)
    beside, _ = read_rig(f"{text}\n{lines.replace('thermal.radio', 'radio')}\n", where="rig.toml")
    assert beside.thermal is not None
    assert beside.thermal.radiometry is not None


def test_another_programs_radiometry_is_left_out_with_a_sentence(text: str) -> None:
    for table in ("radiometry", "thermal.radiometry"):
        rig, warnings = read_rig(f"{text}\n[{table}]\noffset = 1.0\ngain = 0.0\n", where="rig.toml")
        assert rig.thermal is not None
        assert rig.thermal.radiometry is None
        assert any(f"[{table}]" in sentence for sentence in warnings)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("gain = 0.013", "gain = 3.0", "gain"),
        ("references_degc = [0.4, 32.6]", "references_degc = [32.6, 0.4]", "rising"),
        ("[0.01, 1e-05, 0.0]", "[-0.01, 1e-05, 0.0]", "no covariance"),
        ("residual_u95_degc = 0.3", "residual_u95_degc = 0.3\nresidual = 1", "residual"),
    ],
)
def test_a_radiometry_that_cannot_be_is_an_error(text: str, old: str, new: str, why: str) -> None:
    lines = "\n".join(radiometry_lines(RADIOMETRY))
    assert old in lines
    with pytest.raises(InputError, match=why):
        read_rig(f"{text}\n{lines.replace(old, new)}\n", where="rig.toml")
