"""Options of the command line about live sessions; no heavy module is loaded for them."""

from __future__ import annotations

import argparse
from pathlib import Path

from guidance.checklist.options import add_questions_file
from guidance.history.options import add_history_choice
from guidance.model_options import add_models_folder

PORT = 8710
HOST = "127.0.0.1"
MOST_PORTS = 65535


def add_live(parser: argparse.ArgumentParser) -> None:
    """What ``cryoguide live`` may be asked."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--rig",
        type=Path,
        metavar="FILE",
        help="use the cameras of this computer, calibrated in this rig.toml",
    )
    source.add_argument(
        "--replay", type=Path, metavar="SESSION", help="play a session folder as if it were live"
    )
    parser.add_argument(
        "--no-thermal", dest="with_thermal", action="store_false", help="go without the rig's thermal camera"
    )
    for kind in ("colour", "thermal", "depth"):
        parser.add_argument(
            f"--{kind}", metavar="NAME", help=f"part of the {kind} camera's name or address, among several"
        )
    parser.add_argument(
        "--gas",
        metavar="INPUT",
        help="switch or valve that says whether gas flows: serial:PORT, serial:PORT:cts, gpio:CHIP:LINE or"
        " keys:DEVICE (otherwise you say so on the page)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="folder for the report (default: SESSION-live-report beside the session; with cameras"
        " cryoguide-DATE-TIME-report here)",
    )
    parser.add_argument(
        "--resume",
        type=Path,
        metavar="FILE",
        help="recording (.mcap) of a session that was interrupted, from whose exposure this one goes on",
    )
    parser.add_argument(
        "--no-record",
        dest="record",
        action="store_false",
        help="do not record (otherwise the session is recorded beside its report)",
    )
    parser.add_argument(
        "--no-blur",
        dest="blur",
        action="store_false",
        help="leave faces as they are in the recording (they are covered where the zone is not on a face)",
    )
    parser.add_argument(
        "--port", type=_port, default=PORT, help=f"port on this machine, 0 = any free one (default: {PORT})"
    )
    add_history_choice(parser)
    parser.add_argument(
        "--host",
        default=HOST,
        metavar="ADDRESS",
        help="address of this machine on which the page is served; any other than the default is the network,"
        f" with TLS and a pairing token (default: {HOST})",
    )
    parser.add_argument(
        "--certificate", type=Path, metavar="FILE", help="your own certificate for TLS, PEM, with its chain"
    )
    parser.add_argument("--key", type=Path, metavar="FILE", help="key of that certificate, PEM")
    parser.add_argument(
        "--pair",
        action="store_true",
        help="TLS and a pairing token on this machine's own address too",
    )
    parser.add_argument(
        "--board",
        metavar="BOARD",
        help="board that is held up for the check of the rig (default: the printed target)",
    )
    parser.add_argument(
        "--references",
        type=Path,
        metavar="FILE",
        help="[[reference]] of known temperature in the thermal picture, for treatment and check",
    )
    add_models_folder(parser)
    add_questions_file(parser)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > MOST_PORTS:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from 0 to {MOST_PORTS}")
    return int(text)
