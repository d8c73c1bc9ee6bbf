"""Arguments of the commands about recordings: record, replay, recover, verify, devices."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

_NOT_THE_SAME = 1
"""Exit code: a replay differs or is partial, or a log does not hold."""
_NOT_WHOLE = 2
"""Exit code: a recording was not finished, or captures are missing in it."""


def add_recording_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage] # argparse has no public name for it
    """Add the commands; what they do is imported when they run."""
    record = commands.add_parser(
        "record",
        help="record a session folder as a live session would be",
        description="Play a session folder through the pipeline and record it as a live session would be:"
        " MCAP and a chained log beside it.",
    )
    record.add_argument("session", type=Path, metavar="SESSION", help="session folder")
    record.add_argument("out", type=Path, metavar="FILE", help="recording to write (.mcap); must not exist")
    record.add_argument(
        "--no-blur",
        dest="blur",
        action="store_false",
        help="leave faces as they are (they are covered where the zone is not on a face)",
    )
    record.add_argument(
        "--encrypt-to", metavar="KEY", help="age public key; FILE then ends in .mcap.age (needs pyrage)"
    )
    record.add_argument("--models", type=Path, metavar="DIR", help="folder with your own MediaPipe bundles")
    record.set_defaults(run=_record)

    replay = commands.add_parser(
        "replay",
        help="replay a recording from what was seen; is all the same as then?",
        description="Replay a recording from what was seen, without its pictures, and compare every step with"
        " what was told then, to the last bit. Exit code 1: something differs, or the recording is damaged.",
    )
    replay.add_argument("file", type=Path, metavar="FILE", help="recording (.mcap), finished or not")
    replay.set_defaults(run=_replay)

    recover = commands.add_parser(
        "recover",
        help="make a whole recording of one that was not finished",
        description="Write all that can be read of an unfinished recording into a whole one beside it. The"
        " original stays as it is.",
    )
    recover.add_argument("file", type=Path, metavar="FILE", help="recording (.mcap)")
    recover.add_argument(
        "--out", type=Path, metavar="FILE", help="file to write (default: NAME-recovered.mcap beside it)"
    )
    recover.add_argument(
        "--identity", type=Path, metavar="FILE", help="secret key of an encrypted recording (.mcap.age)"
    )
    recover.set_defaults(run=_recover)

    verify = commands.add_parser(
        "verify",
        help="has the log of a session been changed?",
        description="Check the chain of a log of actions and alarms. Exit code 1: it does not hold.",
    )
    verify.add_argument("log", type=Path, metavar="LOG", help="log (.log)")
    verify.add_argument("--lines", type=int, metavar="N", help="so many lines it must have")
    verify.add_argument("--seal", metavar="SHA256", help="seal of its last line, as written down elsewhere")
    verify.set_defaults(run=_verify)

    devices = commands.add_parser(
        "devices",
        help="list connected cameras and gas inputs, with a test picture of each camera",
        description="List the cameras that are connected, try each, and write a test picture of each; list"
        " what could say whether gas flows. Exit code 1: a gas input that was to be tried was not heard.",
    )
    devices.add_argument("--out", type=Path, metavar="DIR", help="folder for the test pictures")
    devices.add_argument(
        "--gas", metavar="INPUT", help="try this gas input instead (as for `cryoguide live`): press it once"
    )
    devices.set_defaults(run=_devices)


def _record(options: argparse.Namespace) -> int:
    from guidance.recording.command import print_recorded, record

    status = record(
        options.session,
        options.out,
        blur=options.blur,
        encrypt_to=options.encrypt_to,
        models_dir=options.models,
    )
    print_recorded(options.out, status)
    if status.finished and not status.captures_lost:
        return 0
    print(f"cryoguide: {options.out} is not whole: {status.trouble}", file=sys.stderr)
    return _NOT_WHOLE


def _replay(options: argparse.Namespace) -> int:
    from guidance.recording.command import replay

    return 0 if replay(options.file) else _NOT_THE_SAME


def _recover(options: argparse.Namespace) -> int:
    from guidance.recording.command import recover

    recover(options.file, options.out, identity=options.identity)
    return 0


def _verify(options: argparse.Namespace) -> int:
    from guidance.recording.command import verify_log

    return 0 if verify_log(options.log, lines=options.lines, seal=options.seal) else _NOT_THE_SAME


def _devices(options: argparse.Namespace) -> int:
    from guidance.devices_command import devices, try_gas

    if options.gas is not None:
        return 0 if try_gas(options.gas) else _NOT_THE_SAME
    devices(options.out)
    return 0
