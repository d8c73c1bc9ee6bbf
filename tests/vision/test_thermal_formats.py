"""Thermal files of every kind: read right, told apart by content, refused with the reason."""

from __future__ import annotations

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.video.stream import VideoStream

from models.problems import InputError
from models.radiation import object_degc
from tests.vision.flir_files import jpeg, scene_degc, thermal_block
from vision.radiometric import read_flir_jpeg
from vision.thermal_formats import open_thermal
from vision.thermal_source import ThermalSource, Told, natural_order

NOON = 1_764_000_000.25
"""A time of day as a camera stores it."""


def stated(source: ThermalSource) -> list[np.ndarray]:
    """Temperatures as the file states them."""
    return [reading.scale.degc(reading.values) for reading in source.read() if reading is not None]


def corrected(source: ThermalSource) -> list[np.ndarray]:
    """Temperatures of a FLIR file, corrected as the camera was set."""
    assert source.stored is not None
    return [
        object_degc(reading.scale.curve.signal(reading.scale.degc(reading.values)),
                    curve=reading.scale.curve, around=source.stored)
        for reading in source.read()
        if reading is not None
    ]  # fmt: skip


def centikelvin(degc: np.ndarray) -> np.ndarray:
    return np.rint((degc + 273.15) * 100.0).astype(np.uint16)


class TestFlir:
    def test_a_sequence_gives_each_picture_and_its_time(self, tmp_path: Path) -> None:
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
        self, shared_data: Path, tmp_path: Path
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

    def test_a_cut_off_end_costs_the_last_picture_only(self, tmp_path: Path) -> None:
        path = tmp_path / "cut.seq"
        block = thermal_block(scene_degc())
        path.write_bytes(block * 3 + block[: len(block) // 2])
        source = open_thermal(path, Told())
        assert source.pictures == 3
        assert "its last picture is not whole" in source.warnings[0]

    def test_a_block_that_lies_about_its_length_costs_itself_only(self, tmp_path: Path) -> None:
        block = thermal_block(scene_degc())
        lying = bytearray(block)
        struct.pack_into(">I", lying, 64 + 16, 2**31)  # length of the raw record
        path = tmp_path / "lying.seq"
        path.write_bytes(block + bytes(lying) + block)
        source = open_thermal(path, Told())
        assert source.pictures == 2
        assert "1 of 3 pictures are damaged" in source.warnings[0]

    def test_pictures_of_two_sizes_are_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "two.seq"
        path.write_bytes(thermal_block(scene_degc()) + thermal_block(scene_degc()[:12]))
        with pytest.raises(
            InputError, match=r"two\.seq holds pictures of different sizes \(32x12 and 32x24\)"
        ):
            open_thermal(path, Told())

    def test_no_cut_of_a_sequence_ends_in_anything_but_a_refusal_or_fewer_pictures(
        self, tmp_path: Path
    ) -> None:
        whole = thermal_block(scene_degc(), raw="plain") * 2
        path = tmp_path / "cut.seq"
        for end in range(4, len(whole), 61):
            path.write_bytes(whole[:end])
            try:
                assert open_thermal(path, Told()).pictures == 1
            except InputError:
                assert end < len(whole) // 2

    def test_radiometric_jpegs_in_a_folder_come_in_natural_order_with_their_times(
        self, tmp_path: Path
    ) -> None:
        for k in (10, 2, 1):
            block = thermal_block(scene_degc() - k, unix_s=NOON + k)
            (tmp_path / f"IR_{k}.jpg").write_bytes(jpeg(block))
        source = open_thermal(tmp_path, Told())
        assert source.t_s is not None
        np.testing.assert_allclose(source.t_s, [0.0, 1.0, 9.0], atol=1e-6)
        np.testing.assert_allclose(corrected(source), [scene_degc() - k for k in (1, 2, 10)], atol=0.012)

    def test_clocks_that_run_backwards_give_no_times(self, tmp_path: Path) -> None:
        for k in range(3):
            (tmp_path / f"IR_{k}.jpg").write_bytes(jpeg(thermal_block(scene_degc(), unix_s=NOON - k)))
        assert open_thermal(tmp_path, Told()).t_s is None

    def test_a_plain_photo_in_the_folder_is_refused_by_its_name(self, tmp_path: Path) -> None:
        (tmp_path / "IR_1.jpg").write_bytes(jpeg(thermal_block(scene_degc())))
        cv2.imwrite(str(tmp_path / "IR_2.jpg"), np.full((24, 32, 3), 90, np.uint8))
        with pytest.raises(InputError, match=r"IR_2\.jpg holds no radiometric data; give the original"):
            open_thermal(tmp_path, Told())

    def test_the_jpeg_reader_and_the_source_agree(self, tmp_path: Path) -> None:
        path = tmp_path / "one.jpg"
        path.write_bytes(jpeg(thermal_block(scene_degc())))
        (picture,) = corrected(open_thermal(path, Told()))
        np.testing.assert_allclose(picture, read_flir_jpeg(path).degc, atol=1e-9)


class TestInfiRay:
    def test_the_real_example_reads_as_its_reference_says(self, shared_data: Path) -> None:
        source = open_thermal(shared_data / "real" / "infiray" / "example.irg", Told())
        assert (source.width_px, source.height_px) == (256, 192)
        (picture,) = stated(source)
        assert picture.min() == pytest.approx(25.85, abs=1e-6)
        assert picture.max() == pytest.approx(49.225, abs=1e-6)
        assert "emissivity of 0.95" in source.warnings[0]

    def test_no_cut_and_no_lying_size_ends_in_anything_but_a_refusal(self, tmp_path: Path) -> None:
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


class TestRaw:
    def test_raw_frames_of_a_tc001_give_their_lower_half(self, tmp_path: Path) -> None:
        degc = np.tile(np.linspace(2.0, 34.0, 256), (192, 1))
        path = tmp_path / "tc001.raw"
        path.write_bytes(double_frame(degc).tobytes() * 2)
        source = open_thermal(path, Told())
        assert (source.kind, source.pictures) == ("raw frames of a TC001 or P2", 2)
        assert (source.width_px, source.height_px) == (256, 192)
        np.testing.assert_allclose(stated(source)[1], degc, atol=0.5 / 64 + 1e-6)

    def test_the_coldest_pixel_is_not_picked_by_its_high_byte(self, tmp_path: Path) -> None:
        """A peer takes the pixel of the lowest high byte and reads up to 3.9 degC too warm."""
        degc = np.full((192, 256), 10.0)
        degc[50, 60] = 1.2
        degc[100, 100] = 3.9
        np.save(tmp_path / "t.npy", double_frame(degc))
        assert stated(open_thermal(tmp_path / "t.npy", Told()))[0].min() == pytest.approx(1.2, abs=0.01)

    def test_frames_as_opencv_hands_them_out_are_the_same(self, tmp_path: Path) -> None:
        degc = np.tile(np.linspace(2.0, 34.0, 256), (192, 1))
        pairs = double_frame(degc).view(np.uint8).reshape(1, 384, 256, 2)
        np.save(tmp_path / "pairs.npy", pairs)
        np.testing.assert_allclose(stated(open_thermal(tmp_path / "pairs.npy", Told()))[0], degc, atol=0.008)

    @pytest.mark.parametrize(("unit", "step_k"), [("centikelvin", 0.01), ("decikelvin", 0.1)])
    def test_lepton_counts_follow_the_gain_mode(self, tmp_path: Path, unit: str, step_k: float) -> None:
        degc = np.tile(np.linspace(-5.0, 35.0, 160), (120, 1))
        path = tmp_path / "lepton.y16"
        path.write_bytes(np.rint((degc + 273.15) / step_k).astype("<u2").tobytes())
        np.testing.assert_allclose(stated(open_thermal(path, Told(unit)))[0], degc, atol=step_k / 2 + 1e-6)

    def test_the_byte_order_is_found(self, tmp_path: Path) -> None:
        degc = np.tile(np.linspace(-5.0, 35.0, 160), (120, 1))
        path = tmp_path / "lepton.y16"
        path.write_bytes(centikelvin(degc).astype(">u2").tobytes())
        source = open_thermal(path, Told("centikelvin"))
        np.testing.assert_allclose(stated(source)[0], degc, atol=0.006)
        assert "high byte first" in source.warnings[0]

    def test_counts_without_a_unit_are_refused_even_where_one_would_fit(self, tmp_path: Path) -> None:
        path = tmp_path / "boson.y16"
        path.write_bytes(np.full((256, 320), 29_515, "<u2").tobytes())
        with pytest.raises(
            InputError, match=r"boson\.y16 holds 16-bit numbers .* of no stated unit .*centikelvin"
        ):
            open_thermal(path, Told())

    def test_a_length_that_fits_no_size_asks_for_it(self, tmp_path: Path) -> None:
        path = tmp_path / "odd.raw"
        path.write_bytes(bytes(1000))
        with pytest.raises(InputError, match=r"fits no size that is known; give .*--size-px"):
            open_thermal(path, Told("centikelvin"))
        with pytest.raises(InputError, match=r"no whole number of 30x30"):
            open_thermal(path, Told("centikelvin", (30, 30)))


class TestLepton:
    def test_telemetry_says_unit_times_shutter_and_correction(self, tmp_path: Path) -> None:
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
        self, tmp_path: Path, change: dict[str, bool], reason: str
    ) -> None:
        np.save(tmp_path / "t.npy", lepton(np.full((120, 160), 20.0), **change))
        with pytest.raises(InputError, match=rf"t\.npy: by their telemetry .*{reason}"):
            open_thermal(tmp_path / "t.npy", Told())

    def test_rows_that_make_no_sense_are_refused(self, tmp_path: Path) -> None:
        np.save(tmp_path / "t.npy", np.full((122, 160), 29_315, np.uint16))
        with pytest.raises(InputError, match=r"t\.npy has the size of Lepton pictures with telemetry"):
            open_thermal(tmp_path / "t.npy", Told())


class TestPictures:
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
        self, tmp_path: Path, unit: str | None, made: Callable[[np.ndarray], np.ndarray]
    ) -> None:
        cv2.imwrite(str(tmp_path / "t.tiff"), made(scene_degc()))
        (picture,) = stated(open_thermal(tmp_path / "t.tiff", Told(unit)))
        tolerance = 0.051 if unit == "decikelvin" else 0.021
        np.testing.assert_allclose(picture, scene_degc(), atol=tolerance)

    def test_a_tiff_of_many_pages_is_a_recording(self, tmp_path: Path) -> None:
        pages = [centikelvin(scene_degc() - k) for k in range(3)]
        cv2.imwritemulti(str(tmp_path / "t.tif"), pages)
        source = open_thermal(tmp_path / "t.tif", Told("centikelvin"))
        assert source.pictures == 3
        np.testing.assert_allclose(stated(source), [scene_degc() - k for k in range(3)], atol=0.006)

    @pytest.mark.parametrize("order", ["<", ">"])
    def test_tiff_of_either_byte_order(self, tmp_path: Path, order: str) -> None:
        (tmp_path / "t.tif").write_bytes(tiff(centikelvin(scene_degc()), order=order))
        (picture,) = stated(open_thermal(tmp_path / "t.tif", Told("centikelvin")))
        np.testing.assert_allclose(picture, scene_degc(), atol=0.006)

    def test_the_real_cold_hand_is_read_with_its_scale_and_clipped_skin_is_unknown(
        self, shared_data: Path
    ) -> None:
        """T = 18.4 + v 16/256 degC, clipped at value 5, 18.71 degC: the authors' first value is no more."""
        folder = shared_data / "real" / "cold_hand"
        (first,) = stated(open_thermal(folder / "left_1.Tif", Told(degc_at_0=18.4, degc_per_step=0.0625)))
        assert np.isnan(first).mean() > 0.1
        assert np.nanmin(first) == pytest.approx(18.4 + 6 * 0.0625)
        with pytest.raises(InputError, match=r"left_1\.Tif is a palette picture"):
            open_thermal(folder / "left_1.Tif", Told())

    def test_both_ends_of_an_8_bit_scale_are_no_reading(self, tmp_path: Path) -> None:
        cv2.imwrite(str(tmp_path / "t.tif"), np.array([[0, 1, 254, 255]] * 4, np.uint8))
        (read,) = stated(open_thermal(tmp_path / "t.tif", Told(degc_at_0=10.0, degc_per_step=0.1)))
        assert np.isnan(read[0]).tolist() == [True, False, False, True]

    @pytest.mark.parametrize("suffix", [".tif", ".png"])
    def test_a_colour_picture_is_refused_whatever_is_said_of_it(self, tmp_path: Path, suffix: str) -> None:
        path = tmp_path / f"palette{suffix}"
        cv2.imwrite(str(path), np.dstack([np.full((8, 8), v, np.uint8) for v in (10, 90, 200)]))
        with pytest.raises(InputError, match=r"palette\.(tif|png) is a colour picture"):
            open_thermal(path, Told(degc_at_0=10.0, degc_per_step=0.1))

    def test_no_cut_of_a_tiff_ends_in_a_traceback(self, tmp_path: Path) -> None:
        whole = tiff(centikelvin(scene_degc()), order="<")
        path = tmp_path / "cut.tif"
        for end in range(4, len(whole), 53):
            path.write_bytes(whole[:end])
            with pytest.raises(InputError, match=r"cut\.tif"):
                list(open_thermal(path, Told("centikelvin")).read())


class TestArrays:
    def test_an_archive_states_unit_times_and_shutter_itself(self, tmp_path: Path) -> None:
        t_s, flag = np.array([0.0, 0.1, 0.2]), np.array([0, 1, 0], np.uint8)
        stack = centikelvin(np.stack([scene_degc()] * 3))
        np.savez(tmp_path / "t.npz", t_s=t_s, flag=flag, centikelvin=stack)
        source = open_thermal(tmp_path / "t.npz", Told())
        assert source.t_s is not None
        assert source.flag is not None
        assert (source.t_s.tolist(), source.flag.tolist()) == ([0.0, 0.1, 0.2], [False, True, False])
        np.testing.assert_allclose(stated(source)[2], scene_degc(), atol=0.006)

    def test_big_endian_arrays_are_read(self, tmp_path: Path) -> None:
        np.save(tmp_path / "t.npy", centikelvin(scene_degc()).astype(">u2"))
        np.testing.assert_allclose(
            stated(open_thermal(tmp_path / "t.npy", Told("centikelvin")))[0], scene_degc(), atol=0.006
        )

    def test_floats_in_fahrenheit_are_refused(self, tmp_path: Path) -> None:
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
    def test_arrays_that_are_no_thermal_pictures_are_refused(self, tmp_path: Path, stack: np.ndarray) -> None:
        np.save(tmp_path / "t.npy", stack, allow_pickle=True)
        with pytest.raises(InputError, match=r"t\.npy"):
            open_thermal(tmp_path / "t.npy", Told("centikelvin"))

    def test_a_header_that_promises_more_than_there_is_is_refused(self, tmp_path: Path) -> None:
        np.save(tmp_path / "t.npy", centikelvin(scene_degc()))
        path = tmp_path / "t.npy"
        path.write_bytes(path.read_bytes().replace(b"(24, 32)", b"(94, 32)"))
        with pytest.raises(InputError, match=r"t\.npy cannot be read"):
            open_thermal(path, Told("centikelvin"))


class TestVideo:
    def test_ffv1_keeps_every_count_and_its_times(self, tmp_path: Path) -> None:
        pictures = [centikelvin(scene_degc() - k) for k in range(3)]
        write_video(tmp_path / "t.mkv", pictures, codec="ffv1", pixels="gray16le", times_ms=[0, 110, 250])
        source = open_thermal(tmp_path / "t.mkv", Told("centikelvin"))
        assert source.t_s is not None
        np.testing.assert_allclose(source.t_s, [0.0, 0.11, 0.25], atol=1e-9)
        np.testing.assert_allclose(stated(source), [scene_degc() - k for k in range(3)], atol=0.006)

    def test_raw_frames_of_a_tc001_in_a_video_keep_their_bytes(self, tmp_path: Path) -> None:
        degc = np.tile(np.linspace(2.0, 34.0, 256), (192, 1))
        frame = double_frame(degc).view(np.uint8).reshape(384, 256, 2)
        write_video(tmp_path / "t.mkv", [frame], codec="rawvideo", pixels="yuyv422", times_ms=[0])
        np.testing.assert_allclose(stated(open_thermal(tmp_path / "t.mkv", Told()))[0], degc, atol=0.008)

    def test_a_display_video_is_refused_by_its_name(self, calf: Path) -> None:
        with pytest.raises(InputError, match=r"rgb\.mp4 has pixels of the kind yuv420p: a display picture"):
            open_thermal(calf / "rgb.mp4", Told("centikelvin"))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"BM" + bytes(60), "is of a kind that is not read"),
        (b"GIF89a" + bytes(60), "is of a kind that is not read"),
        (b"hello, this is a letter", "is of no known kind"),
        (b"\xff\xd8\xff\xe0" + bytes(60), "holds no radiometric data"),
        (b"FFF\0" + bytes(100), "holds no whole FLIR picture"),
        (b"\xca\xac" + bytes(200), "is of a kind of .irg that is not known"),
        (b"II*\0" + b"\xff" * 60, "ends too early"),
        (b"PK\3\4" + bytes(60), "cannot be read"),
        (b"\x93NUMPY" + bytes(60), "cannot be read"),
        (b"\x1aE\xdf\xa3" + bytes(60), "cannot be read as a video"),
    ],
)
def test_what_is_no_thermal_file_is_refused_with_the_reason(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "some.file"
    path.write_bytes(data)
    with pytest.raises(InputError, match=f"some.file.*{reason}"):
        open_thermal(path, Told())


def test_an_empty_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no pictures"):
        open_thermal(tmp_path, Told())
    with pytest.raises(InputError, match=r"gone\.seq cannot be read"):
        open_thermal(tmp_path / "gone.seq", Told())


def test_picture_2_comes_before_picture_10() -> None:
    names = ["left_10.Tif", "left_2.Tif", "Left_1.Tif", "left_2b.Tif"]
    ordered = sorted((Path(name) for name in names), key=natural_order)
    assert [path.name for path in ordered] == ["Left_1.Tif", "left_2.Tif", "left_2b.Tif", "left_10.Tif"]


def whole_block(data: bytes) -> bytes:
    """The thermal block of a radiometric JPEG, its pieces joined: an independent walk over the segments."""
    at, pieces = 2, b""
    while data[at] == 0xFF and data[at + 1] != 0xDA:
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at + 4 : at + 9] == b"FLIR\0":
            pieces += data[at + 12 : at + 2 + length]
        at += 2 + length
    return pieces


def double_frame(degc: np.ndarray) -> np.ndarray:
    """A raw frame of a TC001: a grey picture above, temperatures in 1/64 K below."""
    above = np.full((192, 256), 0x8064, np.uint16)
    return np.concatenate([above, np.rint((degc + 273.15) * 64.0).astype(np.uint16)])


def lepton(
    degc: np.ndarray,
    *,
    up_ms: int = 70_000,
    shutter: bool = False,
    high: bool = True,
    agc: bool = False,
    tlinear: bool = True,
    clear: bool = True,
) -> np.ndarray:
    """A picture of a Lepton 3 with telemetry, set to emissivity 0.95 and a background of 22 degC."""
    words = np.zeros(320, np.uint16)
    status = (0x20 if shutter else 0) | (0x1000 if agc else 0)
    words[1:5] = up_ms & 0xFFFF, up_ms >> 16, status & 0xFFFF, status >> 16
    words[99:104] = round(0.95 * 8192), 29_515, 8192 if clear else 8000, 29_515, 8192
    words[208:210] = tlinear, high
    counts = np.rint((degc + 273.15) * (100.0 if high else 10.0)).astype(np.uint16)
    return np.concatenate([counts, words.reshape(2, 160)])


def irg(degc: np.ndarray) -> bytes:
    """A picture as an InfiRay camera writes it."""
    height, width = degc.shape
    pixels = height * width
    header = struct.pack("<2sHIHHB", b"\xca\xac", 128, pixels, width, height, 0)
    header += struct.pack("<IHHBIHHII", 2 * pixels, width, height, 1, 0, 0, 0, 9500, 2_951_500)
    header = header.ljust(126, b"\0") + b"\xac\xca"
    return header + bytes(pixels) + np.rint((degc + 273.15) * 16.0).astype("<u2").tobytes()


def tiff(values: np.ndarray, *, order: str) -> bytes:
    """An uncompressed 16-bit grey TIFF of either byte order."""
    height, width = values.shape
    entries = [
        (256, 3, width), (257, 3, height), (258, 3, 16), (259, 3, 1), (262, 3, 1), (273, 4, 122),
        (277, 3, 1), (278, 3, height), (279, 4, 2 * values.size),
    ]  # fmt: skip
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8)
    body = struct.pack(order + "H", len(entries))
    for tag, kind, value in entries:
        held = struct.pack(order + ("I" if kind == 4 else "HH"), *([value] if kind == 4 else [value, 0]))
        body += struct.pack(order + "HHI", tag, kind, 1) + held
    return head + body + struct.pack(order + "I", 0) + values.astype(order + "u2").tobytes()


def write_video(
    path: Path, pictures: list[np.ndarray], *, codec: str, pixels: str, times_ms: list[int]
) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=1000)
        assert isinstance(stream, VideoStream)
        stream.pix_fmt = pixels
        stream.height, stream.width = pictures[0].shape[:2]
        stream.codec_context.time_base = Fraction(1, 1000)
        for picture, ms in zip(pictures, times_ms, strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format=pixels)
            frame.pts, frame.time_base = ms, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
