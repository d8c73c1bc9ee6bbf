"""Options of ``cryoguide analyze``; no heavy module is loaded for them."""

from __future__ import annotations

import argparse
from pathlib import Path

from guidance.checklist.options import add_questions_file
from guidance.history.options import add_history_choice
from guidance.model_options import add_models_folder
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
    add_models_folder(parser)
    add_history_choice(parser)
    parser.add_argument(
        "--subject", metavar="CODE", help="code of the subject where session.toml names none; never a name"
    )
    add_questions_file(parser)
    parser.add_argument(
        "--from-sightings",
        action="store_true",
        help="replay a recording from what was seen then, instead of looking at its pictures again",
    )
