"""The plain least-squares solution beside ours, as a page shows it: read from what a step's command told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_PARAMETER = re.compile(r"^(f[xy]_px)\s+([\d.]+)\s+([\d.]+)$")
_RMS = re.compile(r"^rms ([\d.]+) px\.")
_PLAIN_LENS = re.compile(r"^  (\S.*?)\s+([\d.]+)\s+([\d.]+)\s+([\d.]+)$")
_TIP = re.compile(
    r"^(plain|robust)\s+(-?[\d.]+)\s+(-?[\d.]+)\s+(-?[\d.]+)\s+([\d.]+ mm|not known)\s+([\d.]+)\s+(\d+)$"
)
_LENS_VERDICT, _MORE = "Its focal length is ", "MORE THAN THE BOUND"
_TIP_VERDICT = "The plain and the robust solution are "


@dataclass(frozen=True)
class Beside:
    """A small table with a sentence."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """Ours first; as many words as `head` has."""
    verdict: str
    differs: bool
    """Whether the two lie farther apart than their bounds allow."""


def beside_of(name: str, lines: Sequence[str]) -> Beside | None:
    """What a step's command told of both solutions.

    Args:
        name: Of the step.
        lines: All that it said.

    Returns:
        None for a step that has no plain solution, or where none was told.
    """
    if name == "rgb":
        return _lens(lines)
    return _tip(lines) if name == "tip" else None


def _lens(lines: Sequence[str]) -> Beside | None:
    ours = {found[1]: (found[2], found[3]) for line in lines if (found := _PARAMETER.match(line))}
    rms = next((found[1] for line in lines if (found := _RMS.match(line))), "")
    verdict = next((line for line in lines if line.startswith(_LENS_VERDICT)), None)
    plain = [found.groups() for line in lines if (found := _PLAIN_LENS.match(line))]
    if verdict is None or set(ours) != {"fx_px", "fy_px"} or not plain:
        return None
    own = [f"{float(value):.2f} ± {float(bound):.2f}" for value, bound in (ours["fx_px"], ours["fy_px"])]
    rows = [("ours, with its 95 % bound", *own, rms)]
    rows += [(f"plain, {what}", fx, fy, off) for what, fx, fy, off in plain]
    head = ("", "fx, px", "fy, px", "residual, px rms")
    return Beside(head, tuple(rows), verdict.replace("Its", "The plain", 1), _MORE in verdict)


def _tip(lines: Sequence[str]) -> Beside | None:
    found = {one[1]: one for line in lines if (one := _TIP.match(line))}
    if set(found) != {"plain", "robust"}:
        return None
    rows: list[tuple[str, ...]] = []
    for name, words in (("robust", "ours, robust"), ("plain", "plain least squares")):
        one = found[name]
        rows.append((words, f"({one[2]}, {one[3]}, {one[4]})", one[5], one[6], one[7]))
    tips = [np.array([float(found[name][k]) for k in (2, 3, 4)]) for name in ("plain", "robust")]
    apart_mm = float(np.linalg.norm(tips[0] - tips[1]))
    told = next((line for line in lines if line.startswith(_TIP_VERDICT)), None)
    verdict = told or f"{_TIP_VERDICT}{apart_mm:.2f} mm apart: within their bounds."
    head = ("", "tip in the frame of the poses, mm", "95 % bound", "residual, mm rms", "poses")
    return Beside(head, tuple(rows), verdict, told is not None)
