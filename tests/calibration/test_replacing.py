"""What becomes of ``rig.toml`` and its page when a step ends: both, or none; and no part of it is lost."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from calibration.certificate import Certified, certificate_path
from calibration.replacing import replace_rig
from calibration.rig_text import Toml, covariance_table, read_tables, table_of
from guidance.cli import main
from models.problems import InputError

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
PART = Certified("tip", "nozzle", "Tip", (), (), np.zeros((0, 0)), (), ("told",), (), (), ())
COLOUR = replace(PART, step="rgb", table="rgb", title="Colour camera")


@pytest.fixture
def rig(tmp_path: Path, lumbar: Path) -> Path:
    path = tmp_path / "a place with späces" / "rig.toml"
    path.parent.mkdir()
    path.write_text((lumbar / "rig.toml").read_text())
    return path


def turned(rig: Path, *, bore_mm: float) -> Toml:
    tables = read_tables(rig)
    table_of(tables, "nozzle")["bore_mm"] = bore_mm
    return tables


def put(rig: Path, tables: Toml, *, force: bool = False) -> bool:
    return replace_rig(rig, tables, now=NOW, force=force, part=PART)


def test_what_another_program_wrote_meanwhile_is_not_lost(rig: Path) -> None:
    ours, theirs = turned(rig, bore_mm=9.0), turned(rig, bore_mm=10.0)
    assert put(rig, theirs)
    stands = rig.read_text()
    with pytest.raises(InputError, match=r"changed by another program .* run the step again"):
        put(rig, ours, force=True)
    assert rig.read_text() == stands
    assert put(rig, turned(rig, bore_mm=9.0))


def test_a_rig_with_parts_that_would_be_lost_is_replaced_by_force_only(
    rig: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stands = rig.read_text()
    alone: Toml = {"rgb": read_tables(rig)["rgb"]}
    assert not replace_rig(rig, alone, now=NOW, force=False, part=COLOUR)
    assert "NOT WRITTEN" in capsys.readouterr().out
    assert rig.read_text() == stands
    assert replace_rig(rig, alone, now=NOW, force=True, part=COLOUR)
    assert "nozzle" not in read_tables(rig)


def test_where_the_page_cannot_stand_the_rig_stays(rig: Path) -> None:
    stands = rig.read_text()
    certificate_path(rig).mkdir()
    before = sorted(os.listdir(rig.parent))
    with pytest.raises(InputError, match=r"rig-certificate\.html cannot be written"):
        put(rig, turned(rig, bore_mm=9.0))
    assert rig.read_text() == stands
    assert sorted(os.listdir(rig.parent)) == before


def test_a_linked_rig_is_replaced_where_it_stands_and_the_older_one_is_kept_whole(rig: Path) -> None:
    stands = rig.read_text()
    real = rig.rename(rig.with_name("real.toml"))
    rig.symlink_to("real.toml")
    assert put(rig, turned(rig, bore_mm=9.0))
    assert rig.is_symlink()
    assert "bore_mm = 9.0" in real.read_text()
    (kept,) = rig.parent.glob("rig-until-*.toml")
    assert not kept.is_symlink()
    assert kept.read_text() == stands


@pytest.mark.parametrize("place", ["file/rig.toml", "x" * 300 + ".toml"])
def test_a_place_that_cannot_be_written_to_is_told_in_one_sentence(
    rig: Path, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (rig.parent / "file").write_text("x")
    before = sorted(os.listdir(rig.parent))
    assert main(["calibrate", "print", "board", "--out", str(rig.parent / "file")]) == 2
    with pytest.raises(InputError, match=r"cannot be (read|written) .*; "):
        put(rig.parent / place, turned(rig, bore_mm=9.0))
    assert sorted(os.listdir(rig.parent)) == before
    assert "choose another place" in capsys.readouterr().err


def test_two_poses_are_no_pivot(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "poses.npy", np.tile(np.eye(4) + 50.0 * np.eye(4, k=3), (2, 1, 1)))
    assert main(["calibrate", "tip", str(tmp_path / "poses.npy")]) == 2
    assert "2 poses" in capsys.readouterr().err


def test_covariances_that_are_not_there_do_not_hinder(rig: Path) -> None:
    tables = turned(rig, bore_mm=9.0)
    table_of(tables, "nozzle")["covariance"] = covariance_table(
        ["tip_x_mm", "tip_y_mm", "tip_z_mm"], np.eye(3)
    )
    assert put(rig, tables)
