"""How well calibration knows the nozzle: tip, axis and tags, as ``rig.toml`` states it.

``[nozzle.covariance]`` is the tip's, ``[nozzle.axis.covariance]`` the axis', ``[nozzle.collar.covariance]``
that of the tags' places; each has ``parameters`` and ``matrix``, 1 sigma squared
(`models.nozzle_errors_file`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.geometry import Floats, Pose

TIP = ("tip_x_mm", "tip_y_mm", "tip_z_mm")
"""Parameters of ``[nozzle.covariance]``, nozzle frame."""

AXIS = ("axis_x_rad", "axis_y_rad")
"""Parameters of ``[nozzle.axis.covariance]``: how far the jet leans off +z towards x and y."""


@dataclass(frozen=True, eq=False)
class NozzleErrors:
    """1 sigma squared, nozzle frame; what calibration did not state is None."""

    tip_mm2: Floats | None = None
    """Shape (3, 3)."""
    axis_rad2: Floats | None = None
    """Shape (2, 2), in the order of `AXIS`."""
    tag_mm2: Floats | None = None
    """Of the middles of the tags, tag after tag, shape (3n, 3n)."""

    @property
    def stated(self) -> bool:
        """Whether anything is."""
        return self.tip_mm2 is not None or self.axis_rad2 is not None or self.tag_mm2 is not None

    @property
    def tag_sigma_mm(self) -> float | None:
        """1 sigma of a tag's place per direction, mean over all."""
        return None if self.tag_mm2 is None else float(np.sqrt(np.mean(np.diag(self.tag_mm2))))

    def pose_covariance(self, rgb_from_nozzle: Pose, centroid_rgb_mm: Floats) -> Floats:
        """What errors of tip and axis amount to, as if the whole nozzle were moved.

        The axis leans about the tip, so the tip stays where it is; a wrong tip shifts all. Points of the jet
        then scatter as they really do; tags, which are seen, do not.

        Args:
            rgb_from_nozzle: Where the nozzle is.
            centroid_rgb_mm: About which the covariance is stated, shape (3,).

        Returns:
            Of rotation vector (rad) and shift (mm), as in `models.sightings.NozzleSighting`, shape (6, 6).
        """
        turn, whole = rgb_from_nozzle.rotation, np.zeros((6, 6))
        if self.tip_mm2 is not None:
            whole[3:, 3:] += turn @ self.tip_mm2 @ turn.T
        if self.axis_rad2 is not None:
            # z x (x, y, 0) = (-y, x, 0): the small turn that leans the axis so.
            leans = turn @ np.array([[0.0, -1.0], [1.0, 0.0], [0.0, 0.0]])
            x, y, z = centroid_rgb_mm - rgb_from_nozzle.translation_mm
            shifts = np.array([[0.0, z, -y], [-z, 0.0, x], [y, -x, 0.0]]) @ leans
            both = np.vstack([leans, shifts])
            whole += both @ self.axis_rad2 @ both.T
        return whole
