"""Pictures in Foxglove's messages: lossless counts, and bytes that protobuf's own library would read."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from vision.picture_messages import (
    compressed_image,
    compressed_image_schema,
    raw_image,
    raw_image_schema,
    read_compressed_image,
    read_raw_form,
    read_raw_image,
)

T_NS = 1_764_324_000_123_456_789


@pytest.mark.parametrize("shape", [(1, 1), (192, 256), (120, 161)])
def test_counts_come_back_without_loss(shape: tuple[int, int]) -> None:
    counts = np.random.default_rng(1).integers(0, 65536, shape).astype(np.uint16)
    message = raw_image(counts, t_ns=T_NS, frame="thermal")
    assert np.array_equal(read_raw_image(message), counts)
    form = read_raw_form(message)
    assert (form.height_px, form.width_px, form.step, form.encoding) == (*shape, 2 * shape[1], "mono16")


def test_counts_that_lie_otherwise_in_memory_come_back_alike() -> None:
    counts = np.arange(12, dtype=np.uint16).reshape(3, 4)
    for other in (np.asfortranarray(counts), counts.astype(">u2"), np.repeat(counts, 2, axis=1)[:, ::2]):
        assert np.array_equal(read_raw_image(raw_image(other, t_ns=0, frame="depth")), counts)


def test_a_raw_image_is_what_the_published_fields_say() -> None:
    """Written out by hand from the published field numbers: 1 time, 2/3/5 fixed32, 4 and 7 text, 6 data."""
    expected = (
        bytes([0x0A, 4, 0x08, 3, 0x10, 5])
        + bytes([0x15, 2, 0, 0, 0, 0x1D, 1, 0, 0, 0, 0x22, 6])
        + b"mono16"
        + bytes([0x2D, 4, 0, 0, 0, 0x32, 4, 0x34, 0x12, 0xFF, 0xFF, 0x3A, 1])
        + b"t"
    )
    assert raw_image(np.array([[0x1234, 0xFFFF]], np.uint16), t_ns=3_000_000_005, frame="t") == expected


def test_a_colour_picture_comes_back_nearly() -> None:
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    bgr = np.stack([np.tile(ramp, (48, 1))] * 3, axis=2)
    back = read_compressed_image(compressed_image(bgr, t_ns=T_NS, frame="rgb", quality=95))
    assert back is not None
    assert np.abs(back.astype(int) - bgr).max() <= 4


def test_a_picture_that_cannot_be_decoded_is_none() -> None:
    broken = compressed_image(np.zeros((8, 8, 3), np.uint8), t_ns=0, frame="rgb", quality=90)
    assert read_compressed_image(broken.replace(b"\xff\xd8", b"\x00\x00")) is None


@pytest.mark.parametrize("message", [b"\x0b", b"\x32\xff\x01a", b"\x80" * 12, b""])
def test_other_bytes_are_refused(message: bytes) -> None:
    with pytest.raises(ValueError, match=r"wire type|cut off|no RawImage"):
        read_raw_image(message)


def test_protobufs_own_library_reads_schema_and_message() -> None:
    """Only where it is installed: the project itself does without it."""
    pytest.importorskip("google.protobuf", reason="protobuf's own library is not installed")
    descriptor_pb2, descriptor_pool, message_factory = (
        importlib.import_module(f"google.protobuf.{name}")
        for name in ("descriptor_pb2", "descriptor_pool", "message_factory")
    )
    for name, schema in (("RawImage", raw_image_schema()), ("CompressedImage", compressed_image_schema())):
        pool = descriptor_pool.DescriptorPool()
        for file in descriptor_pb2.FileDescriptorSet.FromString(schema).file:
            pool.Add(file)
        kind = message_factory.GetMessageClass(pool.FindMessageTypeByName(f"foxglove.{name}"))
        if name == "RawImage":
            read = kind.FromString(raw_image(np.array([[7, 300]], np.uint16), t_ns=T_NS, frame="thermal"))
            assert (read.width, read.height, read.step, read.encoding) == (2, 1, 4, "mono16")
            assert read.data == b"\x07\x00\x2c\x01"
        else:
            read = kind.FromString(
                compressed_image(np.zeros((8, 8, 3), np.uint8), t_ns=T_NS, frame="rgb", quality=90)
            )
            assert read.format == "jpeg"
        assert read.timestamp.seconds * 10**9 + read.timestamp.nanos == T_NS
