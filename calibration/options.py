"""Options of ``cryoguide calibrate``; no heavy module is loaded for them."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_calibrate(parser: argparse.ArgumentParser) -> None:
    """Add one command for each step."""
    steps = parser.add_subparsers(metavar="STEP", required=True)
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


def _add_rig(parser: argparse.ArgumentParser, words: str) -> None:
    parser.add_argument("--rig", type=Path, metavar="FILE", help=words)
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
