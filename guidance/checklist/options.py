"""Options of the command line about the checklist; no heavy module is loaded for them."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_questions_file(parser: argparse.ArgumentParser) -> None:
    """Where the questions before the gas are."""
    parser.add_argument(
        "--questions", type=Path, metavar="FILE", help="TOML file of your own questions before the gas"
    )


def add_checklist(parser: argparse.ArgumentParser) -> None:
    """What ``cryoguide checklist`` may be asked."""
    parser.add_argument("zone", nargs="?", metavar="ZONE", help="zone of the catalogue (default: any)")
    by = parser.add_mutually_exclusive_group()
    by.add_argument("--protocol", metavar="NAME", help="treatment protocol, which names the device")
    by.add_argument("--device", metavar="NAME", help="device class (default: any)")
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--answers", type=Path, metavar="FILE", help="judge a file that was filled in")
    one.add_argument("--template", type=Path, metavar="FILE", help="write a file to fill in")
    one.add_argument(
        "--copy", type=Path, metavar="DIR", help="copy the questions into a folder, to edit them"
    )
    one.add_argument("--check", type=Path, metavar="FILE", help="check an edited copy; tell every mistake")
    add_questions_file(parser)
    parser.add_argument("--operator", metavar="CODE", help="who fills the template in; never a name")
