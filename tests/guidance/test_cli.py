"""The command line: exit codes, sentences, and what is printed."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from rich.console import Console

from guidance.cli import default_report_folder, main
from guidance.outcome import Earlier, Outcome, Trace
from guidance.session import Alarm
from guidance.terminal import ProgressLine, print_outcome
from models.catalogue import load_devices, load_protocols, load_zones
from models.history_rules import Reason, Refused
from models.problems import InputError
from models.treatment import Treatment

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Tick:
    """Stands for the progress that the analysis tells."""

    done: int
    total: int
    t_s: float
    note: str


@pytest.fixture(autouse=True)
def _keep_signals():
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def analysis(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., object]], None]:
    """Puts a function in the place of the analysis, so that these tests see the command line alone."""

    def put(function: Callable[..., object]) -> None:
        module = ModuleType("guidance.analyse")
        module.__dict__["analyse"] = function
        monkeypatch.setitem(sys.modules, "guidance.analyse", module)

    return put


def raising(error: BaseException) -> Callable[..., object]:
    def analyse(*_: object, **__: object) -> object:
        raise error

    return analyse


def test_bad_input_is_one_sentence_and_exit_code_2(analysis, capsys) -> None:
    analysis(raising(InputError("thermal.npz holds 3 pictures of another size; record again.")))
    assert main(["analyze", "nowhere"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines()[-1] == (
        "cryoguide: thermal.npz holds 3 pictures of another size; record again."
    )
    assert "Traceback" not in said.err


def test_live_needs_a_session_that_is_there_and_a_port_that_is_free(capsys, tmp_path: Path) -> None:
    assert main(["live", "--replay", str(tmp_path / "nowhere")]) == 2
    assert "does not exist" in capsys.readouterr().err.splitlines()[-1]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["live", "--replay", str(ROOT / "tests" / "recordings" / "calf"), "--port", port]) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert "choose another with --port" in said
    for wrong in ("70000", "-1", "http"):
        with pytest.raises(SystemExit):
            main(["live", "--replay", "x", "--port", wrong])


def test_a_missing_system_library_is_told_with_the_command_that_installs_it(analysis, capsys) -> None:
    analysis(raising(ImportError("libGL.so.1: cannot open shared object file: No such file or directory")))
    assert main(["analyze", "nowhere"]) == 2
    assert "apt-get install -y libegl1 libgl1 libgles2" in capsys.readouterr().err


def test_an_interruption_leaves_with_130(analysis, capsys) -> None:
    analysis(raising(KeyboardInterrupt()))
    assert main(["analyze", "nowhere"]) == 130
    assert "nothing half-written" in capsys.readouterr().err


def test_a_termination_unwinds_like_an_interruption(analysis) -> None:
    unwound = []

    def analyse(*_: object, **__: object) -> object:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            raise AssertionError("not reached")
        finally:
            unwound.append(True)

    analysis(analyse)
    assert main(["analyze", "nowhere"]) == 130
    assert unwound == [True]


def test_a_fault_of_ours_is_called_so_and_shows_its_traceback_only_when_asked(analysis, capsys) -> None:
    analysis(raising(ZeroDivisionError("float division by zero")))
    assert main(["analyze", "nowhere"]) == 1
    said = capsys.readouterr().err
    assert "fault of cryoguide" in said
    assert "Traceback" not in said
    with pytest.raises(ZeroDivisionError):
        main(["--debug", "analyze", "nowhere"])


@pytest.mark.parametrize("command", ["analyze", "live", "record", "simulate"])
def test_a_name_that_is_too_long_is_told_in_a_sentence(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    """Wherever it comes to light; it was called a fault of the program."""
    monkeypatch.chdir(tmp_path)
    name = "a" * 300
    given = {"live": ["--replay", name], "record": [name, "o.mcap"], "simulate": [name, "--seconds", "1"]}
    assert main([command, *given.get(command, [name])]) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert "too long" in said
    assert len(said) < 400
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_no_session_is_refused_and_leaves_nothing(tmp_path: Path, capsys) -> None:
    session = tmp_path / "holiday"
    session.mkdir()
    assert main(["analyze", str(session)]) == 2
    assert "holiday" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["holiday"]


def test_options_reach_the_analysis(analysis, tmp_path: Path) -> None:
    seen: dict[str, object] = {}

    def analyse(folder: Path, **options: object) -> Outcome:
        seen.update(options, folder=folder)
        return outcome()

    analysis(analyse)
    own, kept = tmp_path / "own.toml", tmp_path / "history"
    asked = ["--protocols", str(own), "--models", "m", "--history", str(kept), "--subject", "A-017"]
    listed = tmp_path / "listed.toml"
    asked += ["--questions", str(listed), "--from-sightings"]
    assert main(["analyze", "a/b", "--out", "c", "--no-video", *asked]) == 0
    seen.pop("on_progress")
    assert seen == {
        "folder": Path("a/b"),
        "out": Path("c"),
        "video": False,
        "protocols": own,
        "models_dir": Path("m"),
        "history": kept,
        "subject": "A-017",
        "questions": listed,
        "from_sightings": True,
    }


def test_the_history_is_kept_unless_it_is_not_wanted(analysis, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []

    def analyse(_: Path, **options: object) -> Outcome:
        seen.append(options["history"])
        return outcome()

    analysis(analyse)
    monkeypatch.setenv("CRYOGUIDE_DATA", "kept")
    assert main(["analyze", "a/b"]) == 0
    assert main(["analyze", "a/b", "--no-history"]) == 0
    assert seen == [Path("kept") / "history.sqlite3", None]


def test_the_report_goes_beside_the_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert default_report_folder(Path("a/b/")) == tmp_path / "a" / "b-report"
    assert default_report_folder(Path()) == tmp_path.with_name(f"{tmp_path.name}-report")


def test_help_and_version_load_no_heavy_module() -> None:
    code = (
        "import json, sys, guidance.cli as cli\n"
        "try: cli.main(['--version'])\n"
        "except SystemExit: pass\n"
        "print(json.dumps(sorted({'cv2', 'mediapipe', 'numba', 'numpy', 'av', 'rich'} & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == []


@pytest.mark.parametrize(("command", "words"), [("zones", "lumbar"), ("protocols", "ln2-analgesia")])
def test_the_catalogue_is_listed(command: str, words: str, capsys) -> None:
    assert main([command]) == 0
    assert words in capsys.readouterr().out


def test_a_protocol_file_with_mistakes_is_refused(tmp_path: Path, capsys) -> None:
    own = tmp_path / "own.toml"
    own.write_text("[mine]\ntitle = 3\n")
    assert main(["protocols", "--protocols", str(own)]) == 2
    assert "own.toml" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["simulate", "x", "--subject", "y"],
        ["live", "--port", "99999"],
        ["calibrate", "print", "collar", "--out", "s", "--across-mm", "-5"],
        ["replay"],
        ["no-such-command"],
        [],
    ],
)
def test_a_mistake_on_the_command_line_is_one_sentence(arguments: list[str], capsys) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("cryoguide: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("calibrate tip poses --limit-mm abc", "--limit-mm: 'abc' is no number above 0"),
        ("calibrate tip poses --limit-mm nan", "--limit-mm: 'nan' is no number above 0"),
        ("calibrate print board --out x --measured-mm wide", "--measured-mm: 'wide' is no number above 0"),
        ("calibrate tip poses --marker-mm 1 nan 2", "--marker-mm: 'nan' is no number"),
        ("calibrate radiometry --rig r --reference a 0 1 ice --room-degc inf", "--room-degc: 'inf' is no"),
        ("calibrate live --port 99999", "--port: '99999' is no port: give a number from 0 to 65535"),
        ("may-treat A-1 knee --side left --protocol x --skin-degc warm", "--skin-degc: 'warm' is no number"),
        ("may-treat A-1 knee --side left --protocol x --skin-degc nan", "--skin-degc: 'nan' is no number"),
        ("verify a.log --lines many", "--lines: 'many' is no whole number"),
        ("simulate out --shift-mm nan", "--shift-mm: 'nan' is no number"),
    ],
)
def test_a_figure_that_is_none_is_told_in_words_and_never_compared(arguments: str, told: str, capsys) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments.split())
    assert left.value.code == 2
    err = capsys.readouterr().err
    assert told in err
    assert err.count("\n") == 1


def test_a_place_that_cannot_be_written_or_read_is_named_once(tmp_path: Path, capsys) -> None:
    file = tmp_path / "file"
    file.touch()
    for arguments, path in (
        (["tones", "--out", str(file / "x")], file / "x"),
        (["checklist", "--answers", str(tmp_path / "nope")], tmp_path / "nope"),
    ):
        assert main(arguments) == 2
        err = capsys.readouterr().err
        assert err.count(str(path)) == 1
        assert "Errno" not in err


def test_a_file_without_a_protocol_is_refused(tmp_path: Path, capsys) -> None:
    empty = tmp_path / "e.toml"
    empty.touch()
    assert main(["protocols", "--check", str(empty)]) == 2
    assert "holds no protocol" in capsys.readouterr().err


def test_a_copy_of_the_protocols_can_be_checked_and_is_never_overwritten(tmp_path: Path, capsys) -> None:
    assert main(["protocols", "--copy", str(tmp_path / "own")]) == 0
    own = tmp_path / "own" / "protocols.toml"
    assert str(own) in capsys.readouterr().out
    assert main(["protocols", "--check", str(own)]) == 0
    said = capsys.readouterr().out
    assert load_protocols(own)["co2-analgesia"].fingerprint[:12] in said
    assert said.count("not approved by a clinician") == 7
    own.write_text(own.read_text() + "\n[mine]\n")
    assert main(["protocols", "--check", str(own)]) == 2
    assert "[mine] skin_degc is missing" in capsys.readouterr().err
    assert main(["protocols", "--copy", str(tmp_path / "own")]) == 2
    assert "is there already" in capsys.readouterr().err
    assert own.read_text().endswith("[mine]\n")


def test_the_table_says_which_protocols_are_not_approved(capsys) -> None:
    assert main(["protocols"]) == 0
    assert " ".join(capsys.readouterr().out.replace("│", " ").split()).count("approved") == 7


def test_what_is_not_known_is_never_printed_as_a_figure() -> None:
    said = printed(replace(outcome(), summary={"coverage_pct": None, "min_degc": float("nan"), "zone": {}}))
    for what in ("Area", "Reached the target", "Overexposed", "Unknown", "Longest dwell", "Unassigned"):
        (line,) = [line for line in said.splitlines() if f" {what} " in line]
        assert "not known" in line


def test_a_temperature_is_printed_with_its_bound() -> None:
    summary: dict[str, object] = {"min_degc": 1.24, "min_u95_degc": 2.0}
    assert "1.2 degC +- 2.0 degC (95 %)" in printed(replace(outcome(), summary=summary))
    assert "1.2 degC (bound not known)" in printed(replace(outcome(), summary={"min_degc": 1.24}))


def test_alarms_are_listed_once_a_cause_and_priority_each_with_its_own_first_time() -> None:
    alarms = (
        Alarm("distance", "physiological", "medium", "Move away.", 3.0, 4.0),
        Alarm("skin_temperature", "physiological", "medium", "Move on.", 12.0, 13.0),
        Alarm("distance", "physiological", "medium", "Move away.", 9.0, 9.5),
        Alarm("skin_temperature", "physiological", "high", "STOP the gas.", 14.25),
    )
    said = printed(replace(outcome(), alarms=alarms))
    lines = said.splitlines()
    rows = [i for i, line in enumerate(lines) if "Move" in line or "STOP the gas" in line]
    expected = (
        ("skin_temperature", "high", " 1 ", "14.25 s"),
        ("distance", "medium", " 2 ", "3.00 s"),
        ("skin_temperature", "medium", " 1 ", "12.00 s"),
    )
    assert len(rows) == len(expected)
    for row, (cause, priority, times, first) in zip(rows, expected, strict=True):
        assert all(words in lines[row] for words in (cause, times, first))
        assert priority in lines[row + 1]


def test_what_the_history_refuses_is_printed_before_what_it_warns_of() -> None:
    reasons = (Reason("interval", True, "Too soon."), Reason("perfusion", False, "Blood flow is low."))
    before = Earlier(Refused(reasons), sessions=1, session_used_s=0.0, continues=None, gap_s=None)
    lines = printed(replace(outcome(), earlier=before)).splitlines()
    assert lines.index("Refused: Too soon.") + 1 == lines.index("Warning: Blood flow is low.")


def test_report_and_video_are_named_in_full_on_one_line(tmp_path: Path) -> None:
    folder = tmp_path / ("long-name-" * 12)
    folder.mkdir()
    for name in ("report.html", "annotated.mp4"):
        (folder / name).touch()
    said = printed(outcome(), folder=folder).splitlines()
    assert f"Report {folder / 'report.html'}" in said
    assert f"Video  {folder / 'annotated.mp4'}" in said


def test_progress_without_a_terminal_is_a_line_at_every_tenth() -> None:
    stream = io.StringIO()
    with ProgressLine(Console(file=stream, width=80)) as line:
        line.say("starting")
        for done in range(201):
            line.show(done, 200, t_s=done / 10.0, note="analysing")
    lines = stream.getvalue().splitlines()
    assert len(lines) == 11
    assert lines[5].split() == ["50", "%", "10.0", "s", "analysing"]


def test_progress_on_a_terminal_ends_without_a_trace_of_itself() -> None:
    stream = io.StringIO()
    with ProgressLine(Console(file=stream, width=80, force_terminal=True)) as line:
        line.show(3, 10, t_s=0.3, note="analysing [all]")
    assert stream.getvalue().rstrip().endswith("\x1b[2K")


def printed(result: Outcome, *, folder: Path = Path("nowhere")) -> str:
    stream = io.StringIO()
    print_outcome(result, folder=folder, console=Console(file=stream, width=120))
    return stream.getvalue()


def outcome() -> Outcome:
    """A session of which nothing is known but its header."""
    zone, protocol = load_zones()["lumbar"], load_protocols()["ln2-analgesia"]
    none = np.zeros(0)
    return Outcome(
        name="a-session",
        treatment=Treatment(
            started=datetime(2026, 11, 23, tzinfo=UTC),
            zone="lumbar",
            side="both",
            device="ln2-wand",
            protocol="ln2-analgesia",
            subject=None,
            subject_height_mm=None,
            room_degc=None,
            valve_s=None,
            taps=(),
        ),
        zone=zone,
        protocol=protocol,
        device=load_devices()["ln2-wand"],
        rig=None,
        duration_s=20.0,
        chart=None,
        pixel_cells=None,
        exposure=None,
        verdicts=None,
        trace=Trace(
            t_s=none,
            is_colour=none.astype(bool),
            gas=none.astype(bool),
            nozzle_state=(),
            tags_used=none,
            tip_rgb_mm=none.reshape(0, 3),
            axis_rgb=none.reshape(0, 3),
            tip_u95_mm=none,
            distance_mm=none,
            distance_u95_mm=none,
            incidence_deg=none,
            zone_state=(),
            skin_min_degc=none,
            skin_min_u95_degc=none,
            time_to_limit_s=none,
            zone_mean_degc=none,
            zone_observed_share=none,
            status=(),
        ),
        alarms=(),
        poster=None,
        gas_stopped_s=None,
        summary={},
        warnings=(),
    )
