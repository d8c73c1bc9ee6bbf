"""Arguments of the commands about recordings: record, replay, recover, verify, devices."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from models.problems import InputError

_NOT_THE_SAME = 1
"""Exit code: a replay differs or is partial, or a log does not hold."""
_NOT_WHOLE = 2
"""Exit code: a recording was not finished, or captures are missing in it."""
LONGEST_S = 3600.0
"""Of a recording of bare cameras that is given a time: 58 GB from three cameras."""


def add_recording_commands(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],  # pyright: ignore[reportPrivateUsage] # argparse has no public name for it
    *,
    record: Callable[[argparse.Namespace], int],
) -> None:
    """Add the commands; what they do is imported when they run.

    Args:
        commands: Where they are added.
        record: Runs ``record``.
    """
    added = commands.add_parser(
        "record",
        help="record the bare cameras for a calibration, or a session folder as a live session would be",
        usage="%(prog)s FILE [--seconds S] [options]\n       %(prog)s SESSION FILE [--no-blur] [options]",
        description="With one name: record the cameras of this computer into FILE (.mcap), colour, thermal"
        " and depth with their times, without guidance or treatment, for `calibrate`. With two: play a"
        " session folder through the pipeline and record it as a live session would be, with a chained log"
        " beside it."
        " Exit code 2: the recording is not whole.",
    )
    added.add_argument(
        "paths",
        type=Path,
        nargs="+",
        metavar="[SESSION] FILE",
        help="recording to write (.mcap), which must not exist; before it a session folder",
    )
    _add_cameras(added.add_argument_group("the cameras (FILE)"))
    session = added.add_argument_group("a session folder (SESSION FILE)")
    session.add_argument(
        "--no-blur",
        dest="blur",
        action="store_false",
        help="leave faces as they are (they are covered where the zone is not on a face)",
    )
    session.add_argument(
        "--encrypt-to", metavar="KEY", help="age public key; FILE then ends in .mcap.age (needs pyrage)"
    )
    session.add_argument("--models", type=Path, metavar="DIR", help="folder with your own MediaPipe bundles")
    added.set_defaults(run=record)

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
        help="has the log of a session been changed? Is a recording whole?",
        description="Check the chain of a log of actions and alarms, or that a recording (.mcap) is whole,"
        " with how well the pictures of each camera came. Exit code 1: it does not hold.",
    )
    verify.add_argument("log", type=Path, metavar="LOG", help="log (.log), or recording (.mcap)")
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


def _add_cameras(cameras: argparse._ArgumentGroup) -> None:  # pyright: ignore[reportPrivateUsage] # argparse has no public name for it
    cameras.add_argument(
        "--seconds", type=_seconds, metavar="S", help="how long (default: until Ctrl-C, which keeps all)"
    )
    cameras.add_argument(
        "--rig",
        type=Path,
        metavar="FILE",
        help="your rig.toml, where there is one: sizes, emissivity and clocks are then as it says",
    )
    for kind in ("colour", "thermal", "depth"):
        cameras.add_argument(
            f"--{kind}", metavar="NAME", help=f"part of the {kind} camera's name or address, among several"
        )
        cameras.add_argument(
            f"--no-{kind}",
            dest="without",
            action="append_const",
            const=kind,
            help=f"do not record a {kind} camera",
        )
    cameras.add_argument(
        "--gas", metavar="INPUT", help="for `calibrate jet`: switch or valve, as for `cryoguide live`"
    )
    cameras.add_argument(
        "--device", metavar="NAME", help="for `calibrate jet`: what blows (ln2-wand, chilled-air, co2)"
    )
    cameras.add_argument(
        "--replay",
        type=Path,
        metavar="SESSION",
        help="play a session folder's pictures as if cameras gave them",
    )


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value <= LONGEST_S:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time: give seconds, from above 0 to {LONGEST_S:.0f}"
        )
    return value


def run_record(options: argparse.Namespace, cameras: Callable[[argparse.Namespace, Path], int]) -> int:
    """Record a session folder, or the cameras.

    Args:
        options: As typed.
        cameras: Records the cameras into a file.
    """
    paths: list[Path] = options.paths
    of_cameras = ("seconds", "rig", "colour", "thermal", "depth", "without", "gas", "device", "replay")
    given = [name for name in of_cameras if getattr(options, name)]
    if len(paths) == 1:
        if options.encrypt_to or options.models or not options.blur:
            raise InputError(
                "--no-blur, --encrypt-to and --models are for a session folder (`record SESSION FILE`), not"
                " for bare cameras; leave them away, or name the session folder before the file."
            )
        return cameras(options, paths[0])
    if len(paths) > 2:
        raise InputError("Give one file for the cameras, or a session folder and a file.")
    if given:
        name = "no-..." if given[0] == "without" else given[0]
        raise InputError(
            f"--{name} is for recording cameras (`record FILE`), not for a session folder; leave it away, or"
            " name the file alone."
        )
    return _record(paths[0], paths[1], options)


def _record(session: Path, out: Path, options: argparse.Namespace) -> int:
    from guidance.recording.command import print_recorded, record

    status = record(session, out, blur=options.blur, encrypt_to=options.encrypt_to, models_dir=options.models)
    print_recorded(out, status)
    if status.finished and not status.captures_lost:
        return 0
    print(f"cryoguide: {out} is not whole: {status.trouble}", file=sys.stderr)
    return _NOT_WHOLE


def _replay(options: argparse.Namespace) -> int:
    from guidance.recording.command import replay

    return 0 if replay(options.file) else _NOT_THE_SAME


def _recover(options: argparse.Namespace) -> int:
    from guidance.recording.command import recover

    recover(options.file, options.out, identity=options.identity)
    return 0


def _verify(options: argparse.Namespace) -> int:
    if options.log.suffix.lower() == ".mcap":
        from guidance.recording.whole import verify_recording

        return 0 if verify_recording(options.log) else _NOT_THE_SAME
    from guidance.recording.command import verify_log

    return 0 if verify_log(options.log, lines=options.lines, seal=options.seal) else _NOT_THE_SAME


def _devices(options: argparse.Namespace) -> int:
    from guidance.devices_command import devices, try_gas

    if options.gas is not None:
        return 0 if try_gas(options.gas) else _NOT_THE_SAME
    devices(options.out)
    return 0
