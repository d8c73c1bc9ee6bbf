"""Command line: ``cryoguide analyze SESSION`` and the catalogue."""

from __future__ import annotations

import argparse
import errno
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from guidance.command_line import BAD_INPUT, command_line
from models.problems import InputError

# Before numpy is imported. Matrices here are small: OpenBLAS gains nothing by several threads, and beside
# other programs its threads wait for one another by turning idly. On two busy cores that made the
# axis of a spin take 11 times as long, and 15 times the processor's time.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Before OpenCV's first call. The kernels of Intel's that it carries add up otherwise on another number of
# cores: a treatment recorded on two cores and replayed on one differed by 1e-6 degC. Without them both are
# the same to the last bit, and a step takes as long (docs/decisions/0040).
os.environ.setdefault("OPENCV_IPP", "disabled")

# OpenCV talks on stderr, in its own words, of each tag of a TIFF that it does not know and each camera that
# is not there yet: what matters of it is told in a sentence of ours.
os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")

# Heavy modules (OpenCV, MediaPipe, numba) are imported where they are used, so that --help is quick and
# a missing system library becomes a sentence.

_DONE, _FAULT, _REFUSED, _INTERRUPTED = 0, 1, 3, 130
_OF_A_PATH = (errno.ENAMETOOLONG, errno.ELOOP, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR)
_LONG_NAME = 100
_NOT_CLEAR = 1
"""Of ``cryoguide checklist --answers``: the answers do not clear the treatment."""


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
    options = command_line(_RUN).parse_args(arguments)
    try:
        return int(options.run(options))
    except InputError as error:
        return _say(str(error), BAD_INPUT)
    except KeyboardInterrupt:
        return _say("Interrupted; nothing half-written stays.", _INTERRUPTED)
    except BrokenPipeError:  # the reader of our output has gone, e.g. `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return _DONE
    except Exception as error:
        if sentence := _missing_library(error) or _unusable_path(error):
            return _say(sentence, BAD_INPUT)
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
    from guidance.console.access import Wanted
    from guidance.live_command import live, todays_report
    from vision.recording import references_of

    look = references = None
    if session is None:
        from guidance.calibrating.quick_check import looks

        references = references_of(options.references)
        look = looks(board=options.board, references=references)
    elif options.board or options.references:
        raise InputError(
            "A recording's rig is checked with `cryoguide calibrate check`: give --board and"
            " --references with --rig only."
        )

    ended = live(
        session,
        rig=options.rig,
        thermal=options.with_thermal,
        names={kind: getattr(options, kind) for kind in ("colour", "thermal", "depth")},
        gas=options.gas,
        out=options.out or (session_folder(session, "live-report") if session else todays_report()),
        port=options.port,
        wanted=Wanted(options.host, options.certificate, options.key, options.pair),
        data=_default_history().parent,
        resume=options.resume,
        record=options.record,
        blur=options.blur,
        models_dir=options.models,
        protocols=options.protocols,
        questions=options.questions,
        history=None if options.forget else options.history or _default_history(),
        look=look,
        references=references or (),
        on_ready=lambda address: print(f"Console  {address}\nEnd it with Ctrl-C.", flush=True),
    )
    print(ended.words, file=sys.stderr, flush=True)
    code = _DONE if ended.whole else _INTERRUPTED
    if ended.still_runs:
        # All is closed by now. To take the interpreter down around a compiler that runs would wait or crash.
        sys.stdout.flush()
        os._exit(code)
    return code


def _record(options: argparse.Namespace) -> int:
    from guidance.recording.options import run_record

    return run_record(options, _record_cameras)


def _record_cameras(options: argparse.Namespace, out: Path) -> int:
    from guidance.record_command import Asked, print_status, record_cameras

    status = record_cameras(
        Asked(
            out,
            seconds=options.seconds,
            rig=options.rig,
            without=frozenset(options.without or ()),
            names={kind: getattr(options, kind) for kind in ("colour", "thermal", "depth")},
            gas=options.gas,
            device=options.device,
            replay=options.replay,
        )
    )
    print_status(out, status)
    if status.finished and not status.trouble:
        return _DONE
    return _say(f"{out} is not whole: {status.trouble}", BAD_INPUT)


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
        from guidance.importing.command import import_session

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
    from guidance.alarms.tone_files import write_tones

    for path in write_tones(options.out):
        print(path)
    return _DONE


def _history(options: argparse.Namespace) -> int:
    if options.take_in:
        from guidance.terminal import ProgressLine
        from guidance.treatment.take_in import take_in

        with ProgressLine() as line:
            whole = take_in(
                options.history or _default_history(),
                subject=options.subject,
                report_of=default_report_folder,
                on_progress=lambda progress: line.show(
                    progress.done, progress.total, t_s=progress.t_s, note=progress.note
                ),
            )
        return _DONE if whole else _FAULT
    from guidance.history.command import history

    history(options, default=_default_history())
    return _DONE


def _may_treat(options: argparse.Namespace) -> int:
    from guidance.history.command import may_treat_now

    refused = may_treat_now(options, default=_default_history(), now=datetime.now(UTC))
    return _REFUSED if refused else _DONE


def _checklist(options: argparse.Namespace) -> int:
    from guidance.checklist.command import checklist

    return _DONE if checklist(options, now=datetime.now(UTC)) else _NOT_CLEAR


def _calibrate(options: argparse.Namespace) -> int:
    if options.step == "live":
        from guidance.calibrating.live import calibrate_live

        calibrate_live(
            options,
            on_ready=lambda address: print(f"Page  {address}\nEnd it with Ctrl-C.", flush=True),
        )
        return _DONE
    from calibration.calibrate import calibrate

    return _DONE if calibrate(options) else _REFUSED


def _default_history() -> Path:
    from guidance.history.store import default_history

    return default_history(os.environ, home=Path.home(), platform=sys.platform)


def default_report_folder(session: Path) -> Path:
    """``NAME-report`` beside the session."""
    return session_folder(session, "report")


def session_folder(session: Path, what: str) -> Path:
    """``NAME-WHAT`` beside the session."""
    whole = Path(os.path.abspath(session))
    return whole.with_name(f"{whole.name.removesuffix('.mcap')}-{what}")


_RUN: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "analyze": _analyze,
    "import": _import,
    "live": _live,
    "record": _record,
    "simulate": _simulate,
    "calibrate": _calibrate,
    "zones": _zones,
    "protocols": _protocols,
    "tones": _tones,
    "may-treat": _may_treat,
    "checklist": _checklist,
    "history": _history,
}


def _missing_library(error: Exception) -> str | None:
    if not isinstance(error, ImportError | OSError):
        return None
    from vision.system_libraries import missing_library_sentence

    return missing_library_sentence(error)


def _unusable_path(error: Exception) -> str | None:
    """What the system will not do with a path that somebody gave, wherever that came to light."""
    if not isinstance(error, OSError) or error.errno not in _OF_A_PATH or not isinstance(error.filename, str):
        return None
    name = error.filename if len(error.filename) < _LONG_NAME else f"{error.filename[:_LONG_NAME]}..."
    return f"{name} cannot be used ({error.strerror}); name another path, or mend this one."


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
