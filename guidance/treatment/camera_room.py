"""A live session with cameras: what they, the rig and the operator's choice are made into."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from guidance.set_up import set_up
from guidance.stages.state import Eyes, Setup
from guidance.treatment.choice import Choice, Choices
from guidance.treatment.course import Course
from guidance.treatment.gas_by_hand import GasByHand
from guidance.treatment.gas_from_input import GasFromInput
from guidance.treatment.preflight import Check, approval_check, calibration_check, calibration_of, rig_check
from guidance.treatment.rig_checking import Look, RigChecking
from guidance.treatment.staged import Staged
from models.capture import Capture
from models.contraindications import Question, Questions, questions_for
from models.rig import Rig
from models.rig_checked import CHECK_FILE
from models.treatment import Reference, Tap, Treatment
from vision.cameras import COLOUR, DEPTH, THERMAL, CameraState
from vision.gas_input import GasInput, GasState
from vision.live_cameras import LiveCameras


class CameraCaptures:
    """Captures of cameras that run already, from now on."""

    def __init__(self, cameras: LiveCameras, rig: Rig, gas: GasByHand) -> None:
        """The session's clock starts when the first capture is asked for."""
        self._cameras, self._rig, self._gas = cameras, rig, gas
        self._stop = threading.Event()

    def captures(self) -> Iterator[Capture]:
        """Each as it comes; the cameras go on when it is closed."""
        return self._cameras.captures(self._rig, gas=self._gas.flow, stop=self._stop, began=self._gas.began)

    def close(self) -> None:
        """No more captures."""
        self._stop.set()


@dataclass(frozen=True, eq=False)
class CameraSession:
    """A session that cameras give, as reports and recordings name it."""

    name: str
    treatment: Treatment
    rig: Rig
    rig_text: bytes
    rig_sha256: str
    kinds: frozenset[str]
    """Kinds of cameras that it has."""
    play: Callable[[], Iterator[Capture]]
    rig_check: bytes | None = None
    """The file of the last quick check of the rig."""
    warnings: tuple[str, ...] = ()
    duration_s: float = math.inf
    """Not known before its end."""
    picture_files: tuple[Path, ...] = ()

    @property
    def frames(self) -> int:
        """1 where there is a colour camera: how many pictures come is not known."""
        return int(COLOUR in self.kinds)

    @property
    def has_thermal(self) -> bool:
        """Whether there is a thermal camera."""
        return THERMAL in self.kinds

    @property
    def has_depth(self) -> bool:
        """Whether there is a depth camera."""
        return DEPTH in self.kinds

    def attached(self, name: str) -> bytes | None:
        """The rig and its last check, for the recording."""
        return {"rig.toml": self.rig_text, CHECK_FILE: self.rig_check}.get(name)

    def captures(self) -> Iterator[Capture]:
        """Only once: what is over does not come again."""
        return self.play()


@dataclass(frozen=True, eq=False)
class RigOnDisk:
    """The calibration of running cameras as it was read, and the check that lies beside it."""

    rig: Rig
    text: bytes
    """Its file."""
    sha256: str
    file: Path = Path("rig.toml")
    """Where it lies, for the command that checks it."""
    check: Callable[[], bytes | None] = lambda: None
    """Reads the file of the last quick check beside it, as it is now."""


@dataclass(frozen=True, eq=False)
class Offered:
    """What can be treated here, and what is asked before."""

    choices: Choices
    listed: Questions
    """All questions before the gas."""
    protocols: Path | None = None
    """The user's own protocols."""


@dataclass(frozen=True)
class _RigBeside:
    """The rig's last check, as it lies beside it now."""

    rig_sha256: str | None
    check: bytes | None

    def attached(self, name: str) -> bytes | None:
        """The check alone."""
        return self.check if name == CHECK_FILE else None


class CameraRoom:
    """Cameras, their rig and what can be treated; stages what the operator chose."""

    def __init__(
        self,
        cameras: LiveCameras,
        *,
        rig: RigOnDisk,
        offered: Offered,
        eyes: Eyes | None = None,
        models_sha256: str | None = None,
        taps: tuple[Tap, ...] = (),
        checks: tuple[Check, ...] = (),
        course: Course | None = None,
        go_on: Callable[[Setup], Setup] | None = None,
        gas: GasInput | None = None,
        references: tuple[Reference, ...] = (),
        look: Callable[[], Look] | None = None,
    ) -> None:
        """Nothing is chosen yet.

        Args:
            cameras: Running ones.
            rig: Their calibration.
            offered: What can be treated with what.
            eyes: Who finds the body; None = the zone is placed without.
            models_sha256: Checksum of what they see with.
            taps: The zone's outline, where it is known before.
            checks: What was looked at before.
            course: Where the treatment stands when the console opens.
            go_on: Takes over what an interrupted session hands on.
            gas: A running switch or valve that says whether gas flows; None = the operator does.
            references: Of known temperature in the cameras' pictures.
            look: Begins a quick check of the rig; None = it cannot be checked here.
        """
        self._gas, self._references = gas, references
        self.course, self._go_on = course or Course(), go_on
        self.cameras, self.rig, self._on_disk = cameras, rig.rig, rig
        self.choices, self.listed, self._protocols = offered.choices, offered.listed, offered.protocols
        self.checks = checks
        self._eyes, self._models_sha256, self._taps = eyes, models_sha256, taps
        self.rig_checking = None if look is None else RigChecking(look, self._shown)

    def _shown(self, stop: threading.Event) -> Iterator[Capture]:
        """What the cameras see before a session."""
        return self.cameras.captures(self.rig, gas=lambda _from_s, _to_s: (0.0, False), stop=stop)

    @property
    def states(self) -> Sequence[CameraState]:
        """How the cameras stand now."""
        return self.cameras.states

    @property
    def gas_state(self) -> GasState | None:
        """How the gas input stands now; None = there is none."""
        return None if self._gas is None else self._gas.state()

    def preflight(self, *, now: datetime | None = None) -> tuple[Check, ...]:
        """What is told before anything is chosen; the rig's check as it is now."""
        at = now or datetime.now(UTC)
        beside = _RigBeside(self._on_disk.sha256, self._on_disk.check())
        here = self.rig_checking is not None
        checked = rig_check(beside, now=at, rig=self.rig, rig_file=str(self._on_disk.file), here=here)
        return (*self.checks, calibration_of(self.rig, at), checked)

    def asked(self, choice: Choice) -> tuple[Question, ...]:
        """The questions before the gas."""
        return questions_for(self.listed, zone=choice.zone, device=choice.device)

    def stage(self, course: Course, *, now: datetime | None = None) -> Staged:
        """Set up what was chosen; its clock starts when its captures are asked for.

        Args:
            course: With a complete choice.
            now: Time of day.

        Raises:
            InputError: If zone and protocol do not go together.
        """
        choice, started = course.choice, now or datetime.now(UTC)
        treatment = Treatment(
            started=started,
            zone=choice.zone,
            side=choice.side,
            device=choice.device,
            protocol=choice.protocol,
            subject=course.subject or None,
            subject_height_mm=None,
            room_degc=None,
            valve_s=None,
            taps=self._taps,
            references=self._references,
        )
        gas = GasByHand() if self._gas is None else GasFromInput(self._gas)
        kinds = frozenset(camera.kind for camera in self.cameras.cameras)
        session = CameraSession(
            name=f"{choice.zone}-{started.astimezone():%Y%m%d-%H%M%S}",
            treatment=treatment,
            rig=self.rig,
            rig_text=self._on_disk.text,
            rig_sha256=self._on_disk.sha256,
            rig_check=self._on_disk.check(),
            kinds=kinds,
            play=lambda: CameraCaptures(self.cameras, self.rig, gas).captures(),
        )
        setup = set_up(session, protocols=self._protocols)
        if not self._taps:
            hashes = setup.hashes | {"models": self._models_sha256}
            setup = replace(setup, eyes=self._eyes, hashes=hashes)
        return Staged(
            setup=setup,
            listed=self.listed,
            asked=self.asked(choice),
            session=session,
            pictures=lambda: CameraCaptures(self.cameras, self.rig, gas),
            label="Live",
            checks=(
                *self.checks,
                calibration_check(setup),
                rig_check(session, now=started, rig=self.rig, rig_file=str(self._on_disk.file)),
                approval_check(setup),
            ),
            gas=gas,
            go_on=self._go_on,
            course=course,
        )
