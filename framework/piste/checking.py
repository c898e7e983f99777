"""From a problem that is ready to run to what the audit says of it."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from piste.core.audit import Survey
from piste.core.errors import Fault
from piste.families.boosting import PROBE
from piste.prepare import Prepared


def survey_of(prepared: Prepared, *, faults: Sequence[Fault] = (), judged_before: np.ndarray | None = None) -> Survey:
    """Return what the audit looks at.

    Args:
        prepared: a problem ready to run.
        faults: what had to be set aside before it was.
        judged_before: (n_rows,) how many earlier comparisons have judged each row.
    """
    return Survey(
        prepared.resolved,
        prepared.folds,
        prepared.plan,
        prepared.study,
        PROBE,
        tuple(faults),
        judged_before,
        time.perf_counter,
    )
