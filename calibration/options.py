"""Options of ``cryoguide calibrate``; no heavy module is loaded for them."""

from __future__ import annotations

import argparse
from pathlib import Path

from calibration.guided_options import add_guided, add_measured


def add_calibrate(parser: argparse.ArgumentParser) -> None:
    """Add one command for each step."""
    steps = parser.add_subparsers(metavar="STEP", required=True)
    _add_print(
        steps.add_parser(
            "print",
            help="sheets to print: board, collar, skin tags, thermal target",
            description="Write a sheet as SVG at true scale, with a ruler; for the collar its geometry too.",
        )
    )
    tip = steps.add_parser(
        "tip",
        help="the tip of the nozzle, from poses turned about it",
        description="Pivot: the tip of the nozzle from poses of its tags, turned about the resting tip."
        " Refuses"
        " what is not good enough (exit code 3).",
    )
    tip.add_argument("poses", type=Path, metavar="POSES", help="folder or file of 4x4 poses, mm")
    tip.add_argument(
        "--limit-mm",
        type=_positive,
        default=None,
        metavar="MM",
        help="largest 95 %% bound accepted (default: 2.5)",
    )
    tip.add_argument(
        "--marker-mm",
        type=float,
        nargs=3,
        metavar=("X", "Y", "Z"),
        help="middle of the tags in the frame of the poses (default: of the rig's tags, or 0 0 0)",
    )
    _add_rig(tip, "rig whose nozzle is to have its origin at this tip")
    tip.set_defaults(step="tip")

    rgb = steps.add_parser(
        "rgb",
        help="the colour camera's lens, from pictures of a board",
        description="Intrinsics of the colour camera from a folder of pictures of a ChArUco board or"
        " chessboard."
        " Refuses what is not good enough (exit code 3).",
    )
    rgb.add_argument("pictures", type=Path, metavar="FOLDER", help="folder of pictures of one camera")
    _add_board(rgb)
    rgb.add_argument(
        "--flat",
        action="store_true",
        help="take the board for flat and true, as other tools do: to compare with them, not to measure",
    )
    rgb.add_argument(
        "--window-px",
        type=int,
        choices=range(2, 30),
        metavar="PX",
        help="half the window in which a chessboard's corners are refined (default: by their distance)",
    )
    _add_rig(rgb, "rig whose colour camera is to be replaced (default: a new rig, written to --out)")
    rgb.set_defaults(step="rgb")

    _add_thermal(
        steps.add_parser(
            "thermal",
            help="the thermal camera and where it stands to the colour camera, from a target that both see",
            description="Thermal camera and its place from pairs of pictures of one board of tags, warmer"
            " or colder"
            " than what is round them. Refuses what is not good enough (exit code 3).",
        )
    )

    collar = steps.add_parser(
        "collar",
        help="where the tags of the nozzle's collar sit, from a slow turn before the camera",
        description="Places of the collar's tags from a folder of pictures or a video of a slow turn. Refuses"
        " what is not good enough (exit code 3).",
    )
    collar.add_argument("pictures", type=Path, metavar="PICTURES", help="folder of pictures, or a video")
    collar.add_argument(
        "--tag-mm-u95",
        type=_positive,
        metavar="MM",
        help="95 %% bound of the side of all tags, as measured with a calliper; written as [nozzle.scale]",
    )
    _add_rig(collar, "rig whose colour camera is calibrated and whose nozzle has this collar", needed=True)
    collar.set_defaults(step="collar")

    spread = steps.add_parser(
        "spread",
        help="how far the thermal camera spreads, from pictures of a straight edge",
        description="Point spread and halo from 16-bit centikelvin pictures of one long straight edge between"
        " warm and cold, even on both sides. Refuses what is not good enough (exit code 3).",
    )
    spread.add_argument("pictures", type=Path, metavar="FOLDER", help="3 pictures or more")
    _add_rig(spread, "rig with the thermal camera", needed=True)
    spread.set_defaults(step="spread")

    add_guided(steps)


def _add_thermal(thermal: argparse.ArgumentParser) -> None:
    thermal.add_argument("rgb", metavar="RGB", help="folder, or pattern such as 'pairs/*_1.png', star = pair")
    thermal.add_argument("thermal", metavar="THERMAL", help="likewise, of the thermal camera")
    thermal.add_argument(
        "--board",
        required=True,
        metavar="BOARD",
        help="tags:3x4:DICT_ARUCO_ORIGINAL:1:40:16 (columns x rows, dictionary, first tag, mm of a tag, mm"
        " of the"
        " gaps, or ACROSSxDOWN)",
    )
    _add_rig(
        thermal, "rig whose thermal camera is to be replaced; its colour camera must be calibrated before"
    )
    thermal.set_defaults(step="thermal")


def _add_print(sheets: argparse.ArgumentParser) -> None:
    sheets.add_argument("sheet", choices=("board", "collar", "skin", "target"))
    sheets.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the SVG file")
    sheets.add_argument(
        "--across-mm",
        type=_positive,
        default=60.0,
        metavar="MM",
        help="collar: between opposite faces (default: 60)",
    )
    sheets.add_argument(
        "--tip-mm",
        type=_positive,
        default=60.0,
        metavar="MM",
        help="collar: from the orifice to its edge (default: 60)",
    )
    sheets.add_argument(
        "--bore-mm", type=_positive, default=12.0, metavar="MM", help="of the orifice (default: 12)"
    )
    add_measured(sheets)
    sheets.set_defaults(step="print")


def _add_board(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--board",
        default="own",
        metavar="BOARD",
        help="own (default), chessboard:9x6:25 (inner corners, mm) or charuco:10x7:DICT_5X5_100:24:17"
        " (squares,"
        " dictionary, mm of a square, mm of a marker)",
    )


def _add_rig(parser: argparse.ArgumentParser, words: str, *, needed: bool = False) -> None:
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


def _positive(text: str) -> float:
    value = float(text)
    if not 0.0 < value < 1e6:
        raise argparse.ArgumentTypeError("must be above 0")
    return value
