"""Options of the command line about protocols; no heavy module is loaded for them."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_protocols_file(parser: argparse.ArgumentParser) -> None:
    """Where the protocols are."""
    parser.add_argument(
        "--protocols", type=Path, metavar="FILE", help="TOML file of your own approved protocols"
    )


def add_protocols(parser: argparse.ArgumentParser) -> None:
    """What ``cryoguide protocols`` may be asked."""
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--protocols", type=Path, metavar="FILE", help="list those of this file")
    one.add_argument(
        "--copy", type=Path, metavar="DIR", help="copy the protocols into a folder, to edit them"
    )
    one.add_argument("--check", type=Path, metavar="FILE", help="check an edited copy; tell every mistake")
