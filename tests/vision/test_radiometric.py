"""Radiometric JPEGs: against the maker's own tool, and against files made here."""

from pathlib import Path

import numpy as np
import pytest

from models.problems import InputError
from tests.vision.flir_files import AIR, PLANCK, jpeg, scene_degc, thermal_block
from vision.radiometric import read_flir_jpeg

REAL = Path(__file__).parents[3] / "shared" / "data" / "real" / "flir_rjpeg"
NAMES = ("200_deg_neutral", "BillHotFlashThermography", "IR_Fussbodenheizung", "Videocamera_Termica")


@pytest.mark.parametrize("name", NAMES)
def test_temperatures_agree_with_the_makers_tool(name: str) -> None:
    """Tolerance 0.01 degC; measured: at most 0.00050 degC, half the last digit of the table."""
    if not REAL.is_dir():
        pytest.skip("needs ../shared/data/real/flir_rjpeg")
    expected = np.loadtxt(REAL / f"{name}.csv", delimiter="\t")
    picture = read_flir_jpeg(REAL / f"{name}.jpg")
    assert picture.degc.shape == expected.shape
    assert np.abs(picture.degc - expected).max() < 0.01


def test_curve_and_its_inverse_cancel() -> None:
    degc = np.array([-30.0, 0.0, 2.0, 33.0, 90.0])
    counts = np.array([PLANCK.signal(t) for t in degc])
    np.testing.assert_allclose(PLANCK.degc(counts), degc, atol=1e-9)


def test_counts_outside_the_curve_are_unknown() -> None:
    assert np.isnan(PLANCK.degc(np.array([5_999.0]))).all()


def test_air_over_no_distance_lets_everything_through() -> None:
    assert AIR.transmission(0.0) == pytest.approx(1.0)


@pytest.mark.parametrize("raw", ["png_high_first", "png_low_first", "plain"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_byte_order_of_the_raw_picture_is_found(tmp_path: Path, raw: str, order: str) -> None:
    degc = scene_degc()
    path = tmp_path / "made.jpg"
    path.write_bytes(jpeg(thermal_block(degc, raw=raw, order=order)))
    # Tolerance: half a count is 0.01 degC on this curve.
    np.testing.assert_allclose(read_flir_jpeg(path).degc, degc, atol=0.012)


def test_pieces_are_joined_in_their_order(tmp_path: Path) -> None:
    block = thermal_block(scene_degc())
    path = tmp_path / "made.jpg"
    path.write_bytes(jpeg(block, pieces=3, shuffled=True))
    np.testing.assert_allclose(read_flir_jpeg(path).degc, scene_degc(), atol=0.012)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is not a JPEG"),
        (b"\x89PNG", "is not a JPEG"),
        (b"\xff\xd8\xff\xd9", "holds no radiometric data"),
    ],
)
def test_a_picture_without_radiometric_data_is_refused_with_the_reason(
    tmp_path: Path, data: bytes, reason: str
) -> None:
    path = tmp_path / "plain.jpg"
    path.write_bytes(data)
    with pytest.raises(InputError, match=f"plain.jpg {reason}; give the original"):
        read_flir_jpeg(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.jpg cannot be read"):
        read_flir_jpeg(tmp_path / "gone.jpg")


def test_a_missing_piece_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.jpg"
    path.write_bytes(jpeg(thermal_block(scene_degc()), pieces=3, leave_out=1))
    with pytest.raises(InputError, match="lacks 1 of 3 pieces"):
        read_flir_jpeg(path)


def test_a_picture_through_a_window_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "window.jpg"
    path.write_bytes(jpeg(thermal_block(scene_degc(), window=0.8)))
    with pytest.raises(InputError, match="infrared window"):
        read_flir_jpeg(path)


def test_no_cut_of_a_file_ends_in_anything_but_a_refusal_or_the_same_picture(tmp_path: Path) -> None:
    whole = jpeg(thermal_block(scene_degc()))
    path = tmp_path / "cut.jpg"
    for end in range(0, len(whole), 37):
        path.write_bytes(whole[:end])
        with pytest.raises(InputError):
            read_flir_jpeg(path)
