"""The printed ruler: what is off is refused, or carried on where the user insists."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest

from calibration.board import OWN, board_of
from calibration.scale import scale_of, scaled, spec_of
from calibration.sheets import TARGET, collar_of
from guidance.cli import main
from models.problems import InputError


def test_a_sheet_that_is_off_by_more_than_half_a_percent_is_refused_with_the_remedy() -> None:
    with pytest.raises(InputError, match=r"1\.0 % too small .* print it again at 100 %"):
        scale_of(99.0)
    with pytest.raises(InputError, match="too large"):
        scale_of(104.0)


def test_the_scale_of_a_sheet_is_carried_on_where_it_is_small_or_insisted_on() -> None:
    assert scale_of(99.7).factor == pytest.approx(0.997)
    assert scale_of(95.0, insist=True).factor == pytest.approx(0.95)
    assert scale_of(None).u95 is None
    assert scale_of(100.0).u95 == pytest.approx(0.002)


@pytest.mark.parametrize("mm", [10.0, 3.94, 250.0])
def test_what_cannot_be_the_ruler_is_refused_even_if_insisted_on(mm: float) -> None:
    with pytest.raises(InputError, match="first to its last mark"):
        scale_of(mm, insist=True)


@pytest.mark.parametrize("board", [OWN, TARGET, board_of("chessboard:9x6:25")])
def test_a_scaled_board_reads_back_from_its_words(board) -> None:
    printed = scaled(board, scale_of(96.0, insist=True))
    read = board_of(spec_of(printed))
    assert read.corners_mm == pytest.approx(0.96 * board.corners_mm, rel=1e-5)
    assert (read.kind, read.columns, read.rows, read.first) == (
        board.kind,
        board.columns,
        board.rows,
        board.first,
    )


def test_print_refuses_a_collar_that_is_off_and_writes_its_measured_geometry_if_insisted_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["calibrate", "print", "collar", "--out", str(tmp_path), "--measured-mm", "97"]
    assert main(options) == 2
    assert "3.0 % too small" in capsys.readouterr().err
    assert not (tmp_path / "collar.toml").exists()
    assert main([*options, "--insist"]) == 0
    tags = tomllib.loads((tmp_path / "collar.toml").read_text())["nozzle"]["tag"]
    meant = collar_of(across_mm=60.0, tip_mm=60.0).corners_nozzle_mm
    assert np.array([tag["corners_nozzle_mm"] for tag in tags]) == pytest.approx(0.97 * meant, abs=1e-3)


def test_print_names_the_board_as_it_was_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["calibrate", "print", "board", "--out", str(tmp_path)]
    assert main(asked) == 0
    assert "--measured-mm" in capsys.readouterr().out
    assert main([*asked, "--measured-mm", "99.8"]) == 0
    assert "--board charuco:10x7:DICT_5X5_100:23.952:16.966" in capsys.readouterr().out
