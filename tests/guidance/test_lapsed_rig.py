"""A session whose rig has parts that no longer hold is guided with wider bounds, and says so."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np

from guidance.run import Run
from guidance.session import Guidance
from guidance.set_up import set_up
from models.rig_file import read_rig, write_rig
from models.sightings import NozzleSighting
from models.validity import Found, Validity
from vision.recording import open_recording

TO_S = 0.3


def guided(folder: Path) -> tuple[list[Guidance], list[str]]:
    """What was told, and what the report warns of."""
    recording = open_recording(folder)
    run, told = Run(set_up(recording), recording), []
    for capture in recording.captures():
        if capture.t_s > TO_S:
            break
        told.append(run.take(capture))
    return told, list(run.outcome(runtime_s=0.0).warnings)


def tip_u95_mm(told: list[Guidance]) -> float:
    return float(np.median([g.nozzle.tip_u95_mm for g in told if isinstance(g.nozzle, NozzleSighting)]))


def with_tip_found_with(lens: str, *, source: Path, into: Path) -> Path:
    """A copy with lens and tip marked in its rig; the tip rests on the lens that is named."""
    folder = into / source.name
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("truth"), copy_function=shutil.copyfile)
    folder.chmod(0o755)
    rig, _ = read_rig((folder / "rig.toml").read_text("utf-8"), where="rig.toml")
    found = (Found("rgb", rig.created, "lens", ()), Found("tip", rig.created, "tip", (("rgb", lens),)))
    (folder / "rig.toml").write_text(write_rig(replace(rig, validity=Validity(found))), "utf-8")
    return folder


def test_a_tip_found_with_another_lens_widens_its_bound_and_is_told(tmp_path: Path, calf: Path) -> None:
    holds = with_tip_found_with("lens", source=calf, into=tmp_path / "holds")
    lapsed = with_tip_found_with("another", source=calf, into=tmp_path / "lapsed")
    plain, told_plain = guided(calf)
    same, told_same = guided(holds)
    wide, told_wide = guided(lapsed)
    assert tip_u95_mm(same) == tip_u95_mm(plain), "what holds does not change by a bit"
    assert told_same == told_plain
    assert tip_u95_mm(wide) > 1.1 * tip_u95_mm(plain)
    (said,) = [words for words in told_wide if words not in told_plain]
    assert "orifice of the nozzle: found with another lens of the colour camera" in said
    assert "until then wider bounds are used for orifice of the nozzle" in said
    alarms = {alarm.cause: alarm.message for g in wide for alarm in g.active}
    assert "tip" in alarms["calibration_lapsed"]
    assert "calibration_lapsed" not in {alarm.cause for g in same for alarm in g.active}
