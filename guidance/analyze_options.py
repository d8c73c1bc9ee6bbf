"""Options of ``cryoguide analyze``; no heavy module is loaded for them."""

from __future__ import annotations

import argparse
from pathlib import Path

from guidance.history.options import add_history_file
from guidance.protocol_options import add_protocols_file


def add_analyze(parser: argparse.ArgumentParser) -> None:
    """What ``cryoguide analyze`` may be asked."""
    parser.add_argument("session", type=Path, metavar="SESSION", help="session folder, or recording (.mcap)")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="folder for the report (default: SESSION-report beside it)"
    )
    parser.add_argument(
        "--no-video", dest="video", action="store_false", help="leave out annotated.mp4, which takes longest"
    )
    add_protocols_file(parser)
    parser.add_argument(
        "--models", type=Path, metavar="DIR", help="folder with your own MediaPipe .task bundles"
    )
    add_history_file(parser)
    parser.add_argument(
        "--no-history", dest="forget", action="store_true", help="neither read nor write the history"
    )
    parser.add_argument(
        "--subject", metavar="CODE", help="code of the subject where session.toml names none; never a name"
    )
    parser.add_argument(
        "--questions", type=Path, metavar="FILE", help="TOML file of your own questions before the gas"
    )
    parser.add_argument(
        "--from-sightings",
        action="store_true",
        help="replay a recording from what was seen then, instead of looking at its pictures again",
    )
