"""Options of the command line about learned models; no heavy module is loaded for them."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_models_folder(parser: argparse.ArgumentParser) -> None:
    """Where the user's own models are."""
    parser.add_argument(
        "--models", type=Path, metavar="DIR", help="folder with your own MediaPipe .task bundles"
    )
