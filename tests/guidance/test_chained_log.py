"""The chained log: any change is found, and what cannot be found is said."""

from __future__ import annotations

import resource
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from guidance.recording.chained_log import ChainedLog, verify
from models.problems import InputError

AT = datetime(2026, 11, 28, 10, tzinfo=UTC)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "session.log"
    written = ChainedLog(path)
    for k in range(5):
        written.append("action", {"what": "acknowledge", "number": k}, at=AT)
    written.close(captures=5)
    return path


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def test_a_log_that_nobody_touched_holds(log: Path) -> None:
    found = verify(log)
    assert found.trouble == ""
    assert found.lines == 6
    assert found.closed


def test_changing_any_single_byte_is_found(log: Path) -> None:
    """Every byte of the file in turn, but for the last line end."""
    whole, before = log.read_bytes(), verify(log)
    for at in range(len(whole) - 1):
        log.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        found = verify(log)
        # A change of the last line is found by its seal, or because the line is no entry any more.
        assert found.trouble or found.seal != before.seal, at
        last = len(whole) - len(lines(log)[-1])
        assert found.trouble or at >= last, at


@pytest.mark.parametrize(
    ("spoil", "where"),
    [
        (lambda all_: [*all_[:2], *all_[3:]], "line 3"),
        (lambda all_: all_[1:], "line 1"),
        (lambda all_: [*all_[:3], all_[2], *all_[3:]], "line 4"),
        (lambda all_: [all_[1], all_[0], *all_[2:]], "line 1"),
        (lambda all_: [*all_[:-1], all_[-1][:-20]], "cut off"),
        (lambda all_: [*all_[:2], b"hello\n", *all_[2:]], "line 3"),
        (lambda all_: [b'{"n":0}\n', *all_], "line 1"),
        (lambda all_: [*all_[:2], 200_000 * b"[" + b"\n", *all_[2:]], "line 3 is no entry"),
    ],
)
def test_lines_taken_out_put_in_moved_or_cut_are_found(
    log: Path, spoil: Callable[[list[bytes]], list[bytes]], where: str
) -> None:
    log.write_bytes(b"".join(spoil(lines(log))))
    assert where in verify(log).trouble


def test_whole_lines_cut_off_at_the_end_are_told_only_by_what_is_missing(log: Path) -> None:
    """The chain that is left holds: length and seal must be known from elsewhere, or the end is missed."""
    before = verify(log)
    log.write_bytes(b"".join(lines(log)[:-2]))
    found = verify(log)
    assert found.trouble == ""
    assert not found.closed
    assert (found.lines, found.seal) != (before.lines, before.seal)


def test_a_log_can_be_gone_on_with(log: Path) -> None:
    again = ChainedLog(log)
    again.append("begin", {}, at=AT)
    again.close()
    assert verify(log).lines == 8


def test_a_broken_log_is_not_gone_on_with(log: Path) -> None:
    log.write_bytes(b"".join(lines(log)[1:]))
    with pytest.raises(InputError, match="begin another"):
        ChainedLog(log)


def test_an_entry_that_the_disk_did_not_take_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "session.log"
    log = ChainedLog(path)
    log.append("begin", {}, at=AT)
    size = path.stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, hard))
    try:
        with pytest.raises(OSError, match=r"full|large"):
            log.append("action", {"what": "pause"}, at=AT)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.stat().st_size == size
    log.append("action", {"what": "pause"}, at=AT)
    log.close()
    assert verify(path).trouble == ""
    assert verify(path).lines == 3


def test_an_empty_log_does_not_hold(tmp_path: Path) -> None:
    path = tmp_path / "empty.log"
    path.touch()
    assert "empty" in verify(path).trouble
    with pytest.raises(InputError, match="cannot be read"):
        verify(tmp_path / "none.log")
