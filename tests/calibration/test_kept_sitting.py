"""A sitting whose program was killed: which recordings are gone on with, and which are not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from calibration.kept_sitting import (
    HOLDS_S,
    belongs,
    broken_off,
    folder_beside,
    forget_takes,
    note_sitting,
    note_takes,
    only_takes,
    takes_of,
)
from calibration.recorded_solve import Take

NOW = datetime(2026, 11, 29, 9, tzinfo=UTC)


def begun(place: Path, *, name: str = "calibration-1", rig: str = "rig.toml") -> Path:
    """A sitting's folder with one whole recording of an ice slurry, and one that was under way."""
    keep = place / name
    folder = keep / "radiometry"
    folder.mkdir(parents=True)
    for file in ("000.mcap", "001.mcap"):
        (folder / file).write_bytes(b"x")
    note_sitting(keep, place / rig)
    ice = Take(folder / "000.mcap", {"degc": "0.4", "u95_degc": "0.3", "material": "water"}, "the ice slurry")
    note_takes(folder, [ice], now=NOW)
    return folder


def test_whole_recordings_are_taken_over_with_what_was_told_of_them(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    (take,) = takes_of(folder, now=NOW + timedelta(minutes=5))
    assert take.path == folder / "000.mcap"
    assert take.entries["degc"] == "0.4"
    assert take.title == "the ice slurry"
    only_takes(folder, [take])
    assert [one.name for one in folder.glob("*.mcap")] == ["000.mcap"], "what was under way leaves nothing"


def test_what_is_too_old_worked_out_or_not_whole_is_not_gone_on_with(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    assert takes_of(folder, now=NOW + timedelta(seconds=HOLDS_S + 1.0)) == []
    assert takes_of(folder, now=NOW - timedelta(minutes=1)) == [], "a clock that was set back"
    (folder / "000.mcap").unlink()
    assert takes_of(folder, now=NOW) == []
    again = begun(tmp_path, name="calibration-2")
    forget_takes(again)
    assert takes_of(again, now=NOW) == []
    for words in ("[", "[]", '{"at": 3}', '{"at": "2026-11-29T09:00:00+00:00", "takes": [4]}'):
        (again / "takes.json").write_text(words)
        assert takes_of(again, now=NOW) == []


def test_the_newest_folder_of_the_same_rig_is_gone_on_with(tmp_path: Path) -> None:
    begun(tmp_path, name="calibration-20261129-080000")
    begun(tmp_path, name="calibration-20261129-083000")
    begun(tmp_path, name="calibration-20261129-085000", rig="other.toml")
    rig = tmp_path / "rig.toml"
    assert broken_off(tmp_path, rig, now=NOW) == tmp_path / "calibration-20261129-083000"
    assert broken_off(tmp_path, rig, now=NOW + timedelta(days=1)) is None
    assert not belongs(tmp_path / "calibration-20261129-085000", rig)


def test_a_sitting_keeps_its_pictures_beside_the_rig_wherever_it_is_started_from(tmp_path: Path) -> None:
    """Before, they lay in whatever folder the command was typed in, and were not found again from another."""
    rig = tmp_path / "rig.toml"
    new = folder_beside(rig, now=NOW, go_on=True)
    assert new.parent == tmp_path
    assert new.name.startswith("calibration-2026")
    begun(tmp_path, name="calibration-20261129-083000")
    assert folder_beside(rig, now=NOW, go_on=True) == tmp_path / "calibration-20261129-083000"
    assert folder_beside(rig, now=NOW, go_on=False) == new
