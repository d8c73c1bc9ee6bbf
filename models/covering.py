"""A stated covariance, wider where something else is: no narrower than either in any direction."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from models.geometry import Floats

_LEAST = 1e-9
"""Of a variance, as a share of the largest in its direction: what is stated as known for sure."""


def covering(stated: Floats, others: Iterable[Floats]) -> Floats:
    """Make a covariance so wide that none of the others is wider in any direction.

    It grows in those directions alone in which another one is wider, and there as far as that. Adding them
    up would count twice what both say.

    Args:
        stated: Shape (n, n); may be singular, as where a parameter was not estimated.
        others: Of the same parameters, the same shape each.

    Returns:
        Shape (n, n), equal to ``stated`` where no other one is wider.
    """
    whole = np.asarray(stated, float)
    for other in others:
        size = np.sqrt(np.maximum(np.diag(whole), 0.0) + np.maximum(np.diag(other), 0.0))
        size = np.where(size > 0.0, size, 1.0)
        scale = np.outer(size, size)
        values, vectors = np.linalg.eigh(whole / scale)
        root = vectors * np.sqrt(np.maximum(values, _LEAST))
        back = vectors / np.sqrt(np.maximum(values, _LEAST))
        # In these coordinates the stated one is a sphere, and what sticks out of it is what is missing.
        shares, ways = np.linalg.eigh(back.T @ (other / scale) @ back)
        out = root @ (ways * np.sqrt(np.maximum(shares - 1.0, 0.0)))
        whole = whole + scale * (out @ out.T)
    return whole
