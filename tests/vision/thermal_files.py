"""Thermal files made here, and what a source says of them."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream

from models.radiation import object_degc
from vision.thermal_source import ThermalSource

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


def palette_tiff(indices: np.ndarray, *, colours: np.ndarray) -> bytes:
    """An uncompressed 8-bit TIFF with a palette of shape (3, 256), red, green and blue."""
    height, width = indices.shape
    at = 8 + 2 + 12 * 10 + 4
    entries = [
        (256, 3, 1, width), (257, 3, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 3),
        (273, 4, 1, at + 1536), (277, 3, 1, 1), (278, 3, 1, height), (279, 4, 1, indices.size),
        (320, 3, 768, at),
    ]  # fmt: skip
    body = b"II" + struct.pack("<HIH", 42, 8, len(entries))
    body += b"".join(struct.pack("<HHII", *entry) for entry in entries) + struct.pack("<I", 0)
    return body + colours.astype("<u2").tobytes() + indices.astype(np.uint8).tobytes()


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
