"""Options of the command line about the history; no heavy module is loaded for them."""

from __future__ import annotations

import argparse
from pathlib import Path

from guidance.checklist.options import add_questions_file


def add_history_file(parser: argparse.ArgumentParser) -> None:
    """Where the history is."""
    parser.add_argument(
        "--history", type=Path, metavar="FILE", help="file of the history (default: in your data folder)"
    )


def add_history_choice(parser: argparse.ArgumentParser) -> None:
    """Where the history is, or that it is left alone."""
    add_history_file(parser)
    parser.add_argument(
        "--no-history", dest="forget", action="store_true", help="neither read nor write the history"
    )


def add_history(parser: argparse.ArgumentParser) -> None:
    """What ``cryoguide history`` may be asked."""
    parser.add_argument("subject", nargs="?", metavar="SUBJECT", help="code of one subject (default: all)")
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--show", metavar="RECORDING", help="all of one session; the first digits are enough")
    one.add_argument("--export", type=Path, metavar="FILE", help="write the list as .csv or .json")
    one.add_argument(
        "--forget",
        metavar="WHAT",
        help="take out all of a SUBJECT, or one RECORDING; no-code: what was broken off without a code",
    )
    one.add_argument(
        "--take-in",
        action="store_true",
        help="analyse treatments whose program was killed, from their recordings; exit code 1: not all",
    )
    add_history_file(parser)


def add_may_treat(parser: argparse.ArgumentParser) -> None:
    """What ``cryoguide may-treat`` must be told."""
    parser.add_argument("subject", metavar="SUBJECT", help="code of the subject")
    parser.add_argument("zone", metavar="ZONE", help="zone of the catalogue")
    parser.add_argument("--side", choices=("left", "right", "both"), required=True)
    parser.add_argument("--protocol", required=True, metavar="NAME", help="treatment protocol")
    parser.add_argument("--skin-degc", type=float, metavar="DEGC", help="lowest skin temperature of the zone")
    parser.add_argument("--skin-u95", type=float, metavar="DEGC", help="its 95 %% bound")
    add_history_file(parser)
    parser.add_argument(
        "--checklist", type=Path, metavar="FILE", help="answers before the gas (`cryoguide checklist`)"
    )
    add_questions_file(parser)
