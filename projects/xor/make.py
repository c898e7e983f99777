"""Four clouds of points, opposite ones of one class: what no straight line can part."""

import numpy as np
import pandas as pd


def xor(seed: int = 0, per_cloud: int = 100, spread: float = 0.25) -> pd.DataFrame:
    """Return points around the corners of a square, and whether the signs of the corner's coordinates differ.

    Args:
        seed: of the noise.
        per_cloud: points around each of the four corners (-1, -1), (-1, 1), (1, -1) and (1, 1).
        spread: standard deviation of the noise around a corner, which is 1 away from the border of the other class.
    """
    corners = np.array([(-1, -1), (-1, 1), (1, -1), (1, 1)]).repeat(per_cloud, axis=0)
    points = corners + np.random.default_rng(seed).normal(0, spread, corners.shape)
    differ = np.where(corners[:, 0] != corners[:, 1], "yes", "no")
    return pd.DataFrame({"x1": points[:, 0], "x2": points[:, 1], "differ": differ})
