"""The printed ruler: what is off is refused, or carried on where the user insists."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest

from calibration.board import OWN, board_of
from calibration.scale import UNMEASURED_U95, directions_words, scale_of, scaled, scaled_collar, spec_of
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
    assert scale_of((100.0, 100.0)).u95 == pytest.approx(0.002)


def test_a_direction_that_was_not_measured_stays_in_doubt_and_one_that_was_does_not() -> None:
    one, both, none = scale_of(100.0), scale_of((100.0, 100.0)), scale_of(None)
    assert one.stretch_u95 == none.stretch_u95 == UNMEASURED_U95
    assert both.stretch_u95 == pytest.approx(0.2 * np.sqrt(2.0) / 100.0)
    assert one.u95 is not None
    assert one.u95 == pytest.approx(np.hypot(0.002, 0.0025))
    assert "0.5 % against the other" in (directions_words(one) or "")
    assert "not measured" in (directions_words(none) or "")
    assert directions_words(both) is None


def test_each_direction_is_judged_and_what_it_is_off_is_told_by_its_rulers_name() -> None:
    with pytest.raises(InputError, match=r"0\.9 % too large \(its ruler B measures 100\.9 mm"):
        scale_of((99.9, 100.9))
    with pytest.raises(InputError, match="two rulers, not 3"):
        scale_of((100.0, 100.0, 100.0))
    insisted = scale_of((99.9, 100.9), insist=True)
    assert (insisted.short, insisted.long) == pytest.approx((0.999, 1.009))


def test_each_direction_of_a_board_is_scaled_by_itself_and_by_the_side_of_the_paper_it_lies_along() -> None:
    """The board lies along the long side of the paper, the target along its short side."""
    scale = scale_of((99.6, 100.4))
    for board, across, down in ((OWN, 1.004, 0.996), (TARGET, 0.996, 1.004)):
        printed = scaled(board, scale)
        assert printed.corners_mm == pytest.approx(board.corners_mm * (across, down, 1.0))
        read = board_of(spec_of(printed))
        assert read.corners_mm == pytest.approx(printed.corners_mm, rel=1e-5)
        assert read.stretch_u95 == pytest.approx(scale.stretch_u95, rel=1e-2)
    collar = collar_of(across_mm=60.0, tip_mm=60.0).corners_nozzle_mm
    assert scaled_collar(collar, scale) == pytest.approx(collar * (1.004, 1.004, 0.996))


@pytest.mark.parametrize(
    "words",
    [
        "chessboard:9x6:25x50",
        "chessboard:9x6:25x25x25",
        "chessboard:9x6:25:-1%",
        "chessboard:9x6:25:70%",
        "charuco:10x7:DICT_5X5_100:24x:17",
        "tags:3x4:DICT_ARUCO_ORIGINAL:1:0x40:16",
        "chessboard:%",
    ],
)
def test_a_board_that_cannot_be_so_is_refused_in_a_sentence(words: str) -> None:
    with pytest.raises(InputError, match="names no board"):
        board_of(words)


def test_a_gap_that_is_named_once_is_as_wide_down_as_across_also_where_tags_are_not_square() -> None:
    corners = board_of("tags:3x4:DICT_ARUCO_ORIGINAL:1:40x41:16").corners_mm.reshape(-1, 4, 3)
    assert corners[3, 0, 1] - corners[0, 2, 1] == pytest.approx(16.0)
    assert corners[1, 0, 0] - corners[0, 1, 0] == pytest.approx(16.0)
    assert corners[0, 2, 1] == pytest.approx(41.0)


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
    told = capsys.readouterr().out
    assert "--board charuco:10x7:DICT_5X5_100:23.952:16.966:0.5%" in told
    assert "Only one ruler of the print was measured" in told
    assert main([*asked, "--measured-mm", "99.8", "100.2"]) == 0
    told = capsys.readouterr().out
    assert "--board charuco:10x7:DICT_5X5_100:24.048x23.952:17.034:0.283%" in told
    assert "Only one" not in told
    assert main([*asked, "--measured-mm", "99.8", "100.2", "100"]) == 2
    assert "two rulers, not 3" in capsys.readouterr().err
