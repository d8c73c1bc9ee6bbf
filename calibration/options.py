"""Options of ``cryoguide calibrate``; no heavy module is loaded for them."""

from __future__ import annotations

import argparse
from pathlib import Path

from calibration.guided_options import add_guided
from calibration.nozzle_options import add_axis, add_collar, add_jet, add_tip
from calibration.step_options import add_board, add_measured, add_rig, positive


def add_calibrate(parser: argparse.ArgumentParser) -> None:
    """Add one command for each step."""
    steps = parser.add_subparsers(metavar="STEP", required=True)
    _add_print(
        steps.add_parser(
            "print",
            help="sheets to print: board, collar, skin tags, thermal target",
            description="Write a sheet as PDF and SVG at true scale, with a ruler; for the collar its"
            " geometry too.",
        )
    )
    add_tip(steps)
    add_axis(steps)
    rgb = steps.add_parser(
        "rgb",
        help="the colour camera's lens, from pictures of a board",
        description="Intrinsics of the colour camera from a folder of pictures of a ChArUco board or"
        " chessboard."
        " Refuses what is not good enough (exit code 3).",
    )
    rgb.add_argument(
        "pictures", type=Path, metavar="PICTURES", help="folder of pictures of one camera, or a recording"
    )
    add_board(rgb)
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
    add_rig(rgb, "rig whose colour camera is to be replaced (default: a new rig, written to --out)")
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

    add_depth(
        steps.add_parser(
            "depth",
            help="where the depth camera stands and how true its readings are, from pairs of pictures of a"
            " board",
            description="Place of the depth camera to the colour camera, scale and offset of its readings,"
            " from pairs of a colour and a depth picture of a board leant to all sides, near and far. Its"
            " lens is sought near where its maker states it. Refuses what is not good enough (exit code 3).",
        )
    )

    add_collar(steps)
    add_jet(steps)
    spread = steps.add_parser(
        "spread",
        help="how far the thermal camera spreads, from pictures of a straight edge",
        description="Point spread and halo from 16-bit centikelvin pictures of one long straight edge between"
        " warm and cold, even on both sides. Refuses what is not good enough (exit code 3).",
    )
    spread.add_argument("pictures", type=Path, metavar="PICTURES", help="3 pictures or more, or a recording")
    add_rig(spread, "rig with the thermal camera", needed=True)
    spread.set_defaults(step="spread")
    add_radiometry(steps)
    _add_time(
        steps.add_parser(
            "time",
            help="offset and drift between the streams, from any motion that all cameras see",
            description="Time of thermal and depth pictures against the colour ones, from a recording of 20 s"
            " in which a hand, the nozzle or the whole rig is moved irregularly. Refuses what is not good"
            " enough (exit code 3).",
        )
    )
    _add_check(
        steps.add_parser(
            "check",
            help="five seconds before a session: does the rig still hold, or what moved",
            description="Look at a short recording in which the target is shown to both cameras, known points"
            " are touched with the tip, references are in sight or something moves. What no longer holds is"
            " named (exit code 3); the outcome is written beside the rig.",
        )
    )
    add_guided(steps)


def add_radiometry(steps: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the step that holds the thermal camera against references."""
    radiometry = steps.add_parser(
        "radiometry",
        help="how far the thermal camera reads off, from references of known temperature",
        description="Offset, gain and drift of the thermal camera from recordings of two or more references,"
        " such as an ice slurry and a block at 30 to 35 degC, at least three looks at each with the shutter"
        " closing between them. Refuses what is not good enough (exit code 3).",
    )
    radiometry.add_argument(
        "--reference",
        nargs=4,
        action="append",
        required=True,
        metavar=("PATH", "DEGC", "U95", "EMISSIVITY"),
        help="recording or folder of thermal pictures, temperature of the reference, its 95 %% bound, and"
        " emissivity: a number (0.97, or 0.99:0.01 with its bound), water, ice or tape; once for each",
    )
    radiometry.add_argument(
        "--region",
        nargs=2,
        action="append",
        metavar=("NUMBER", "AREA"),
        help="where reference NUMBER lies: x,y,w,h or corners x,y,x,y,x,y in pixels (default: found by"
        " itself)",
    )
    radiometry.add_argument(
        "--room-degc", type=float, metavar="DEGC", help="temperature of the room, which references mirror"
    )
    radiometry.add_argument("--unit", metavar="UNIT", help="unit of the numbers, as for cryoguide import")
    radiometry.add_argument(
        "--hz", type=positive, metavar="HZ", help="pictures a second, where the files hold no times"
    )
    add_rig(radiometry, "rig with the thermal camera", needed=True)
    radiometry.set_defaults(step="radiometry")


def _add_check(check: argparse.ArgumentParser) -> None:
    check.add_argument(
        "recording", type=Path, metavar="RECORDING", help="session folder, or recording of a live session"
    )
    check.add_argument("--rig", type=Path, required=True, metavar="FILE", help="rig to be checked")
    check.add_argument(
        "--references",
        type=Path,
        metavar="FILE",
        help="[[reference]] of known temperature (default: those of the session)",
    )
    check.add_argument("--board", metavar="BOARD", help="board that is shown (default: the printed target)")
    check.set_defaults(step="check")


def _add_time(time: argparse.ArgumentParser) -> None:
    time.add_argument(
        "recording", type=Path, metavar="RECORDING", help="session folder, or recording of a live session"
    )
    time.add_argument(
        "--search-s",
        type=positive,
        default=1.0,
        metavar="S",
        help="how far to either side of the rig's own offset is searched (default: 1, at most 10)",
    )
    time.add_argument(
        "--limit-ms", type=positive, default=10.0, metavar="MS", help="largest 95 %% bound (default: 10)"
    )
    add_rig(time, "rig whose time offsets are to be replaced", needed=True)
    time.set_defaults(step="time")


def _add_thermal(thermal: argparse.ArgumentParser) -> None:
    thermal.add_argument(
        "rgb",
        metavar="RGB",
        help="folder, or pattern such as 'pairs/*_1.png', star = pair; or a recording of both",
    )
    thermal.add_argument(
        "thermal",
        nargs="?",
        metavar="THERMAL",
        help="likewise, of the thermal camera; without, RGB is a recording",
    )
    thermal.add_argument(
        "--board",
        default="own",
        metavar="BOARD",
        help="own (default: as `print target` prints it), or tags:3x4:DICT_ARUCO_ORIGINAL:1:40:16 (columns x"
        " rows, dictionary, first tag, mm of a tag, mm of the gaps, or ACROSSxDOWN)",
    )
    add_rig(
        thermal, "rig whose thermal camera is to be replaced; its colour camera must be calibrated before"
    )
    thermal.set_defaults(step="thermal")


def add_depth(depth: argparse.ArgumentParser) -> None:
    """Options of the step of the depth camera."""
    depth.add_argument(
        "colour",
        metavar="COLOUR",
        help="folder, or pattern such as 'pairs/*_1.png', star = pair; or a recording of both",
    )
    depth.add_argument(
        "depth",
        nargs="?",
        metavar="DEPTH",
        help="likewise, 16-bit pictures of the depth camera in mm; without, COLOUR is a recording",
    )
    add_board(depth)
    depth.add_argument(
        "--lens",
        type=float,
        nargs="+",
        metavar="PX",
        help="lens of the depth camera as its maker states it: fx fy cx cy, then k1 k2 p1 p2 k3 (default: as"
        " the rig has it)",
    )
    add_measured(depth)
    add_rig(
        depth, "rig whose depth camera is to be placed; its colour camera must be calibrated", needed=True
    )
    depth.set_defaults(step="depth")


def _add_print(sheets: argparse.ArgumentParser) -> None:
    sheets.add_argument("sheet", choices=("board", "collar", "skin", "target"))
    sheets.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the files")
    sheets.add_argument("--paper", choices=("a4", "letter"), default="a4", help="of the PDF (default: a4)")
    sheets.add_argument(
        "--across-mm",
        type=positive,
        default=60.0,
        metavar="MM",
        help="collar: between opposite faces (default: 60)",
    )
    sheets.add_argument(
        "--tip-mm",
        type=positive,
        default=60.0,
        metavar="MM",
        help="collar: from the orifice to its edge (default: 60)",
    )
    sheets.add_argument(
        "--bore-mm", type=positive, default=12.0, metavar="MM", help="of the orifice (default: 12)"
    )
    add_measured(sheets)
    sheets.set_defaults(step="print")
