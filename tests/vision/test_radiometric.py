"""Radiometric JPEGs: against the maker's own tool, and against files made here."""

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.problems import InputError
from models.radiation import Air, Planck
from vision.radiometric import read_flir_jpeg

REAL = Path(__file__).parents[3] / "shared" / "data" / "real" / "flir_rjpeg"
NAMES = ("200_deg_neutral", "BillHotFlashThermography", "IR_Fussbodenheizung", "Videocamera_Termica")

PLANCK = Planck(r1=14_000.0, r2=0.015, b=1_400.0, f=1.0, o=-6_000.0)
AIR = Air(degc=20.0, humidity=0.5, alpha1=0.006569, alpha2=0.01262, beta1=-0.002276, beta2=-0.00667, x=1.9)


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


def scene_degc() -> np.ndarray:
    """Skin with a cold spot."""
    y, x = np.mgrid[0:24, 0:32]
    return 33.0 - 30.0 * np.exp(-((x - 12.0) ** 2 + (y - 9.0) ** 2) / 40.0)


def thermal_block(
    degc: np.ndarray, *, raw: str = "png_low_first", order: str = "<", window: float = 1.0
) -> bytes:
    """A block as such a camera writes it; emissivity 0.98 at 1 m, 22 degC reflected."""
    tau = AIR.transmission(1.0)
    seen = np.array([[PLANCK.signal(t) for t in row] for row in degc])
    seen = 0.98 * tau * seen + 0.02 * tau * PLANCK.signal(22.0) + (1.0 - tau) * PLANCK.signal(AIR.degc)
    counts = np.rint(seen).astype(np.uint16)
    if raw == "plain":
        pixels = counts.astype(order + "u2").tobytes()
    else:
        encoded = cv2.imencode(".png", counts if raw == "png_high_first" else counts.byteswap())[1]
        pixels = encoded.tobytes()
    height, width = degc.shape
    raw_record = struct.pack(order + "HHH", 2, width, height).ljust(32, b"\0") + pixels
    camera = bytearray(0x400)
    struct.pack_into(order + "H", camera, 0, 2)
    floats = {
        0x20: 0.98, 0x24: 1.0, 0x28: 295.15, 0x2C: AIR.degc + 273.15, 0x34: window, 0x3C: AIR.humidity,
        0x58: PLANCK.r1, 0x5C: PLANCK.b, 0x60: PLANCK.f, 0x30C: PLANCK.r2,
        0x70: AIR.alpha1, 0x74: AIR.alpha2, 0x78: AIR.beta1, 0x7C: AIR.beta2, 0x80: AIR.x,
    }  # fmt: skip
    for offset, value in floats.items():
        struct.pack_into(order + "f", camera, offset, value)
    struct.pack_into(order + "i", camera, 0x308, int(PLANCK.o))
    start = 64 + 2 * 32
    header = struct.pack(">4s16sIII", b"FFF\0", b"made here", 101, 64, 2).ljust(64, b"\0")
    entries = b""
    for kind, offset, length in ((1, start, len(raw_record)), (0x20, start + len(raw_record), len(camera))):
        entries += struct.pack(">HHIIII", kind, 2, 100, 1, offset, length).ljust(32, b"\0")
    return header + entries + raw_record + bytes(camera)


def jpeg(block: bytes, *, pieces: int = 1, shuffled: bool = False, leave_out: int | None = None) -> bytes:
    """A JPEG frame around the block, cut into pieces."""
    size = -(-len(block) // pieces)
    segments = [
        b"FLIR\0\1" + bytes([i, pieces - 1]) + block[i * size : (i + 1) * size]
        for i in range(pieces)
        if i != leave_out
    ]
    if shuffled:
        segments.reverse()
    body = b"".join(b"\xff\xe1" + struct.pack(">H", len(s) + 2) + s for s in segments)
    return b"\xff\xd8" + body + b"\xff\xd9"
