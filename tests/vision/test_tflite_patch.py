"""Patches of tflite models, on a toy model written here byte by byte."""

import struct

import pytest

from vision.tflite_patch import first_output_shape, with_longer_output, with_normalization


class Writer:
    """Flatbuffer by hand, children after parents; the test's own, so that a shared mistake cannot hide."""

    def __init__(self) -> None:
        self.data = bytearray(struct.pack("<I4s", 0, b"TFL3"))
        self.fixes: list[tuple[int, str]] = []
        self.places: dict[str, int] = {}

    def ref(self, name: str) -> None:
        self.fixes.append((len(self.data), name))
        self.data += bytes(4)

    def table(self, name: str, fields: list[str | int | None]) -> None:
        """Each field 4 bytes: a name is a reference, a number a number, None is left out."""
        self.data += bytes(-(len(self.data) + 4 + 2 * len(fields)) % 4)
        present = [value for value in fields if value is not None]
        offsets, at = [], 4
        for value in fields:
            offsets.append(0 if value is None else at)
            at += 0 if value is None else 4
        vtable = len(self.data)
        self.data += struct.pack(f"<{2 + len(fields)}H", 4 + 2 * len(fields), 4 + 4 * len(present), *offsets)
        self.places[name] = len(self.data)
        self.data += struct.pack("<i", len(self.data) - vtable)
        for value in present:
            if isinstance(value, str):
                self.ref(value)
            else:
                self.data += struct.pack("<I", value)

    def refs(self, name: str, targets: list[str]) -> None:
        self.places[name] = len(self.data)
        self.data += struct.pack("<I", len(targets))
        for target in targets:
            self.ref(target)

    def ints(self, name: str, values: list[int]) -> None:
        self.places[name] = len(self.data)
        self.data += struct.pack(f"<I{len(values)}i", len(values), *values)

    def text(self, name: str, value: str) -> None:
        self.places[name] = len(self.data)
        self.data += struct.pack("<I", len(value)) + value.encode() + b"\0"
        self.data += bytes(-len(self.data) % 4)

    def done(self, root: str) -> bytes:
        for place, name in [(0, root), *self.fixes]:
            struct.pack_into("<I", self.data, place, self.places[name] - place)
        return bytes(self.data)


def toy_model(*, output: int = 6, operator: int = 34, metadata: str = "min_runtime_version") -> bytes:
    w = Writer()
    w.table("model", [3, "codes", "graphs", None, "buffers", None, "metadata"])
    w.refs("codes", ["code"])
    w.table("code", [None, None, 1, operator])
    w.refs("graphs", ["graph"])
    w.table("graph", ["tensors", "inputs", "outputs", "operators"])
    w.refs("tensors", ["t_in", "t_out"])
    w.table("t_in", ["shape_in", None, 0])
    w.ints("shape_in", [1, 2, 2, 3])
    w.table("t_out", ["shape_out", None, 0])
    w.ints("shape_out", [1, 1, 1, output])
    w.ints("inputs", [0])
    w.ints("outputs", [1])
    w.refs("operators", [])
    w.refs("buffers", ["buffer"])
    w.table("buffer", [])
    w.refs("metadata", ["entry"])
    w.table("entry", ["entry_name", 0])
    w.text("entry_name", metadata)
    return w.done("model")


def test_a_patch_leaves_the_old_bytes_as_they_are_at_an_aligned_place() -> None:
    old = toy_model()
    for new in (with_normalization(old, mean=0.0, std=255.0), with_longer_output(old, before=6, after=9)):
        assert new.endswith(old)
        assert (len(new) - len(old)) % 64 == 0
        assert new[4:8] == b"TFL3"


def test_a_longer_output_is_read_back_as_such() -> None:
    assert first_output_shape(toy_model()) == (1, 1, 1, 6)
    assert first_output_shape(with_longer_output(toy_model(), before=6, after=9)) == (1, 1, 1, 9)


def test_a_patched_model_can_be_patched_again() -> None:
    twice = with_normalization(with_longer_output(toy_model(), before=6, after=9), mean=0.0, std=255.0)
    assert first_output_shape(twice) == (1, 1, 1, 9)


def test_the_same_model_gives_the_same_bytes() -> None:
    assert with_normalization(toy_model(), mean=0.0, std=255.0) == with_normalization(
        toy_model(), mean=0.0, std=255.0
    )


def test_normalization_carries_its_two_numbers() -> None:
    old = toy_model()
    front = with_normalization(old, mean=0.25, std=255.0)[: -len(old)]
    assert b"TFLITE_METADATA" in front
    assert b"M001" in front
    assert struct.pack("<If", 1, 0.25) in front
    assert struct.pack("<If", 1, 255.0) in front


def test_metadata_is_not_written_twice() -> None:
    with pytest.raises(ValueError, match="already"):
        with_normalization(toy_model(metadata="TFLITE_METADATA"), mean=0.0, std=255.0)


def test_another_output_length_than_expected_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\[1, 1, 1, 7\], not \[1, 1, 1, 6\]"):
        with_longer_output(toy_model(output=7), before=6, after=9)


def test_a_model_without_the_operator_pad_is_refused() -> None:
    with pytest.raises(ValueError, match="PAD"):
        with_longer_output(toy_model(operator=3), before=6, after=9)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 no model", b"\xff\xff\xff\x7fTFL3"])
def test_bytes_that_are_no_model_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="tflite model"):
        first_output_shape(data)
