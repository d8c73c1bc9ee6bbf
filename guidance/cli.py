"""Command line: ``cryoguide analyze SESSION`` and the catalogue."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from calibration.options import add_calibrate
from guidance.checklist_options import add_checklist
from guidance.history_options import add_history, add_history_file, add_may_treat
from guidance.import_options import add_import
from guidance.live_options import add_live
from guidance.recording_options import add_recording_commands
from models.problems import InputError

# Heavy modules (OpenCV, MediaPipe, numba) are imported where they are used, so that --help is quick and
# a missing system library becomes a sentence.

_DONE, _FAULT, _BAD_INPUT, _REFUSED, _INTERRUPTED = 0, 1, 2, 3, 130
_NOT_CLEAR = 1
"""Of ``cryoguide checklist --answers``: the answers do not clear the treatment."""

_NOTICE = "Not a medical device: an aid to trained operators. It does not close any valve."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: Without the program's name; those of the process where None.

    Returns:
        Exit code: 0 done, 1 a fault of the program, 2 bad input (one sentence on stderr), 3 refused: not
        to be treated now, or a calibration that is not good enough, 130 interrupted.
    """
    _survive_any_terminal()
    signal.signal(signal.SIGTERM, _terminated)
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except InputError as error:
        return _say(str(error), _BAD_INPUT)
    except KeyboardInterrupt:
        return _say("Interrupted; nothing half-written stays.", _INTERRUPTED)
    except BrokenPipeError:  # the reader of our output has gone, e.g. `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return _DONE
    except Exception as error:
        if sentence := _missing_library(error):
            return _say(sentence, _BAD_INPUT)
        if options.debug:
            raise
        return _say(
            f"This is a fault of cryoguide, not of your input ({type(error).__name__}: {error}). "
            "Nothing half-written stays. Run the same command with --debug and report what it prints.",
            _FAULT,
        )


def _analyze(options: argparse.Namespace) -> int:
    session: Path = options.session
    out: Path = options.out or default_report_folder(session)
    from guidance.terminal import ProgressLine, print_outcome

    with ProgressLine() as line:
        line.say("starting")  # loading OpenCV and MediaPipe takes seconds
        from guidance.analyse import analyse

        outcome = analyse(
            session,
            out=out,
            video=options.video,
            models_dir=options.models,
            protocols=options.protocols,
            history=None if options.forget else options.history or _default_history(),
            subject=options.subject,
            questions=options.questions,
            from_sightings=options.from_sightings,
            on_progress=lambda progress: line.show(
                progress.done, progress.total, t_s=progress.t_s, note=progress.note
            ),
        )
    print_outcome(outcome, folder=out)
    return _DONE


def _live(options: argparse.Namespace) -> int:
    session: Path | None = options.replay
    print("Getting ready ...", file=sys.stderr, flush=True)
    from guidance.live_command import live, todays_report

    live(
        session,
        rig=options.rig,
        thermal=options.thermal,
        out=options.out or (session_folder(session, "live-report") if session else todays_report()),
        port=options.port,
        resume=options.resume,
        record=options.record,
        blur=options.blur,
        models_dir=options.models,
        protocols=options.protocols,
        questions=options.questions,
        on_ready=lambda address: print(f"Console  {address}\nEnd it with Ctrl-C.", flush=True),
    )
    return _DONE


def _simulate(options: argparse.Namespace) -> int:
    from guidance.terminal import ProgressLine

    with ProgressLine() as line:
        line.say("starting")
        from guidance.simulate import Wish, simulate

        asked = {name: getattr(options, name) for name in Wish.__dataclass_fields__}
        simulate(
            Wish(**asked),
            options.out,
            on_progress=lambda done, total, t_s: line.show(done, total, t_s=t_s, note="drawing"),
        )
    print(f"Session  {options.out}\nTruth    {options.out / 'truth'}")
    return _DONE


def _import(options: argparse.Namespace) -> int:
    from guidance.terminal import ProgressLine

    with ProgressLine() as line:
        line.say("starting")
        from guidance.import_command import import_session

        import_session(
            options, on_progress=lambda done, total, note: line.show(done, total, t_s=0.0, note=note)
        )
    return _DONE


def _zones(_: argparse.Namespace) -> int:
    from guidance.terminal import print_zones
    from models.catalogue import load_zones

    print_zones(load_zones())
    return _DONE


def _protocols(options: argparse.Namespace) -> int:
    from guidance.own_protocols import copy_protocols
    from guidance.terminal import print_checked, print_protocols
    from models.catalogue import load_protocols

    if options.copy is not None:
        path = copy_protocols(options.copy)
        print(f"Your copy  {path}\nEdit it, then check it:  cryoguide protocols --check {path}")
    elif options.check is not None:
        print_checked(load_protocols(options.check, most=sys.maxsize))
        print(f"No mistake found. Use it:  cryoguide analyze SESSION --protocols {options.check}")
    else:
        print_protocols(load_protocols(options.protocols))
    return _DONE


def _tones(options: argparse.Namespace) -> int:
    from guidance.tone_files import write_tones

    for path in write_tones(options.out):
        print(path)
    return _DONE


def _history(options: argparse.Namespace) -> int:
    from guidance.history_command import history

    history(options, default=_default_history())
    return _DONE


def _may_treat(options: argparse.Namespace) -> int:
    from guidance.history_command import may_treat_now

    refused = may_treat_now(options, default=_default_history(), now=datetime.now(UTC))
    return _REFUSED if refused else _DONE


def _checklist(options: argparse.Namespace) -> int:
    from guidance.checklist_command import checklist

    return _DONE if checklist(options, now=datetime.now(UTC)) else _NOT_CLEAR


def _calibrate(options: argparse.Namespace) -> int:
    from calibration.calibrate import calibrate

    return _DONE if calibrate(options) else _REFUSED


def _default_history() -> Path:
    from guidance.history_store import default_history

    return default_history(os.environ, home=Path.home(), platform=sys.platform)


def default_report_folder(session: Path) -> Path:
    """``NAME-report`` beside the session."""
    return session_folder(session, "report")


def session_folder(session: Path, what: str) -> Path:
    """``NAME-WHAT`` beside the session."""
    whole = Path(os.path.abspath(session))
    return whole.with_name(f"{whole.name.removesuffix('.mcap')}-{what}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cryoguide",
        description="Where, how long and how cold: computer vision that guides local cryotherapy.",
        epilog=_NOTICE,
    )
    parser.add_argument("--version", action=_Version)
    parser.add_argument("--debug", action="store_true", help="print a traceback where the program fails")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    analyze = commands.add_parser(
        "analyze",
        help="turn a recorded session into a report",
        description="Turn a recorded session into a report: seconds and degrees per cm2, alarms, video.",
        epilog=_NOTICE,
    )
    analyze.add_argument("session", type=Path, metavar="SESSION", help="session folder, or recording (.mcap)")
    analyze.add_argument(
        "--out", type=Path, metavar="DIR", help="folder for the report (default: SESSION-report beside it)"
    )
    analyze.add_argument(
        "--no-video", dest="video", action="store_false", help="leave out annotated.mp4, which takes longest"
    )
    _add_protocols(analyze)
    analyze.add_argument(
        "--models", type=Path, metavar="DIR", help="folder with your own MediaPipe .task bundles"
    )
    add_history_file(analyze)
    analyze.add_argument(
        "--no-history", dest="forget", action="store_true", help="neither read nor write the history"
    )
    analyze.add_argument(
        "--subject", metavar="CODE", help="code of the subject where session.toml names none; never a name"
    )
    analyze.add_argument(
        "--questions", type=Path, metavar="FILE", help="TOML file of your own questions before the gas"
    )
    analyze.add_argument(
        "--from-sightings",
        action="store_true",
        help="replay a recording from what was seen then, instead of looking at its pictures again",
    )
    analyze.set_defaults(run=_analyze)

    bring_in = commands.add_parser(
        "import",
        help="turn thermal pictures of your camera, a colour video and a rig into a session folder",
        description="Turn thermal pictures of your camera, a colour video and a rig into a session folder,"
        " corrected for emissivity, reflection and air. What it cannot know it asks for.",
        epilog=_NOTICE,
    )
    add_import(bring_in)
    bring_in.set_defaults(run=_import)

    now = commands.add_parser(
        "live",
        help="guide a session as it happens, on a page in the browser",
        description="Guide a session as it happens, on a page in the browser of this machine: with the"
        " cameras that are connected (--rig), or with a recorded session played as if it were live"
        " (--replay).",
        epilog=_NOTICE,
    )
    add_live(now)
    _add_protocols(now)
    now.set_defaults(run=_live)

    _add_simulate(
        commands.add_parser(
            "simulate",
            help="draw a session with known truth and known errors",
            description="Draw a session folder whose truth is known, with errors at will.",
            epilog=_NOTICE,
        )
    )

    calibrating = commands.add_parser(
        "calibrate",
        help="calibrate the rig, and refuse what is not good enough",
        description="Calibrate the rig step by step, each with its error on the skin. Exit code 3: refused.",
        epilog=_NOTICE,
    )
    add_calibrate(calibrating)
    calibrating.set_defaults(run=_calibrate)

    zones = commands.add_parser("zones", help="list the zones of the catalogue")
    zones.set_defaults(run=_zones)

    protocols = commands.add_parser(
        "protocols", help="list the treatment protocols and their limits; make and check your own copy"
    )
    one = protocols.add_mutually_exclusive_group()
    one.add_argument("--protocols", type=Path, metavar="FILE", help="list those of this file")
    one.add_argument(
        "--copy", type=Path, metavar="DIR", help="copy the protocols into a folder, to edit them"
    )
    one.add_argument("--check", type=Path, metavar="FILE", help="check an edited copy; tell every mistake")
    protocols.set_defaults(run=_protocols)

    tones = commands.add_parser(
        "tones",
        help="write the alarm tones as WAV files, to listen to",
        description="Write every alarm tone as a WAV file: two bursts with the pause between them.",
        epilog=_NOTICE,
    )
    tones.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the WAV files")
    tones.set_defaults(run=_tones)

    may = commands.add_parser(
        "may-treat",
        help="ask before the gas: do protocol and history allow a zone now?",
        description="Ask before the gas whether protocol and history allow a zone now. Exit code 3: refused.",
        epilog=_NOTICE,
    )
    add_may_treat(may)
    _add_protocols(may)
    may.set_defaults(run=_may_treat)

    before = commands.add_parser(
        "checklist",
        help="before the gas: what speaks against treating",
        description="Before the gas: list what speaks against treating, write a file to fill in, judge the"
        " answers. Exit code 1: not clear.",
        epilog=_NOTICE,
    )
    add_checklist(before)
    before.set_defaults(run=_checklist)

    history = commands.add_parser("history", help="list, show and export earlier sessions")
    add_history(history)
    history.set_defaults(run=_history)

    add_recording_commands(commands)
    return parser


def _add_simulate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("out", type=Path, metavar="OUT", help="session folder to write")
    parser.add_argument("--zone", default="calf", help="zone of the catalogue (default: calf)")
    parser.add_argument("--protocol", help="treatment protocol (default: one that suits the zone)")
    parser.add_argument(
        "--skin-tags", action="store_true", help="four tags on the skin instead of a depth camera"
    )
    figures = (
        ("--seconds", 12.0, "length of the session"),
        ("--rest-at-s", None, "the nozzle stands still from then on (default: never)"),
        ("--shift-mm", 0.0, "sudden shift of the patient along the limb"),
        ("--at-s", 3.0, "when the patient shifts (default: 3)"),
        ("--turn-thermal-deg", 0.0, "how far the thermal camera is turned from where the rig says"),
        ("--lag-ms", 0.0, "how much later thermal pictures are said to be than they are"),
        ("--tag-placement-mm", 0.0, "standard deviation of the nozzle tags' places"),
        ("--focal-error-pct", 0.0, "how much too long the rig says the focal length is"),
        ("--camera-off-degc", 0.0, "how much too warm the thermal camera reads"),
        ("--camera-drift-degc-min", 0.0, "how much warmer it reads each minute"),
        ("--shutter-at-s", None, "when its shutter closes for 0.5 s (default: never)"),
        ("--shutter-step-degc", 0.0, "how much warmer it reads after that"),
        ("--reference-degc", None, "temperature of a reference in its picture (default: there is none)"),
    )
    for name, usual, words in figures:
        parser.add_argument(
            name, type=float, default=usual, metavar=name.rsplit("-", 1)[1].upper(), help=words
        )
    parser.add_argument("--seed", type=int, default=0, help="of skin, noise and tag placement (default: 0)")
    parser.set_defaults(run=_simulate)


def _add_protocols(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--protocols", type=Path, metavar="FILE", help="TOML file of your own approved protocols"
    )


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
        parser.exit(_DONE)


def _missing_library(error: Exception) -> str | None:
    if not isinstance(error, ImportError | OSError):
        return None
    from vision.system_libraries import missing_library_sentence

    return missing_library_sentence(error)


def _survive_any_terminal() -> None:
    """A terminal that lacks a character gets a question mark instead of an error."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def _terminated(*_: object) -> NoReturn:
    """Unwind on SIGTERM as on Ctrl-C, so that what was begun aside is removed."""
    raise KeyboardInterrupt


def _say(sentence: str, code: int) -> int:
    print(f"cryoguide: {sentence}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
