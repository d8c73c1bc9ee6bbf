"""TIFF and PNG, NumPy arrays, lossless video."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.problems import InputError
from tests.vision.flir_files import scene_degc
from tests.vision.thermal_files import (
    centikelvin,
    double_frame,
    palette_tiff,
    stated,
    tiff,
    write_video,
)
from vision.thermal_formats import open_thermal
from vision.thermal_source import Told


@pytest.mark.parametrize(
    ("unit", "made"),
    [
        ("centikelvin", lambda t: np.rint((t + 273.15) * 100).astype(np.uint16)),
        ("decikelvin", lambda t: np.rint((t + 273.15) * 10).astype(np.uint16)),
        ("kelvin/25", lambda t: np.rint((t + 273.15) * 25).astype(np.uint16)),
        (None, lambda t: t.astype(np.float32)),
        (None, lambda t: (t + 273.15).astype(np.float32)),
    ],
)
def test_tiff_in_every_unit(
    tmp_path: Path, unit: str | None, made: Callable[[np.ndarray], np.ndarray]
) -> None:
    cv2.imwrite(str(tmp_path / "t.tiff"), made(scene_degc()))
    (picture,) = stated(open_thermal(tmp_path / "t.tiff", Told(unit)))
    tolerance = 0.051 if unit == "decikelvin" else 0.021
    np.testing.assert_allclose(picture, scene_degc(), atol=tolerance)


def test_a_tiff_of_many_pages_is_a_recording(tmp_path: Path) -> None:
    pages = [centikelvin(scene_degc() - k) for k in range(3)]
    cv2.imwritemulti(str(tmp_path / "t.tif"), pages)
    source = open_thermal(tmp_path / "t.tif", Told("centikelvin"))
    assert source.pictures == 3
    np.testing.assert_allclose(stated(source), [scene_degc() - k for k in range(3)], atol=0.006)


@pytest.mark.parametrize("order", ["<", ">"])
def test_tiff_of_either_byte_order(tmp_path: Path, order: str) -> None:
    (tmp_path / "t.tif").write_bytes(tiff(centikelvin(scene_degc()), order=order))
    (picture,) = stated(open_thermal(tmp_path / "t.tif", Told("centikelvin")))
    np.testing.assert_allclose(picture, scene_degc(), atol=0.006)


def test_the_real_cold_hand_is_read_with_its_scale_and_clipped_skin_is_unknown(shared_data: Path) -> None:
    """T = 18.4 + v 16/256 degC, clipped at value 5, 18.71 degC: the authors' first value is no more."""
    folder = shared_data / "real" / "cold_hand"
    (first,) = stated(open_thermal(folder / "left_1.Tif", Told(degc_at_0=18.4, degc_per_step=0.0625)))
    assert np.isnan(first).mean() > 0.1
    assert np.nanmin(first) == pytest.approx(18.4 + 6 * 0.0625)
    with pytest.raises(InputError, match=r"left_1\.Tif is a palette picture"):
        open_thermal(folder / "left_1.Tif", Told())


def test_a_grey_palette_only_sets_the_contrast_and_a_coloured_one_is_refused(tmp_path: Path) -> None:
    """The scale is of the numbers in the file, not of the shades that the palette makes of them."""
    numbers = np.tile(np.arange(20, 52), (24, 1))
    shades = np.clip((np.arange(256) - 20) * 2000, 0, 65_535)
    path = tmp_path / "t.tif"
    path.write_bytes(palette_tiff(numbers, colours=np.stack([shades] * 3)))
    told = Told(degc_at_0=10.0, degc_per_step=0.1)
    np.testing.assert_allclose(stated(open_thermal(path, told))[0], 10.0 + 0.1 * numbers)
    path.write_bytes(palette_tiff(numbers, colours=np.stack([shades, shades[::-1], shades])))
    with pytest.raises(InputError, match=r"t\.tif is a palette picture"):
        open_thermal(path, told)


def test_both_ends_of_an_8_bit_scale_are_no_reading(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "t.tif"), np.array([[0, 1, 254, 255]] * 4, np.uint8))
    (read,) = stated(open_thermal(tmp_path / "t.tif", Told(degc_at_0=10.0, degc_per_step=0.1)))
    assert np.isnan(read[0]).tolist() == [True, False, False, True]


@pytest.mark.parametrize("suffix", [".tif", ".png"])
def test_a_colour_picture_is_refused_whatever_is_said_of_it(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"palette{suffix}"
    cv2.imwrite(str(path), np.dstack([np.full((8, 8), v, np.uint8) for v in (10, 90, 200)]))
    with pytest.raises(InputError, match=r"palette\.(tif|png) is a colour picture"):
        open_thermal(path, Told(degc_at_0=10.0, degc_per_step=0.1))


def test_no_cut_of_a_tiff_ends_in_a_traceback(tmp_path: Path) -> None:
    whole = tiff(centikelvin(scene_degc()), order="<")
    path = tmp_path / "cut.tif"
    for end in range(4, len(whole), 53):
        path.write_bytes(whole[:end])
        with pytest.raises(InputError, match=r"cut\.tif"):
            list(open_thermal(path, Told("centikelvin")).read())


def test_an_archive_states_unit_times_and_shutter_itself(tmp_path: Path) -> None:
    t_s, flag = np.array([0.0, 0.1, 0.2]), np.array([0, 1, 0], np.uint8)
    stack = centikelvin(np.stack([scene_degc()] * 3))
    np.savez(tmp_path / "t.npz", t_s=t_s, flag=flag, centikelvin=stack)
    source = open_thermal(tmp_path / "t.npz", Told())
    assert source.t_s is not None
    assert source.flag is not None
    assert (source.t_s.tolist(), source.flag.tolist()) == ([0.0, 0.1, 0.2], [False, True, False])
    np.testing.assert_allclose(stated(source)[2], scene_degc(), atol=0.006)


def test_big_endian_arrays_are_read(tmp_path: Path) -> None:
    np.save(tmp_path / "t.npy", centikelvin(scene_degc()).astype(">u2"))
    np.testing.assert_allclose(
        stated(open_thermal(tmp_path / "t.npy", Told("centikelvin")))[0], scene_degc(), atol=0.006
    )


def test_floats_in_fahrenheit_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "t.npy", (np.full((4, 5), 31.0) * 1.8 + 32.0).astype(np.float32))
    with pytest.raises(InputError, match=r"t\.npy holds floating-point numbers about 87.8"):
        open_thermal(tmp_path / "t.npy", Told())


@pytest.mark.parametrize(
    "stack",
    [
        np.zeros((3, 4, 5, 3), np.uint8),
        np.zeros(7, np.uint16),
        np.zeros((0, 4, 5), np.uint16),
        np.full((2, 4, 5), 30_000, np.int32),
        np.array([{"a": 1}], dtype=object),
    ],
)
def test_arrays_that_are_no_thermal_pictures_are_refused(tmp_path: Path, stack: np.ndarray) -> None:
    np.save(tmp_path / "t.npy", stack, allow_pickle=True)
    with pytest.raises(InputError, match=r"t\.npy"):
        open_thermal(tmp_path / "t.npy", Told("centikelvin"))


def test_a_header_that_promises_more_than_there_is_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "t.npy", centikelvin(scene_degc()))
    path = tmp_path / "t.npy"
    path.write_bytes(path.read_bytes().replace(b"(24, 32)", b"(94, 32)"))
    with pytest.raises(InputError, match=r"t\.npy cannot be read"):
        open_thermal(path, Told("centikelvin"))


def test_ffv1_keeps_every_count_and_its_times(tmp_path: Path) -> None:
    pictures = [centikelvin(scene_degc() - k) for k in range(3)]
    write_video(tmp_path / "t.mkv", pictures, codec="ffv1", pixels="gray16le", times_ms=[0, 110, 250])
    source = open_thermal(tmp_path / "t.mkv", Told("centikelvin"))
    assert source.t_s is not None
    np.testing.assert_allclose(source.t_s, [0.0, 0.11, 0.25], atol=1e-9)
    np.testing.assert_allclose(stated(source), [scene_degc() - k for k in range(3)], atol=0.006)


def test_raw_frames_of_a_tc001_in_a_video_keep_their_bytes(tmp_path: Path) -> None:
    degc = np.tile(np.linspace(2.0, 34.0, 256), (192, 1))
    frame = double_frame(degc).view(np.uint8).reshape(384, 256, 2)
    write_video(tmp_path / "t.mkv", [frame], codec="rawvideo", pixels="yuyv422", times_ms=[0])
    np.testing.assert_allclose(stated(open_thermal(tmp_path / "t.mkv", Told()))[0], degc, atol=0.008)


def test_a_display_video_is_refused_by_its_name(calf: Path) -> None:
    with pytest.raises(InputError, match=r"rgb\.mp4 has pixels of the kind yuv420p: a display picture"):
        open_thermal(calf / "rgb.mp4", Told("centikelvin"))
