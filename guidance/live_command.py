"""``cryoguide live``: a session as it happens, on a page in the browser."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from guidance.camera_command import NO_NAMES, NewLook, camera_room
from guidance.console.access import Wanted, access, token_words
from guidance.console.address import resolve
from guidance.console.beeper import machine_beep
from guidance.console.ending import Ended
from guidance.console.preparing import Prepare
from guidance.console.serve import Served
from guidance.console.server import listen, serve
from guidance.history.begun import broken_off
from guidance.history.store import HistoryStore
from guidance.run import Run
from guidance.set_up import needs_eyes, set_up
from guidance.stages.state import Setup
from guidance.treatment.preflight import Check, disk_check
from guidance.treatment.recording import LiveRecording, recording_path
from guidance.treatment.resume import Interrupted, check_for, interrupted, may_go_on, unfinished
from guidance.treatment.staged import FIRST_LOOK_S, Staged, rehearsed
from guidance.warm_up import warm_up
from models.catalogue import load_questions
from models.contraindications import questions_for
from models.problems import InputError
from models.treatment import Reference
from vision.face_blur import FaceBlur, HeadFinder
from vision.landmarks import BodyEyes
from vision.recording import Recording, open_recording

WARM_UP_S = 1.5
"""So much of the recording's gas is stepped beforehand: every compiled function is loaded then, and no step
of the treatment waits for a compiler."""


def live(
    folder: Path | None,
    *,
    rig: Path | None = None,
    thermal: bool = True,
    names: Mapping[str, str | None] = NO_NAMES,
    gas: str | None = None,
    out: Path,
    port: int,
    wanted: Wanted = Wanted(),  # noqa: B008 # frozen
    data: Path,
    resume: Path | None = None,
    record: bool = True,
    blur: bool = True,
    models_dir: Path | None = None,
    protocols: Path | None = None,
    questions: Path | None = None,
    history: Path | None = None,
    look: NewLook | None = None,
    references: tuple[Reference, ...] = (),
    on_ready: Callable[[str], None] = lambda _: None,
    show: Callable[[str], None] = lambda words: print(words, flush=True),
    say: Callable[[str], None] = lambda words: print(words, file=sys.stderr, flush=True),
) -> Ended:
    """Guide a session and serve its console until the process is ended.

    Args:
        folder: A recorded session, to be played as if live; None = cameras.
        rig: The cameras' calibration.
        thermal: Whether a thermal camera is wanted, where the rig has one.
        names: Which camera of each kind is meant, among several.
        gas: Switch or valve that says whether gas flows, see `vision.gas_named`.
        out: Folder for the report; the recording goes beside it.
        port: 0 = any free one.
        wanted: Where it is served and to whom.
        data: Folder where a certificate of this machine's own is kept.
        resume: Recording of a session that was interrupted, from whose exposure this one goes on.
        record: Whether to record the session.
        blur: Cover faces in the colour pictures that are kept, where the zone is not on a face.
        models_dir: The user's own landmark models.
        protocols: The user's own protocols.
        questions: The user's own questions before the gas.
        history: The file of earlier treatments, in which one with cameras is kept as it ends; None = neither
            read nor written.
        look: Makes a quick check of the rig; None = it cannot be checked on the page.
        references: Of known temperature in the cameras' pictures.
        on_ready: Told the address once pages can connect, and what stands beside it.
        show: Puts a token on the machine's own screen.
        say: Told what happens before, and of refused attempts.

    Returns:
        How it ended.

    Raises:
        InputError: If the session or what it goes on from cannot be read, the port is taken, or there is no
            certificate.
    """
    if folder is not None and (gas is not None or any(names.values())):
        raise InputError("A replay has its own cameras and gas: give --gas and names of cameras with --rig.")
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file; give a folder for the report (--out DIR).")
    listed = load_questions(questions)
    address = resolve(wanted.host)

    with ExitStack() as stack:
        listening = stack.enter_context(listen(port, address))
        door = access(wanted, folder=data)  # a certificate is made only for an address that is ours

        def ready(url: str) -> None:
            on_ready("\n".join(line for line in (url, door.words) if line))
            if door.pairing is not None:
                code = sys.stdout.isatty() and "utf" in sys.stdout.encoding.lower()
                door.pairing.show_with(lambda token: show(token_words(token, url=url, code=code)))
                door.pairing.ask()

        recorder = recorder_of(stack, out=out, blur=blur, models_dir=models_dir) if record else None
        checks = (disk_check(out, records=record),)
        now = datetime.now(UTC)
        before = interrupted(resume, now=now, say=say) if resume is not None else None
        course = before.course if before is not None else None
        if before is not None:
            checks = (*checks, before.check(now))
        if folder is None:
            if rig is None:
                raise InputError("Give --rig FILE for cameras, or --replay SESSION.")
            if before is not None and history is not None:
                say(before.keep(history))
            checks = (*checks, *history_checks(history, say=say))
            room, prepare = camera_room(
                stack,
                rig,
                thermal=thermal,
                names=names,
                gas=gas,
                listed=listed,
                protocols=protocols,
                models_dir=models_dir,
                checks=checks,
                course=course,
                go_on=goes_on(before, shut=True),
                look=look,
                references=references,
            )
            served = Served(
                room,
                out=out,
                note=say,
                record=recorder,
                prepare=prepare,
                beep=machine_beep(),
                history=history,
            )
            return serve(served, listening, access=door, on_ready=ready)
        recording = open_recording(folder)
        setup = set_up(recording, protocols=protocols)
        go_on = goes_on(before, shut=_shut(recording))
        if go_on is not None:
            go_on(setup)  # says at once where it cannot go on
        elif (lies := unfinished(out)) is not None and may_go_on(lies, setup, now=now):
            say(f"A session was interrupted; to go on from its exposure add --resume {lies}")
            checks = (*checks, check_for(lies))
        if needs_eyes(recording):
            eyes = stack.enter_context(BodyEyes(models_dir=models_dir))
            prepare = _rehearse(recording, setup, eyes=lambda: BodyEyes(models_dir=models_dir))
            setup = replace(setup, eyes=eyes, hashes=setup.hashes | {"models": eyes.bundle_sha256})
        else:
            prepare = _rehearse(recording, setup)
        treatment = recording.treatment
        asked = questions_for(listed, zone=treatment.zone, device=treatment.device)
        staged = rehearsed(
            recording, setup, listed=listed, asked=asked, checks=checks, course=course, go_on=go_on
        )
        served = Served(staged, out=out, note=say, record=recorder, prepare=prepare, beep=machine_beep())
        return serve(served, listening, access=door, on_ready=ready)


def history_checks(history: Path | None, *, say: Callable[[str], None]) -> tuple[Check, ...]:
    """What is told before a treatment of those that were broken off and are not in the history.

    Args:
        history: The file; None = there is none.
        say: Told the same.
    """
    if history is None:
        return ()
    try:
        words = [one.words for one in broken_off(HistoryStore(history))]
    except InputError as trouble:
        words = [str(trouble)]
    for one in words:
        say(one)
    return tuple(Check("History", "look", one) for one in words)


def goes_on(before: Interrupted | None, *, shut: bool) -> Callable[[Setup], Setup] | None:
    """What takes over from an interrupted session when the new one begins, by the time of day then.

    Args:
        before: The interrupted one; None = there is none.
        shut: Whether no gas flows as the new one begins.
    """
    if before is None:
        return None
    return lambda setup: before.hand_on(setup, now=datetime.now(UTC), shut=shut)


def todays_report() -> Path:
    """Where a session with cameras is reported, by the time of day."""
    return Path(f"cryoguide-{datetime.now().astimezone():%Y%m%d-%H%M%S}-report")


def recorder_of(
    stack: ExitStack, *, out: Path, blur: bool, models_dir: Path | None
) -> Callable[[Staged], LiveRecording]:
    """What begins a recording beside the report.

    Args:
        stack: Closes what finds faces.
        out: The report's folder.
        blur: Whether to cover faces, where the zone is not on one.
        models_dir: The user's own models.
    """

    def begin(staged: Staged) -> LiveRecording:
        faces = None
        if blur and not staged.setup.zone.face and staged.setup.colour_expected:
            faces = FaceBlur(stack.enter_context(HeadFinder(models_dir=models_dir)))
        return LiveRecording(recording_path(out, now=datetime.now(UTC)), staged, faces=faces)

    return begin


def _shut(recording: Recording) -> bool:
    valve_s = recording.treatment.valve_s
    return valve_s is not None and all(from_s > 0.0 for from_s, _ in valve_s)


def _rehearse(recording: Recording, setup: Setup, *, eyes: Callable[[], BodyEyes] | None = None) -> Prepare:
    """Compile the skin's stages, then step the recording's beginning for nothing, until gas has flowed.

    Eyes of its own are opened and closed there: nobody takes them away from a step that nobody waits for.
    """

    def prepare(tell: Callable[[int, int], None]) -> None:
        warm_up(setup, on_progress=lambda done, of: tell(done, 2 * of))
        with ExitStack() as stack:
            own = setup if eyes is None else replace(setup, eyes=stack.enter_context(eyes()))
            rehearse(recording, own, tell=lambda share: tell(50 + round(50.0 * share), 100))

    return prepare


def rehearse(recording: Recording, setup: Setup, *, tell: Callable[[float], None] = lambda _: None) -> None:
    """Step the recording's beginning for nothing, until gas has flowed for a while.

    Args:
        recording: The session folder.
        setup: Of it.
        tell: Told which share is done.
    """
    run, gas_s = Run(setup, recording), 0.0
    for capture in recording.captures():
        run.take(capture)
        gas_s += capture.gas_s
        tell(min(1.0, max(gas_s / WARM_UP_S, capture.t_s / FIRST_LOOK_S)))
        if gas_s > WARM_UP_S or capture.t_s > FIRST_LOOK_S:
            return
