"""Options of ``cryoguide import``; no heavy module is loaded for them."""

from __future__ import annotations

import argparse
from pathlib import Path

UNIT_NAMES = ("centikelvin", "decikelvin", "kelvin/64", "kelvin/25", "kelvin/16", "kelvin", "degc")
GAIN_UNITS = {"high": "centikelvin", "low": "decikelvin"}
"""What one step is with TLinear on: 0.01 K in high gain, 0.1 K in low gain."""


def add_import(parser: argparse.ArgumentParser) -> None:
    """What ``cryoguide import`` may be told."""
    parser.add_argument("thermal", type=Path, metavar="THERMAL", help="thermal file, or folder of pictures")
    parser.add_argument("out", type=Path, metavar="OUT", help="session folder to write")
    parser.add_argument("--colour", type=Path, metavar="VIDEO", help="colour video (default: thermal only)")
    parser.add_argument(
        "--depth", type=Path, metavar="FILE", help="depth.npz, or depth.mkv with its csv beside"
    )
    parser.add_argument("--rig", type=Path, metavar="FILE", help="rig.toml of the two cameras")
    _add_treatment(parser)
    _add_file(parser)
    _add_time(parser)
    _add_correction(parser)


def _add_treatment(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what was treated")
    group.add_argument("--zone", metavar="NAME", help="zone of the catalogue (cryoguide zones)")
    group.add_argument("--side", metavar="SIDE", help="left, right or both: the subject's own")
    group.add_argument("--protocol", metavar="NAME", help="treatment protocol (cryoguide protocols)")
    group.add_argument("--device", metavar="NAME", help="device (default: the protocol's)")
    group.add_argument("--subject", metavar="CODE", help="code of the subject, never a name")
    group.add_argument("--subject-height-mm", type=float, metavar="MM", help="standing height")
    group.add_argument("--room-degc", type=float, metavar="DEGC", help="temperature of the room")
    group.add_argument(
        "--valve", metavar="'FROM:TO ...'", help="seconds during which gas flowed (default: all)"
    )
    group.add_argument(
        "--outline",
        metavar="'X,Y X,Y X,Y'",
        help="outline of the zone in the first colour picture (thermal one without --colour), pixels",
    )


def _add_file(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what the thermal file does not say")
    unit = group.add_mutually_exclusive_group()
    unit.add_argument("--unit", metavar="UNIT", help=f"unit of its numbers: {', '.join(UNIT_NAMES)}")
    unit.add_argument(
        "--gain", metavar="MODE", help="of Lepton or Boson with TLinear on: high (0.01 K) or low (0.1 K)"
    )
    group.add_argument("--size-px", metavar="WxH", help="size of one picture in a file without a header")
    group.add_argument("--degc-at-0", type=float, metavar="DEGC", help="8-bit scale: temperature of value 0")
    group.add_argument("--degc-per-step", type=float, metavar="DEGC", help="8-bit scale: degrees a step")


def _add_time(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("time")
    times = group.add_mutually_exclusive_group()
    times.add_argument("--thermal-csv", type=Path, metavar="FILE", help="thermal times: index,t_s[,flag]")
    times.add_argument(
        "--every-s", type=float, metavar="S", help="seconds from one thermal picture to the next"
    )
    group.add_argument("--rgb-csv", type=Path, metavar="FILE", help="colour times: index,t_s")
    group.add_argument(
        "--offset-s",
        type=float,
        metavar="S",
        help="add to thermal times to get seconds since the first colour picture (0: both began together)",
    )
    group.add_argument("--started", metavar="TIME", help="date and time, e.g. 2026-11-23T10:00:00Z")


def _add_correction(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("correction")
    figures = (
        ("--emissivity", "EPS", "of the skin (default: 0.98)"),
        ("--reflected-degc", "DEGC", "temperature of what the skin mirrors: ceiling, walls"),
        ("--air-degc", "DEGC", "of the air on the way (default: --room-degc, or what is mirrored)"),
        ("--humidity", "SHARE", "of the air, 0 to 1 (default: 0.5)"),
        ("--distance-mm", "MM", "from the thermal camera to the skin"),
        ("--camera-emissivity", "EPS", "that the camera had applied already (1: none)"),
        ("--camera-reflected-degc", "DEGC", "surroundings that the camera had applied already"),
    )
    for name, letters, words in figures:
        group.add_argument(name, type=float, metavar=letters, help=words)
