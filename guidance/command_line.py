"""What can be typed: the commands of ``cryoguide`` with their words; no heavy module is loaded for them."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from calibration.options import add_calibrate
from guidance.analyze_options import add_analyze
from guidance.checklist.options import add_checklist
from guidance.history.options import add_history, add_may_treat
from guidance.importing.options import add_import
from guidance.live.options import add_live
from guidance.protocol_options import add_protocols, add_protocols_file
from guidance.recording.options import add_recording_commands
from guidance.simulate_options import add_simulate

BAD_INPUT = 2
"""Exit code: what was typed or given cannot be used."""

_NOTICE = "Not a medical device: an aid to trained operators. It does not close any valve."


def _whole_line() -> argparse.ArgumentParser:
    return _Parser(
        prog="cryoguide",
        description="Where, how long and how cold: computer vision that guides local cryotherapy.",
        epilog=_NOTICE,
    )


def command_line(run: Mapping[str, Callable[[argparse.Namespace], int]]) -> argparse.ArgumentParser:
    """The parser of the whole command line.

    Args:
        run: For each command what runs it, and returns its exit code.
    """
    parser = _whole_line()
    parser.add_argument("--version", action=_Version)
    parser.add_argument("--debug", action="store_true", help="print a traceback where the program fails")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, words: str, description: str | None = None) -> argparse.ArgumentParser:
        notice = None if description is None else _NOTICE
        added = commands.add_parser(name, help=words, description=description, epilog=notice)
        added.set_defaults(run=run[name])
        return added

    add_analyze(
        command(
            "analyze",
            "turn a recorded session into a report",
            "Turn a recorded session into a report: seconds and degrees per cm2, alarms, video.",
        )
    )
    add_import(
        command(
            "import",
            "turn thermal pictures of your camera, a colour video and a rig into a session folder",
            "Turn thermal pictures of your camera, a colour video and a rig into a session folder,"
            " corrected for emissivity, reflection and air. What it cannot know it asks for.",
        )
    )
    live = command(
        "live",
        "guide a session as it happens, on a page in the browser",
        "Guide a session as it happens, on a page in the browser of this machine: with the cameras that are"
        " connected (--rig), or with a recorded session played as if it were live (--replay).",
    )
    add_live(live)
    add_protocols_file(live)
    add_simulate(
        command(
            "simulate",
            "draw a session with known truth and known errors",
            "Draw a session folder whose truth is known, with errors at will.",
        )
    )
    add_calibrate(
        command(
            "calibrate",
            "calibrate the rig, and refuse what is not good enough",
            "Calibrate the rig step by step, each with its error on the skin. Exit code 3: refused.",
        )
    )
    command("zones", "list the zones of the catalogue")
    add_protocols(
        command(
            "protocols",
            "list the treatment protocols and their limits; make and check your own copy",
        )
    )
    tones = command(
        "tones",
        "write the alarm tones as WAV files, to listen to",
        "Write every alarm tone as a WAV file: two bursts with the pause between them.",
    )
    tones.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the WAV files")
    may_treat = command(
        "may-treat",
        "ask before the gas: do protocol and history allow a zone now?",
        "Ask before the gas whether protocol and history allow a zone now. Exit code 3: refused.",
    )
    add_may_treat(may_treat)
    add_protocols_file(may_treat)
    add_checklist(
        command(
            "checklist",
            "before the gas: what speaks against treating",
            "Before the gas: list what speaks against treating, write a file to fill in, judge the"
            " answers. Exit code 1: not clear.",
        )
    )
    add_history(command("history", "list, show and export earlier sessions"))
    add_recording_commands(commands, record=run["record"])
    return parser


class _Parser(argparse.ArgumentParser):
    """Answers a mistake with one sentence; the parsers of the commands are of this kind as well."""

    def __init__(self, *args: Any, **more: Any) -> None:
        """As its base, with numbers that are none told in words."""
        super().__init__(*args, **more)
        self.register("type", float, _finite)
        self.register("type", int, _whole)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where to read on, and leave."""
        words = " ".join(message.split()).rstrip(".")
        self.exit(BAD_INPUT, f"cryoguide: {words[:1].upper()}{words[1:]}; see `{self.prog} --help`.\n")


def _finite(text: str) -> float:
    """Not a number and infinity compare with no limit: no figure that is typed may be one."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is no number")
    return value


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number") from error


class _Version(argparse.Action):
    """Print the version; looked up only when asked for."""

    def __init__(self, option_strings: Sequence[str], dest: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help="print the version")

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> NoReturn:
        from guidance.version import software_version

        print(f"cryoguide {software_version()}")
        parser.exit(0)
