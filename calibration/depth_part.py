"""What the step of the depth camera has to show in the certificate."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from calibration.board import Board
from calibration.certificate import Certified
from calibration.certificate_plots import bars_svg
from calibration.depth import DepthJudged
from models.rig import DEPTH_PARAMETERS, INTRINSICS


def facts(judged: DepthJudged, board: Board) -> list[str]:
    """Sentences: what was seen, what is left, how readings err."""
    found, way = judged.found, judged.found.step.best
    sigma = float(np.sqrt(way.sigma2_mm2 * (1.0 + way.own)))
    together = "each block by itself" if way.length < 0.5 else f"alike over {way.length:g} blocks"
    grows = {0.0: "alike near and far", 1.0: "growing with the distance"}.get(
        way.power, "growing with its square"
    )
    return [
        f"{int(found.used.sum())} pairs of a {board.words}, leaning by {judged.lean_deg:.0f} degrees in the"
        f" direction in which they lean least, farthest by nearest {judged.apart:.2f}.",
        f"Residual {float(np.sqrt(np.mean(found.off_mm**2))):.2f} mm rms, of {len(found.off_mm)} blocks of"
        " readings. It says how well planes fit, not how right the place is; the bounds do.",
        f"Readings err by {sigma:.1f} mm (1 sigma a block), most likely {together}, {grows}.",
        f"Pairs disagree by {np.sqrt(found.step.more):.2f} times what that explains; it is in the bounds.",
        _lens(judged),
    ]


def _lens(judged: DepthJudged) -> str:
    """How far the boards moved the lens from what was stated."""
    moved, open_ = judged.found.step.known_change[:4], np.sqrt(np.diag(judged.found.covariance))[:4]
    each = ", ".join(f"{by:+.2f} (to {1.96 * one:.2f})" for by, one in zip(moved, open_, strict=True))
    return f"By the boards its lens (fx, fy, cx, cy) is off what was stated by {each} px (95 %)."


def depth_part(
    judged: DepthJudged, names: Sequence[str], left_out: Sequence[str], board: Board, *, size_u95: float
) -> Certified:
    """Of the depth camera.

    Args:
        judged: What was found.
        names: Of all pairs in which the board was found.
        left_out: A sentence for each other pair.
        board: What was seen.
        size_u95: 95 % bound of the share by which it may be larger than told.
    """
    camera, found, first = judged.camera, judged.found, len(INTRINSICS)
    assert camera.covariance is not None
    turn, _ = cv2.Rodrigues(camera.depth_from_rgb.rotation)
    values = [*np.ravel(turn), *camera.depth_from_rgb.translation_mm, camera.scale, camera.offset_mm]
    covariance = camera.covariance[first:, first:]
    used = [name for name, here in zip(names, found.used, strict=True) if here]
    return Certified(
        step="depth",
        table="depth",
        title="Depth camera: where it stands to the colour camera, and its readings",
        parameters=tuple(
            (name, float(value), 1.96 * float(one))
            for name, value, one in zip(
                DEPTH_PARAMETERS[first:], values, np.sqrt(np.diag(covariance)), strict=True
            )
        ),
        covariance_of=DEPTH_PARAMETERS[first:],
        covariance=covariance,
        on_skin=(
            ("distance, as far as calibration leaves it open", judged.along_mm),
            ("place beside the line of sight", judged.across_mm),
        ),
        facts=(
            *facts(judged, board),
            f"The board's size is known to {100.0 * size_u95:.2f} % (95 %); that, both lenses,"
            " the corners and a board bent by 0.2 mm are in the bounds.",
            "What one reading errs by itself comes on top, and is in the bounds of the skin.",
        ),
        plots=(
            (
                "Mean of what is left in each pair, mm",
                bars_svg(
                    used,
                    np.abs(found.view_off_mm[found.used]).tolist(),
                    limit=None,
                    unit="mm",
                ),
            ),
        ),
        used=tuple(used),
        refused=(*left_out, *found.left_out),
    )
