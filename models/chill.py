"""Times and degrees below a threshold between two observations of a temperature."""

from __future__ import annotations

import numpy as np

from models.geometry import Floats


def share_below(start_degc: Floats, end_degc: Floats, *, threshold_degc: float) -> Floats:
    """Share of an interval, 0..1, in which a straight line lies below a threshold."""
    low, high = np.minimum(start_degc, end_degc), np.maximum(start_degc, end_degc)
    under, over = np.maximum(threshold_degc - low, 0.0), np.maximum(high - threshold_degc, 0.0)
    span = np.where(np.isfinite(under + over), under + over, np.inf)
    return np.where(over > 0.0, under / np.where(span > 0.0, span, 1.0), (under > 0.0).astype(np.float64))


def mean_deficit_degc(start_degc: Floats, end_degc: Floats, *, threshold_degc: float) -> Floats:
    """Mean of max(0, threshold - T) over an interval in which T is a straight line."""
    under_start, under_end = (
        np.maximum(threshold_degc - start_degc, 0.0),
        np.maximum(threshold_degc - end_degc, 0.0),
    )
    return 0.5 * (under_start + under_end) * share_below(start_degc, end_degc, threshold_degc=threshold_degc)
