"""FLIR sequences and folders of radiometric JPEGs."""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.problems import InputError
from tests.vision.flir_files import jpeg, scene_degc, thermal_block
from tests.vision.thermal_files import (
    NOON,
    corrected,
    whole_block,
)
from vision.radiometric import read_flir_jpeg
from vision.thermal_formats import open_thermal
from vision.thermal_source import Told


def test_a_sequence_gives_each_picture_and_its_time(tmp_path: Path) -> None:
    path = tmp_path / "any.name"
    scenes = [scene_degc() - 0.5 * k for k in range(4)]
    path.write_bytes(b"".join(thermal_block(s, unix_s=NOON + 0.1 * k) for k, s in enumerate(scenes)))
    source = open_thermal(path, Told())
    assert source.kind.startswith("FLIR sequence")
    assert (source.pictures, source.width_px, source.height_px) == (4, 32, 24)
    assert source.t_s is not None
    np.testing.assert_allclose(source.t_s, [0.0, 0.1, 0.2, 0.3], atol=1e-6)
    assert source.unix_s == pytest.approx(NOON, abs=1e-6)
    np.testing.assert_allclose(corrected(source), scenes, atol=0.012)


def test_blocks_of_real_cameras_in_a_sequence_agree_with_the_makers_tool(
    shared_data: Path, tmp_path: Path
) -> None:
    """Tolerance 0.01 degC; the block of a radiometric JPEG is what a sequence is made of."""
    name = "IR_Fussbodenheizung"
    data = (shared_data / "real" / "flir_rjpeg" / f"{name}.jpg").read_bytes()
    block = whole_block(data)
    path = tmp_path / "real.seq"
    path.write_bytes(block * 3)
    expected = np.loadtxt(shared_data / "real" / "flir_rjpeg" / f"{name}.csv", delimiter="\t")
    source = open_thermal(path, Told())
    assert source.pictures == 3
    for picture in corrected(source):
        assert np.abs(picture - expected).max() < 0.01


def test_a_cut_off_end_costs_the_last_picture_only(tmp_path: Path) -> None:
    path = tmp_path / "cut.seq"
    block = thermal_block(scene_degc())
    path.write_bytes(block * 3 + block[: len(block) // 2])
    source = open_thermal(path, Told())
    assert source.pictures == 3
    assert "its last picture is not whole" in source.warnings[0]


def test_a_block_that_lies_about_its_length_costs_itself_only(tmp_path: Path) -> None:
    block = thermal_block(scene_degc())
    lying = bytearray(block)
    struct.pack_into(">I", lying, 64 + 16, 2**31)  # length of the raw record
    path = tmp_path / "lying.seq"
    path.write_bytes(block + bytes(lying) + block)
    source = open_thermal(path, Told())
    assert source.pictures == 2
    assert "1 of 3 pictures are damaged" in source.warnings[0]


def test_pictures_of_two_sizes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "two.seq"
    path.write_bytes(thermal_block(scene_degc()) + thermal_block(scene_degc()[:12]))
    with pytest.raises(InputError, match=r"two\.seq holds pictures of different sizes \(32x12 and 32x24\)"):
        open_thermal(path, Told())


def test_no_cut_of_a_sequence_ends_in_anything_but_a_refusal_or_fewer_pictures(tmp_path: Path) -> None:
    whole = thermal_block(scene_degc(), raw="plain") * 2
    path = tmp_path / "cut.seq"
    for end in range(4, len(whole), 61):
        path.write_bytes(whole[:end])
        try:
            assert open_thermal(path, Told()).pictures == 1
        except InputError:
            assert end < len(whole) // 2


def test_radiometric_jpegs_in_a_folder_come_in_natural_order_with_their_times(tmp_path: Path) -> None:
    for k in (10, 2, 1):
        block = thermal_block(scene_degc() - k, unix_s=NOON + k)
        (tmp_path / f"IR_{k}.jpg").write_bytes(jpeg(block))
    source = open_thermal(tmp_path, Told())
    assert source.t_s is not None
    np.testing.assert_allclose(source.t_s, [0.0, 1.0, 9.0], atol=1e-6)
    np.testing.assert_allclose(corrected(source), [scene_degc() - k for k in (1, 2, 10)], atol=0.012)


def test_clocks_that_run_backwards_give_no_times(tmp_path: Path) -> None:
    for k in range(3):
        (tmp_path / f"IR_{k}.jpg").write_bytes(jpeg(thermal_block(scene_degc(), unix_s=NOON - k)))
    assert open_thermal(tmp_path, Told()).t_s is None


def test_a_plain_photo_in_the_folder_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "IR_1.jpg").write_bytes(jpeg(thermal_block(scene_degc())))
    cv2.imwrite(str(tmp_path / "IR_2.jpg"), np.full((24, 32, 3), 90, np.uint8))
    with pytest.raises(InputError, match=r"IR_2\.jpg holds no radiometric data; give the original"):
        open_thermal(tmp_path, Told())


def test_the_jpeg_reader_and_the_source_agree(tmp_path: Path) -> None:
    path = tmp_path / "one.jpg"
    path.write_bytes(jpeg(thermal_block(scene_degc())))
    (picture,) = corrected(open_thermal(path, Told()))
    np.testing.assert_allclose(picture, read_flir_jpeg(path).degc, atol=1e-9)
