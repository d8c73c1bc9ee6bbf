"""FLIR files made here, as such a camera writes them."""

import struct

import cv2
import numpy as np

from models.radiation import Air, Planck

PLANCK = Planck(r1=14_000.0, r2=0.015, b=1_400.0, f=1.0, o=-6_000.0)
AIR = Air(degc=20.0, humidity=0.5)


def scene_degc() -> np.ndarray:
    """Skin with a cold spot."""
    y, x = np.mgrid[0:24, 0:32]
    return 33.0 - 30.0 * np.exp(-((x - 12.0) ** 2 + (y - 9.0) ** 2) / 40.0)


def thermal_block(
    degc: np.ndarray,
    *,
    raw: str = "png_low_first",
    order: str = "<",
    window: float = 1.0,
    unix_s: float = 0.0,
    emissivity: float = 0.98,
) -> bytes:
    """A block of a picture at 1 m with 22 degC reflected."""
    tau = AIR.transmission(1.0)
    seen = np.array([[PLANCK.signal(t) for t in row] for row in degc])
    seen = (
        emissivity * tau * seen
        + (1.0 - emissivity) * tau * PLANCK.signal(22.0)
        + (1.0 - tau) * PLANCK.signal(AIR.degc)
    )
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
        0x20: emissivity, 0x24: 1.0, 0x28: 295.15, 0x2C: AIR.degc + 273.15, 0x34: window, 0x3C: AIR.humidity,
        0x58: PLANCK.r1, 0x5C: PLANCK.b, 0x60: PLANCK.f, 0x30C: PLANCK.r2,
        0x70: AIR.alpha1, 0x74: AIR.alpha2, 0x78: AIR.beta1, 0x7C: AIR.beta2, 0x80: AIR.x,
    }  # fmt: skip
    for offset, value in floats.items():
        struct.pack_into(order + "f", camera, offset, value)
    struct.pack_into(order + "i", camera, 0x308, int(PLANCK.o))
    struct.pack_into(order + "II", camera, 0x384, int(unix_s), round(unix_s % 1 * 1000))
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
