"""What several steps of ``cryoguide calibrate`` are asked alike."""

from __future__ import annotations

import argparse
from pathlib import Path


def positive(text: str) -> float:
    """A number above 0; what is none is told in words."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0 and below 1e6")
    return value


def add_measured(parser: argparse.ArgumentParser) -> None:
    """How long the rulers on the printed sheets came out."""
    parser.add_argument(
        "--measured-mm",
        type=positive,
        nargs="+",
        metavar="MM",
        help="lengths of the printed sheet's rulers A and B of 100 mm, as measured (one = of either; the"
        " other direction stays in doubt); refused where one is off by more than 0.5 %%",
    )
    parser.add_argument(
        "--insist", action="store_true", help="use a sheet that is off, by its measured scale"
    )


def add_board(parser: argparse.ArgumentParser) -> None:
    """What board is shown to the camera."""
    parser.add_argument(
        "--board",
        default="own",
        metavar="BOARD",
        help="own (default), chessboard:9x6:25 (inner corners, mm) or charuco:10x7:DICT_5X5_100:24:17"
        " (squares,"
        " dictionary, mm of a square, mm of a marker)",
    )


def add_rig(parser: argparse.ArgumentParser, words: str, *, needed: bool = False) -> None:
    """The rig that is gone on from and written.

    Args:
        parser: Of the step.
        words: What the step does with it.
        needed: Whether nothing goes without.
    """
    parser.add_argument("--rig", type=Path, required=needed, metavar="FILE", help=words)
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="rig.toml to write (default: --rig itself; the older one is kept)",
    )
    parser.add_argument(
        "--force", action="store_true", help="replace a rig that is as good or better; never what is refused"
    )
