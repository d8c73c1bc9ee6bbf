"""Options of the guided calibration, from files and live; no heavy module is loaded for them."""

from __future__ import annotations

import argparse
from pathlib import Path

from calibration.step_options import add_measured, positive

STEPS = ("rgb", "thermal", "collar", "tip")
"""In the order in which each needs those before it."""

EVERY_STEP = (*STEPS, "depth", "spread", "radiometry", "time", "axis", "jet", "check")
"""What the page guides through, in the order of a sitting."""

MOST_PORTS = 65535


def add_guided(steps: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``all`` and ``live``."""
    every = steps.add_parser(
        "all",
        help="all steps from a folder of pictures or a recording, with what is missing and what to take next",
        description="Go through the steps with what is there: a folder with rgb/, pairs/colour/,"
        " pairs/thermal/, collar/ and tip/ (and spread/, time/, axis/ and jet/, where they are there), or a"
        " recording in which board, target and nozzle are shown one after the other."
        " Exit code 3: something was refused or is missing.",
    )
    every.add_argument("source", type=Path, metavar="FOLDER_OR_RECORDING")
    every.add_argument(
        "--reference",
        nargs=4,
        action="append",
        metavar=("PATH", "DEGC", "U95", "EMISSIVITY"),
        help="do `radiometry` too, with this reference; see there",
    )
    every.add_argument("--room-degc", type=float, metavar="DEGC", help="as for `radiometry`")
    every.add_argument(
        "--surface", choices=("agar", "skin"), default="agar", help="as for `jet` (default: agar)"
    )
    _add_run(every)
    every.add_argument(
        "--steps", type=_steps, default=STEPS, metavar="STEPS", help="such as rgb,thermal (default: all four)"
    )
    every.set_defaults(step="all")

    live = steps.add_parser(
        "live",
        help="all steps guided on a page in the browser, with the cameras of this computer or a recording",
        description="Guide the calibration on a page of this machine: where to hold the board next, what"
        " is missing, pictures taken by themselves. It needs a printed board, a target and the nozzle.",
    )
    live.add_argument("--rgb", metavar="DEVICE", help="colour camera, as `cryoguide devices` names it")
    live.add_argument("--thermal", metavar="DEVICE", help="thermal camera, likewise")
    live.add_argument("--depth", metavar="DEVICE", help="depth camera, likewise, for `depth` and `jet`")
    live.add_argument(
        "--gas", metavar="INPUT", help="for `jet`: switch or valve, as for `live` (default: a button)"
    )
    live.add_argument(
        "--replay", type=Path, metavar="FOLDER_OR_RECORDING", help="play pictures as if they were live"
    )
    live.add_argument(
        "--port", type=_port, default=8720, help="port on this machine, 0 = any free one (8720)"
    )
    _add_run(live)
    live.add_argument(
        "--steps",
        type=_any_steps,
        metavar="STEPS",
        help=f"such as radiometry,time; of {', '.join(EVERY_STEP)} (default: what is missing or no longer"
        " holds)",
    )
    live.set_defaults(step="live")


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rig", type=Path, metavar="FILE", help="rig.toml to go on from (default: none)")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="rig.toml to write (default: --rig; else rig.toml here)"
    )
    parser.add_argument(
        "--collar",
        type=Path,
        metavar="FILE",
        help="collar.toml as `print collar` wrote it, where the rig has no nozzle yet",
    )
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="folder for the pictures taken (default: beside the rig)"
    )
    parser.add_argument(
        "--asked-mm",
        type=positive,
        metavar="MM",
        help="95 %% error on the skin at 0.8 m that is asked of the cameras (default: 2.5, thermal 2)",
    )
    parser.add_argument(
        "--force", action="store_true", help="replace a rig that is as good or better; never what is refused"
    )
    parser.add_argument("--board", default="own", metavar="BOARD", help="as for `rgb` (default: own)")
    parser.add_argument(
        "--target", default="own", metavar="BOARD", help="as --board of `thermal` (default: own)"
    )
    add_measured(parser)


def _steps(text: str) -> tuple[str, ...]:
    return _of(STEPS, text)


def _any_steps(text: str) -> tuple[str, ...]:
    return _of(EVERY_STEP, text)


def _of(known: tuple[str, ...], text: str) -> tuple[str, ...]:
    named = tuple(word.strip() for word in text.split(","))
    if not named or any(word not in known for word in named):
        raise argparse.ArgumentTypeError(f"must be of {', '.join(known)}")
    return tuple(step for step in known if step in named)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > MOST_PORTS:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from 0 to {MOST_PORTS}")
    return int(text)
