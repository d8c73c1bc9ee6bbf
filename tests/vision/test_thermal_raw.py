"""Raw frames of TC001 and P2, Y16 of Lepton and Boson, .irg of InfiRay."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.problems import InputError
from tests.vision.thermal_files import (
    centikelvin,
    double_frame,
    irg,
    lepton,
    stated,
)
from vision.thermal_formats import open_thermal
from vision.thermal_source import Told


def test_raw_frames_of_a_tc001_give_their_lower_half(tmp_path: Path) -> None:
    degc = np.tile(np.linspace(2.0, 34.0, 256), (192, 1))
    path = tmp_path / "tc001.raw"
    path.write_bytes(double_frame(degc).tobytes() * 2)
    source = open_thermal(path, Told())
    assert (source.kind, source.pictures) == ("raw frames of a TC001 or P2", 2)
    assert (source.width_px, source.height_px) == (256, 192)
    np.testing.assert_allclose(stated(source)[1], degc, atol=0.5 / 64 + 1e-6)


def test_the_coldest_pixel_is_not_picked_by_its_high_byte(tmp_path: Path) -> None:
    """A peer takes the pixel of the lowest high byte and reads up to 3.9 degC too warm."""
    degc = np.full((192, 256), 10.0)
    degc[50, 60] = 1.2
    degc[100, 100] = 3.9
    np.save(tmp_path / "t.npy", double_frame(degc))
    assert stated(open_thermal(tmp_path / "t.npy", Told()))[0].min() == pytest.approx(1.2, abs=0.01)


def test_frames_as_opencv_hands_them_out_are_the_same(tmp_path: Path) -> None:
    degc = np.tile(np.linspace(2.0, 34.0, 256), (192, 1))
    pairs = double_frame(degc).view(np.uint8).reshape(1, 384, 256, 2)
    np.save(tmp_path / "pairs.npy", pairs)
    np.testing.assert_allclose(stated(open_thermal(tmp_path / "pairs.npy", Told()))[0], degc, atol=0.008)


@pytest.mark.parametrize(("unit", "step_k"), [("centikelvin", 0.01), ("decikelvin", 0.1)])
def test_lepton_counts_follow_the_gain_mode(tmp_path: Path, unit: str, step_k: float) -> None:
    degc = np.tile(np.linspace(-5.0, 35.0, 160), (120, 1))
    path = tmp_path / "lepton.y16"
    path.write_bytes(np.rint((degc + 273.15) / step_k).astype("<u2").tobytes())
    np.testing.assert_allclose(stated(open_thermal(path, Told(unit)))[0], degc, atol=step_k / 2 + 1e-6)


def test_the_byte_order_is_found(tmp_path: Path) -> None:
    degc = np.tile(np.linspace(-5.0, 35.0, 160), (120, 1))
    path = tmp_path / "lepton.y16"
    path.write_bytes(centikelvin(degc).astype(">u2").tobytes())
    source = open_thermal(path, Told("centikelvin"))
    np.testing.assert_allclose(stated(source)[0], degc, atol=0.006)
    assert "high byte first" in source.warnings[0]


def test_counts_without_a_unit_are_refused_even_where_one_would_fit(tmp_path: Path) -> None:
    path = tmp_path / "boson.y16"
    path.write_bytes(np.full((256, 320), 29_515, "<u2").tobytes())
    with pytest.raises(
        InputError, match=r"boson\.y16 holds 16-bit numbers .* of no stated unit .*centikelvin"
    ):
        open_thermal(path, Told())


def test_a_length_that_fits_no_size_asks_for_it(tmp_path: Path) -> None:
    path = tmp_path / "odd.raw"
    path.write_bytes(bytes(1000))
    with pytest.raises(InputError, match=r"fits no size that is known; give .*--size-px"):
        open_thermal(path, Told("centikelvin"))
    with pytest.raises(InputError, match=r"no whole number of 30x30"):
        open_thermal(path, Told("centikelvin", (30, 30)))


def test_telemetry_says_unit_times_shutter_and_correction(tmp_path: Path) -> None:
    degc = np.tile(np.linspace(-5.0, 35.0, 160), (120, 1))
    frames = [lepton(degc, up_ms=70_000 + 115 * k, shutter=k == 1, high=k < 2) for k in range(3)]
    path = tmp_path / "lepton.y16"
    path.write_bytes(np.stack(frames).astype("<u2").tobytes())
    source = open_thermal(path, Told())
    assert source.t_s is not None
    assert source.flag is not None
    assert source.applied is not None
    np.testing.assert_allclose(source.t_s, [0.0, 0.115, 0.23], atol=1e-9)
    assert source.flag.tolist() == [False, True, False]
    assert source.applied.emissivity == pytest.approx(0.95, abs=1e-4)
    assert source.applied.reflected_degc == pytest.approx(22.0)
    for picture, tolerance in zip(stated(source), (0.006, 0.006, 0.051), strict=True):
        np.testing.assert_allclose(picture, degc, atol=tolerance)


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"agc": True}, "AGC"), ({"tlinear": False}, "TLinear off"), ({"clear": False}, "air or a window")],
)
def test_pictures_that_carry_no_temperatures_by_their_telemetry_are_refused(
    tmp_path: Path, change: dict[str, bool], reason: str
) -> None:
    np.save(tmp_path / "t.npy", lepton(np.full((120, 160), 20.0), **change))
    with pytest.raises(InputError, match=rf"t\.npy: by their telemetry .*{reason}"):
        open_thermal(tmp_path / "t.npy", Told())


def test_rows_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "t.npy", np.full((122, 160), 29_315, np.uint16))
    with pytest.raises(InputError, match=r"t\.npy has the size of Lepton pictures with telemetry"):
        open_thermal(tmp_path / "t.npy", Told())


def test_the_real_example_reads_as_its_reference_says(shared_data: Path) -> None:
    source = open_thermal(shared_data / "real" / "infiray" / "example.irg", Told())
    assert (source.width_px, source.height_px) == (256, 192)
    (picture,) = stated(source)
    assert picture.min() == pytest.approx(25.85, abs=1e-6)
    assert picture.max() == pytest.approx(49.225, abs=1e-6)
    assert "emissivity of 0.95" in source.warnings[0]


def test_no_cut_and_no_lying_size_ends_in_anything_but_a_refusal(tmp_path: Path) -> None:
    whole = irg(np.full((6, 8), 25.0))
    path = tmp_path / "made.irg"
    for end in range(2, len(whole), 7):
        path.write_bytes(whole[:end])
        with pytest.raises(InputError, match=r"made\.irg"):
            open_thermal(path, Told())
    for at in (2, 4, 8, 10, 13, 17, 19):
        lying = bytearray(whole)
        lying[at] ^= 0x21
        path.write_bytes(bytes(lying))
        with pytest.raises(InputError, match=r"made\.irg"):
            open_thermal(path, Told())
