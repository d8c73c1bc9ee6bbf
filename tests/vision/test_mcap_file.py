"""MCAP files: whole up to the last flush, whatever happens to writer and disk."""

from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import pytest
from mcap.reader import make_reader
from mcap.records import Attachment, Message, Metadata

from models.problems import InputError
from vision.mcap_copy import copy_whole
from vision.mcap_file import McapFile, Whole, read_records

NOISE = np.random.default_rng(0)


def begun(path: Path) -> McapFile:
    file = McapFile(path, library="test")
    file.channel("/a", schema="test.A", encoding="jsonschema", data=b"{}", messages="json")
    file.note("notes", {"one": "1"})
    file.attach("rig.toml", b"text", media_type="text/plain", t_ns=0)
    return file


def messages(path: Path, whole: Whole | None = None) -> list[bytes]:
    return [record.data for record in read_records(path, whole) if isinstance(record, Message)]


def filled(path: Path, *, flushes: int = 5) -> list[int]:
    """A file that was never closed; its size after each flush."""
    file, sizes = begun(path), []
    for k in range(flushes):
        file.add("/a", f"{k}".encode() + NOISE.bytes(200), t_ns=k)
        file.flush()
        sizes.append(path.stat().st_size)
    file.abandon()
    return sizes


def test_a_finished_file_is_read_by_the_librarys_own_reader(tmp_path: Path) -> None:
    file = begun(tmp_path / "a.mcap")
    for k in range(3):
        file.add("/a", b"%d" % k, t_ns=10 * k)
        file.flush(to_disk=True)
    file.close()
    with (tmp_path / "a.mcap").open("rb") as stream:
        reader = make_reader(stream, validate_crcs=True)
        assert [message.data for _, _, message in reader.iter_messages()] == [b"0", b"1", b"2"]
        assert [one.data for one in reader.iter_attachments()] == [b"text"]
        assert [one.metadata for one in reader.iter_metadata()] == [{"one": "1"}]
    whole = Whole()
    assert messages(tmp_path / "a.mcap", whole) == [b"0", b"1", b"2"]
    assert whole.finished


def test_cut_off_anywhere_a_file_gives_all_that_was_flushed_before(tmp_path: Path) -> None:
    """At each byte of its second half."""
    path, cut = tmp_path / "a.mcap", tmp_path / "cut.mcap"
    sizes = filled(path)
    data, all_ = path.read_bytes(), messages(path)
    assert len(all_) == 5
    for end in range(sizes[1], len(data)):
        cut.write_bytes(data[:end])
        whole = Whole()
        flushed = sum(size <= end for size in sizes)
        found = messages(cut, whole)
        assert found == all_[: len(found)]
        assert len(found) >= flushed
        assert not whole.finished


def test_zeros_at_the_end_as_a_power_cut_leaves_them_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.mcap"
    filled(path)
    before = messages(path)
    path.write_bytes(path.read_bytes() + bytes(4096))
    whole = Whole()
    assert messages(path, whole) == before
    assert whole.bytes_left_out == 4096


def test_a_damaged_chunk_ends_what_is_read_and_gives_no_wrong_message(tmp_path: Path) -> None:
    path = tmp_path / "a.mcap"
    sizes = filled(path)
    data, all_ = bytearray(path.read_bytes()), messages(path)
    for at in range(sizes[1] + 9, sizes[2], 7):
        spoiled = data.copy()
        spoiled[at] ^= 0x40
        path.write_bytes(spoiled)
        found = messages(path)
        assert found[:2] == all_[:2]
        assert all(one in all_ for one in found)


def test_damage_before_a_proper_end_is_told_from_a_writer_that_died(tmp_path: Path) -> None:
    """Wherever the byte is, in a length, in a kind or in the content of a chunk."""
    path = tmp_path / "a.mcap"
    file = begun(path)
    for k in range(3):
        file.add("/a", b"%d" % k + NOISE.bytes(300), t_ns=k)
        file.flush()
    ends_at = path.stat().st_size
    file.add("/a", b"last", t_ns=3)
    file.close()
    data, whole = path.read_bytes(), Whole()
    all_ = messages(path, whole)
    assert whole.finished
    assert not whole.damaged
    path.write_bytes(data[: ends_at - 5])
    messages(path, whole)
    assert not whole.finished
    assert not whole.damaged
    for at in range(ends_at // 2, ends_at, 11):
        path.write_bytes(data[:at] + bytes([data[at] ^ 0x40]) + data[at + 1 :])
        found = messages(path, whole)
        assert whole.damaged or found == all_
        assert whole.damaged != whole.finished


def test_what_a_full_disk_did_not_take_is_written_when_there_is_room_again(tmp_path: Path) -> None:
    """A real limit on the file's size, as a full disk: the write fails half way."""
    path = tmp_path / "a.mcap"
    file = begun(path)
    file.add("/a", b"first", t_ns=0)
    file.flush()
    size = path.stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 50, hard))
    try:
        for k in range(3):
            file.add("/a", b"%d" % k + NOISE.bytes(300), t_ns=k)
            with pytest.raises(OSError, match=r"full|large"):
                file.flush()
            assert path.stat().st_size == size
        assert file.bytes_waiting > 900
        assert len(messages(path)) == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    file.flush()
    assert file.bytes_waiting == 0
    file.close()
    assert len(messages(path)) == 4


def test_a_whole_file_is_made_of_one_that_was_not_finished(tmp_path: Path) -> None:
    path, target = tmp_path / "a.mcap", tmp_path / "b.mcap"
    filled(path)
    path.write_bytes(path.read_bytes()[:-30])
    before = path.read_bytes()
    whole = copy_whole(path, target, library="test")
    assert path.read_bytes() == before
    assert not whole.finished
    assert whole.bytes_left_out > 0
    again = Whole()
    assert messages(target, again) == messages(path)
    assert again.finished
    kinds = [type(record) for record in read_records(target)]
    assert Attachment in kinds
    assert Metadata in kinds


@pytest.mark.parametrize("data", [b"", b"hello", b"\x89PNG\r\n\x1a\n"])
def test_another_file_is_refused_in_a_sentence(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.mcap").write_bytes(data)
    with pytest.raises(InputError, match="no MCAP file"):
        messages(tmp_path / "a.mcap")


def test_a_file_that_is_there_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "a.mcap").write_bytes(b"precious")
    with pytest.raises(InputError, match="exists already"):
        McapFile(tmp_path / "a.mcap", library="test")
    assert (tmp_path / "a.mcap").read_bytes() == b"precious"
    with pytest.raises(InputError, match="cannot be written"):
        McapFile(tmp_path / "none" / "a.mcap", library="test")
