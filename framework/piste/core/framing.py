"""What a framing is: the seam that the files of framings/ fill."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from piste.core.data import Target
from piste.core.decision import Predictive
from piste.core.family import Kind

Rule = Literal["plug_in", "min_expected_cost"]


@dataclass(frozen=True, slots=True)
class Framing:
    """One way to turn the problem into a learning task. One file in framings/ holds one, under the name FRAMING.

    Args:
        name: the word in `framings:`; the file's name.
        title: the words on a leaderboard.
        order: where it stands among the framings, the plainest question first.
        kind: of the learning task.
        rule: how its predictions become an action: plug_in (taken at its word) or min_expected_cost.
        why_not: target -> a reason why this framing does not apply, as a sentence, or None.
        y: target -> what a family learns, (n_rows,).
        predictive: (predictions of the judged rows, predictions and y of out-of-sample rows of the other folds) ->
            the predictive distribution of the judged rows.
    """

    name: str
    title: str
    order: int
    kind: Kind
    rule: Rule
    why_not: Callable[[Target], str | None]
    y: Callable[[Target], np.ndarray]
    predictive: Callable[[np.ndarray, np.ndarray, np.ndarray], Predictive]
