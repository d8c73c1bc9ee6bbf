"""Recordings encrypted as they are written: opened by their key only, and by it even after a crash."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest
from mcap.records import Message

from guidance.recording.command import recover
from guidance.recording.recorder import Recorder
from guidance.recording.replay import steps
from models.problems import InputError
from tests.guidance.tiny_session import SEEN, capture, guidance, killed, manifest
from vision.encrypted import decrypt
from vision.mcap_file import McapFile, read_records
from vision.mcap_recording import open_mcap

pyrage = pytest.importorskip("pyrage", reason="encryption is an extra, and pyrage is not installed")


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A file with a secret key, its public one beside it."""
    secret = pyrage.x25519.Identity.generate()
    path = tmp_path / "key.txt"
    path.write_text(f"# created: today\n{secret}\n")
    path.with_suffix(".pub").write_text(str(secret.to_public()))
    return path


def public(key: Path) -> str:
    return key.with_suffix(".pub").read_text()


def recorded(path: Path, key: Path, captures: int = 12) -> Path:
    recorder = Recorder(path, manifest(), encrypt_to=public(key))
    for k in range(captures):
        recorder.take(capture(k), SEEN, guidance(capture(k).t_s), patient=True)
    assert recorder.close().trouble == ""
    return path


def test_what_was_encrypted_is_the_recording_that_it_would_have_been(tmp_path: Path, key: Path) -> None:
    path = recorded(tmp_path / "a.mcap.age", key)
    assert path.read_bytes().startswith(b"age-encryption.org/v1")
    assert b"cryoguide" not in path.read_bytes()
    plain = recover(path, identity=key)
    assert plain == tmp_path / "a-recovered.mcap"
    recording = open_mcap(plain)
    assert recording.warnings == ()
    assert [one.capture.t_s for one in steps(recording, pictures=True)] == [capture(k).t_s for k in range(12)]
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "a-recovered.mcap",
        "a.mcap.age",
        "key.pub",
        "key.txt",
    ]


def test_no_other_key_opens_it_and_nothing_half_written_stays(tmp_path: Path, key: Path) -> None:
    path = recorded(tmp_path / "a.mcap.age", key)
    before = sorted(tmp_path.iterdir())
    other = tmp_path / "other"
    other.write_text(f"{pyrage.x25519.Identity.generate()}\n")
    with pytest.raises(InputError, match="give the right key"):
        recover(path, identity=other)
    other.write_text("hello\n")
    with pytest.raises(InputError, match="secret key"):
        recover(path, identity=other)
    other.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        recover(path, identity=other)
    assert sorted(tmp_path.iterdir()) == before


def flushed(path: Path, key: Path, *, flushes: int = 8) -> list[int]:
    """A file that was never closed; its size after each flush."""
    file, sizes = McapFile(path, library="test", encrypt_to=public(key)), []
    file.channel("/a", schema="test.A", encoding="jsonschema", data=b"{}", messages="json")
    for k in range(flushes):
        file.add("/a", b"%d" % k, t_ns=k)
        file.flush()
        sizes.append(path.stat().st_size)
    file.abandon()
    return sizes


def opened(path: Path, key: Path) -> list[bytes]:
    plain = path.with_name("plain")
    assert not decrypt(path, plain, identity=key)
    found = [record.data for record in read_records(plain) if isinstance(record, Message)]
    plain.unlink()
    return found


def test_cut_off_it_gives_all_that_was_flushed_before(tmp_path: Path, key: Path) -> None:
    """However little it is: each flush fills up the block that it ends in."""
    path = tmp_path / "a.mcap.age"
    sizes = flushed(path, key)
    assert opened(path, key) == [b"%d" % k for k in range(8)]
    data = path.read_bytes()
    for k, size in enumerate(sizes):
        path.write_bytes(data[: size + 17])
        assert opened(path, key) == [b"%d" % number for number in range(k + 1)]


def test_killed_it_lacks_no_more_than_a_second(tmp_path: Path, key: Path) -> None:
    """As without encryption: blocks are seen off at each flush, however little is recorded."""
    path = tmp_path / "killed.mcap.age"
    handed_s = killed(path, public(key))
    recording = open_mcap(recover(path, identity=key))
    assert 0.0 <= handed_s - recording.duration_s <= 1.0


def test_a_disk_that_fills_up_ends_it_and_it_is_said(tmp_path: Path, key: Path) -> None:
    """Encryption cannot take back half a block: unlike a plain recording, this one is not gone on with."""
    path = tmp_path / "a.mcap.age"
    file = McapFile(path, library="test", encrypt_to=public(key))
    file.channel("/a", schema="test.A", encoding="jsonschema", data=b"{}", messages="json")
    file.add("/a", b"before", t_ns=0)
    file.flush()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 1000, hard))
    try:
        for _ in range(2):
            file.add("/a", b"after", t_ns=1)
            with pytest.raises(OSError, match=r"take back|stopped"):
                file.flush()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    with pytest.raises(OSError, match=r"take back|stopped"):
        file.close()
    assert opened(path, key) == [b"before"]


def test_what_is_no_public_key_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no age public key"):
        Recorder(tmp_path / "a.mcap.age", manifest(), encrypt_to="age1hello")
    assert list(tmp_path.iterdir()) == []
