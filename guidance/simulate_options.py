"""Options of ``cryoguide simulate``; no heavy module is loaded for them."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_simulate(parser: argparse.ArgumentParser) -> None:
    """What ``cryoguide simulate`` may be asked."""
    parser.add_argument("out", type=Path, metavar="OUT", help="session folder to write")
    parser.add_argument("--zone", default="calf", help="zone of the catalogue (default: calf)")
    parser.add_argument("--protocol", help="treatment protocol (default: one that suits the zone)")
    parser.add_argument(
        "--skin-tags", action="store_true", help="four tags on the skin instead of a depth camera"
    )
    figures = (
        ("--seconds", 12.0, "length of the session"),
        ("--rest-at-s", None, "the nozzle stands still from then on (default: never)"),
        ("--shift-mm", 0.0, "sudden shift of the patient along the limb"),
        ("--at-s", 3.0, "when the patient shifts (default: 3)"),
        ("--turn-thermal-deg", 0.0, "how far the thermal camera is turned from where the rig says"),
        ("--lag-ms", 0.0, "how much later thermal pictures are said to be than they are"),
        ("--tag-placement-mm", 0.0, "standard deviation of the nozzle tags' places"),
        ("--focal-error-pct", 0.0, "how much too long the rig says the focal length is"),
        ("--camera-off-degc", 0.0, "how much too warm the thermal camera reads"),
        ("--camera-drift-degc-min", 0.0, "how much warmer it reads each minute"),
        ("--shutter-at-s", None, "when its shutter closes for 0.5 s (default: never)"),
        ("--shutter-step-degc", 0.0, "how much warmer it reads after that"),
        ("--reference-degc", None, "temperature of a reference in its picture (default: there is none)"),
    )
    for name, usual, words in figures:
        parser.add_argument(
            name, type=float, default=usual, metavar=name.rsplit("-", 1)[1].upper(), help=words
        )
    parser.add_argument("--seed", type=int, default=0, help="of skin, noise and tag placement (default: 0)")
