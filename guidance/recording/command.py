"""``cryoguide record``, ``replay``, ``recover`` and ``verify``."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from guidance.pipeline import step
from guidance.recording.chained_log import ChainedLog, verify
from guidance.recording.log_beside import (
    BROKEN_OFF,
    HOLDS,
    RECOVERED,
    LogBeside,
    held_against,
    log_of,
    reported_seal,
    stem_of,
)
from guidance.recording.recorder import Manifest, Recorder, RecorderStatus
from guidance.recording.replay import Recorded, replayed
from guidance.seen import seen_in
from guidance.session import Guidance
from guidance.set_up import needs_eyes, set_up
from guidance.stages.state import State, begin
from guidance.terminal import ProgressLine
from guidance.version import software_version
from models.problems import InputError
from models.rig_checked import CHECK_FILE
from vision.encrypted import SUFFIX as ENCRYPTED
from vision.encrypted import decrypt
from vision.face_blur import FaceBlur, HeadFinder
from vision.files import atomic_file
from vision.landmarks import BodyEyes
from vision.mcap_copy import copy_whole
from vision.mcap_recording import open_mcap
from vision.source import SUFFIX, Source, open_source

ATTACHED = ("rig.toml", "session.toml", "checklist.toml", CHECK_FILE)
"""Files of a session folder that go into its recording."""


def record(
    session: Path,
    out: Path,
    *,
    blur: bool = True,
    encrypt_to: str | None = None,
    models_dir: Path | None = None,
) -> RecorderStatus:
    """Play a session through the pipeline and record it as a live session would be.

    Args:
        session: Session folder.
        out: The recording; its log goes beside it.
        blur: Cover faces in the colour pictures that are kept, where the zone is not on a face.
        encrypt_to: age public key; the file's name then ends in .mcap.age.
        models_dir: The user's own landmark models.

    Raises:
        InputError: If the session cannot be read or the recording cannot be written.
    """
    ending = SUFFIX if encrypt_to is None else SUFFIX + ENCRYPTED
    if not out.name.lower().endswith(ending):
        raise InputError(f"{out} has another ending than {ending}; give the recording that one.")
    source = open_source(session)
    with ProgressLine() as line, ExitStack() as stack:
        setup = set_up(source)
        if needs_eyes(source):
            line.say("loading landmark models")
            eyes = stack.enter_context(BodyEyes(models_dir=models_dir))
            setup = replace(setup, eyes=eyes, hashes=setup.hashes | {"models": eyes.bundle_sha256})
        faces = None
        if blur and not setup.zone.face and source.frames:
            line.say("loading the networks that find faces")
            faces = FaceBlur(stack.enter_context(HeadFinder(models_dir=models_dir)))
        manifest = Manifest(setup, attachments_of(source))
        recorder = Recorder(
            out, manifest, log=ChainedLog(log_of(out)), before_writing=faces, encrypt_to=encrypt_to
        )
        try:
            state = begin(setup.carried)
            for done, capture in enumerate(source.captures(), 1):
                state, guidance = step(state, capture, setup)
                recorder.take(
                    capture,
                    seen_in(state, capture, guidance),
                    guidance,
                    collar=state.nozzle_track.collar,
                    patient=True,
                )
                line.show(done, max(source.frames, 1), t_s=capture.t_s, note="recording")
        finally:
            status = recorder.close()
    return status


def print_recorded(out: Path, status: RecorderStatus) -> None:
    """What was written."""
    print(f"Recording  {out}  ({status.captures} captures, {status.bytes_written / 1e6:.1f} MB)")
    print(f"Log        {log_of(out)}")
    if status.trouble:
        print(f"Note       {status.trouble}")


def attachments_of(source: Source) -> tuple[tuple[str, bytes], ...]:
    """The files of a session that go into its recording."""
    found = ((name, source.attached(name)) for name in ATTACHED)
    return tuple((name, data) for name, data in found if data is not None)


def replay(path: Path) -> bool:
    """Replay a recording from what was seen, and print whether all is as it was.

    Returns:
        Whether every step told the same, to the last bit; False as well where steps are damaged.

    Raises:
        InputError: If it cannot be read.
    """
    recording = open_mcap(path, from_sightings=True)
    state: list[State] = []
    with ProgressLine() as line:

        def take(recorded: Recorded) -> Guidance:
            before = state.pop() if state else begin(recorded.setup.carried)
            after, guidance = step(before, recorded.capture, recorded.setup, recorded.actions)
            state.append(after)
            done = int((recording.times_s <= guidance.t_s).sum())
            line.show(done, len(recording.times_s), t_s=guidance.t_s, note="replaying")
            return guidance

        found = replayed(recording, take)
    for warning in recording.warnings:
        print(f"Note      {warning}")
    print(f"Replayed  {found.steps} captures, {recording.duration_s:.2f} s")
    if found.differing:
        print(f"Differ    {found.differing}, the first at {found.first_s:.3f} s: {found.what}")
        return False
    if recording.damaged:
        print("Partly    the same to the last bit as far as it can be read; what follows is not known")
        return False
    print("Same      every figure, cell and alarm, to the last bit")
    return True


def recover(path: Path, out: Path | None = None, *, identity: Path | None = None) -> Path:
    """Write all that can be read of a recording into a whole one.

    Args:
        path: The recording, which stays as it is.
        out: The file to write, which must not exist; ``NAME-recovered.mcap`` beside it where None.
        identity: File with the secret key of an encrypted recording; what is written is not encrypted.

    Returns:
        The file that was written.

    Raises:
        InputError: If nothing can be read, or the file cannot be written.
    """
    target = out or path.with_name(f"{stem_of(path)}{RECOVERED}{SUFFIX}")
    with atomic_file(target) as aside, ExitStack() as stack:
        source = path
        if identity is not None:
            source = stack.enter_context(atomic_file(target.with_name(f".{target.name}.plain"), keep=False))
            decrypt(path, source, identity=identity)
        open_mcap(source)  # says in one sentence what is wrong with it
        whole = copy_whole(source, aside, library=f"cryoguide {software_version()} recover")
    recording = open_mcap(target)
    print(f"Recovered  {target}")
    print(f"           {len(recording.times_s)} captures, {recording.duration_s:.2f} s")
    if whole.finished:
        print("           the original was whole already")
    elif whole.damaged:
        print(f"           the original is damaged: {whole.bytes_left_out} bytes from there on were left out")
    elif whole.bytes_left_out:
        print(f"           {whole.bytes_left_out} bytes at its end were half written and left out")
    return target


def verify_log(path: Path, *, lines: int | None = None, seal: str | None = None) -> bool:
    """Print whether a log holds.

    Args:
        path: The log.
        lines: How many it must have, where that is known from elsewhere.
        seal: Seal of its last line, where that is known from elsewhere.

    Returns:
        Whether it holds.

    Raises:
        InputError: If it cannot be read.
    """
    found = verify(path)
    trouble = found.trouble
    if not trouble and lines is not None and lines != found.lines:
        trouble = (
            f"{path.name} has {found.lines} lines, not {lines}: lines were cut off at its end, or added."
        )
    if not trouble and seal is not None and seal.lower() != found.seal:
        trouble = f"{path.name} ends with another seal: lines were cut off at its end, added or changed."
    reported = reported_seal(path)
    if not trouble and reported is not None and reported[1].lower() != found.seal:
        trouble = (
            f"{path.name} ends with another seal than its report in {reported[0]} names: lines were cut off"
            " at its end, added or changed since."
        )
    beside = _beside(path)
    if beside is not None and beside.state not in (HOLDS, BROKEN_OFF):
        trouble = trouble or beside.words
    print(f"Lines   {found.lines} that hold")
    print(f"Seal    {found.seal}")
    if trouble:
        print(f"Broken  {trouble}")
        return False
    if beside is not None and beside.words:
        print(f"Open    {beside.words}")
    elif not found.closed:
        print("Open    no line ends the session: it still runs, was interrupted, or its end was cut off")
    if reported is not None:
        print(f"Report  {reported[0]} names the same seal")
    if lines is None and seal is None and beside is None and reported is None:
        print(
            "        lines cut off at the end are told by --lines, --seal or the recording beside the log, or"
            " by a missing last line only"
        )
    return True


def _beside(log: Path) -> LogBeside | None:
    """What the recording beside a log says of it; None where there is none that can be read."""
    for name in (f"{log.stem}{SUFFIX}", f"{log.stem}{RECOVERED}{SUFFIX}"):
        path = log.with_name(name)
        if path.exists():
            try:
                return held_against(log, open_mcap(path, from_sightings=True))
            except InputError as trouble:
                print(f"Note    {trouble}")
    return None
