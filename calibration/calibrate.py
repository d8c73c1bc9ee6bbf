"""``cryoguide calibrate``: one step from recorded files, told in figures, written where it is good enough."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from calibration.all_command import calibrate_all
from calibration.axis_command import calibrate_axis
from calibration.check_command import check_rig_file
from calibration.collar_command import calibrate_collar
from calibration.depth_command import calibrate_depth
from calibration.jet_command import calibrate_jet
from calibration.print_command import print_sheet
from calibration.radiometry_command import calibrate_radiometry
from calibration.rgb_command import calibrate_rgb
from calibration.spread_command import calibrate_spread
from calibration.thermal_command import calibrate_thermal_step
from calibration.time_command import calibrate_time
from calibration.tip_command import calibrate_tip

_STEPS = {
    "all": calibrate_all,
    "axis": calibrate_axis,
    "check": check_rig_file,
    "collar": calibrate_collar,
    "depth": calibrate_depth,
    "jet": calibrate_jet,
    "print": print_sheet,
    "radiometry": calibrate_radiometry,
    "rgb": calibrate_rgb,
    "spread": calibrate_spread,
    "thermal": calibrate_thermal_step,
    "time": calibrate_time,
    "tip": calibrate_tip,
}


def calibrate(options: argparse.Namespace) -> bool:
    """Run one step.

    Returns:
        Whether what was found is good enough; where it is not, nothing was written.

    Raises:
        InputError: If what was given cannot be read or written.
    """
    return _STEPS[options.step](options, datetime.now(UTC))
