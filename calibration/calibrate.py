"""``cryoguide calibrate``: one step from recorded files, told in figures, written where it is good enough."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from calibration.all_command import calibrate_all
from calibration.collar_command import calibrate_collar
from calibration.print_command import print_sheet
from calibration.rgb_command import calibrate_rgb
from calibration.spread_command import calibrate_spread
from calibration.thermal_command import calibrate_thermal_step
from calibration.tip_command import calibrate_tip

_STEPS = {
    "all": calibrate_all,
    "collar": calibrate_collar,
    "print": print_sheet,
    "rgb": calibrate_rgb,
    "spread": calibrate_spread,
    "thermal": calibrate_thermal_step,
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
