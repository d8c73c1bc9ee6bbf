"""Options of the steps of ``cryoguide calibrate`` that are about the nozzle: tip, axis, collar, jet."""

from __future__ import annotations

import argparse
from pathlib import Path

from calibration.step_options import add_rig, positive


def add_tip(steps: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the step that finds the tip."""
    tip = steps.add_parser(
        "tip",
        help="the tip of the nozzle, from poses turned about it",
        description="Pivot: the tip of the nozzle from poses of its tags, turned about the resting tip."
        " Refuses"
        " what is not good enough (exit code 3).",
    )
    _add_poses(tip)
    tip.add_argument(
        "--limit-mm",
        type=positive,
        default=None,
        metavar="MM",
        help="largest 95 %% bound accepted (default: 2.5)",
    )
    tip.add_argument(
        "--marker-mm",
        type=float,
        nargs=3,
        metavar=("X", "Y", "Z"),
        help="middle of the tags in the frame of the poses (default: of the rig's tags, or 0 0 0)",
    )
    add_rig(tip, "rig whose nozzle is to have its origin at this tip")
    tip.set_defaults(step="tip")


def add_axis(steps: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the step that finds the axis."""
    axis = steps.add_parser(
        "axis",
        help="the jet's axis, from poses of the nozzle spun about itself",
        description="Spin the nozzle about itself in a V-block or between fingers: its axis from poses of"
        " its tags, after `tip`. Refuses what is not good enough (exit code 3).",
    )
    _add_poses(axis)
    axis.add_argument(
        "--limit-deg",
        type=positive,
        default=None,
        metavar="DEG",
        help="largest bound accepted (default: 0.5)",
    )
    add_rig(axis, "rig whose nozzle is to blow along this axis", needed=True)
    axis.set_defaults(step="axis")


def add_collar(steps: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the step that finds where the tags sit."""
    collar = steps.add_parser(
        "collar",
        help="where the tags of the nozzle's collar sit, from a slow turn before the camera",
        description="Places of the collar's tags from a folder of pictures or a video of a slow turn. Refuses"
        " what is not good enough (exit code 3).",
    )
    collar.add_argument(
        "pictures", type=Path, metavar="PICTURES", help="folder of pictures, a video, or a recording"
    )
    collar.add_argument(
        "--tag-mm-u95",
        type=positive,
        metavar="MM",
        help="95 %% bound of the side of all tags, as measured with a calliper; written as [nozzle.scale]",
    )
    collar.add_argument(
        "--collar",
        type=Path,
        metavar="FILE",
        help="collar.toml as `print collar` wrote it, where the rig has no nozzle yet",
    )
    add_rig(collar, "rig whose colour camera is calibrated and whose nozzle has this collar", needed=True)
    collar.set_defaults(step="collar")


def add_jet(steps: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the step that finds footprint and cooling."""
    jet = steps.add_parser(
        "jet",
        help="the device's footprint and cooling, from short bursts on a plain warm surface",
        description="Footprint and film of the jet by distance, from recordings of 2 to 5 s of gas on a flat"
        " warm surface, nozzle, thermal and depth camera in sight. Refuses what is not good enough"
        " (exit code 3).",
    )
    jet.add_argument(
        "recordings", type=Path, nargs="+", metavar="RECORDING", help="sessions, MCAP or folders"
    )
    jet.add_argument(
        "--surface", choices=("agar", "skin"), default="agar", help="what was blown on (default: agar)"
    )
    jet.add_argument("--device", metavar="NAME", help="what blows, where the recordings do not say")
    jet.add_argument("--effusivity", type=positive, metavar="E", help="of another surface, W s^0.5 / (m2 K)")
    jet.add_argument(
        "--effusivity-u95", type=positive, metavar="SHARE", help="its 95 %% bound as a share (default: 0.1)"
    )
    add_rig(jet, "rig whose [jet] is to be replaced", needed=True)
    jet.set_defaults(step="jet")


def _add_poses(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "poses",
        type=Path,
        metavar="POSES",
        help="folder of pictures, video, session folder or recording of the nozzle; or 4x4 poses, mm",
    )
    for name, words in (("--from-s", "from"), ("--to-s", "up to")):
        parser.add_argument(
            name, type=float, metavar="S", help=f"of a video or recording: look {words} this time only"
        )
