"""A long leaderboard of a priced decision, and paper to print on."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from piste.core.comparison import Comparison, Curve, Interval, Judged, Verdict
from piste.core.finding import Finding
from tests.comparisons import regression

NAN = float("nan")
FRAMINGS = ("mean", "distribution", "quantiles", "classes", "ordered", "all_runs", "with_lags")
FAMILIES = {
    "linear": "Linear regression (ridge, alpha 3.97)",
    "tree": "Decision tree (depth 12, at least 10 rows a leaf, cp 0.0001)",
    "neighbours": "Nearest neighbours (10 nearest, closer counts more, Euclidean)",
    "forest": "Forest (random forest, 300 trees, max_features 0.5)",
    "boosting": "Gradient boosting (LightGBM, learning rate 0.05, 31 leaves of at least 20 rows)",
    "svm": "Support vector machine (RBF, C 3, gamma 1 x scale, epsilon 0.1)",
    "kernel": "Kernel ridge regression (RBF, alpha 0.3, gamma 1 x scale)",
    "neural": "Neural network (2 x 64 silu, dropout 0.1, lr 0.02, 4 averaged)",
    "blend": "Blend (0.39 forest, 0.35 neural, 0.26 linear)",
}
RULES = {
    "ticket_rule": "Baseline (tickets_total * (sum(skiers) / sum(tickets_total) by run))",
    "usual": "Baseline (climatology: class shares by run and date.weekday)",
    "last_value": "Baseline (last value by run)",
}
ACTIONS = {"unstaffed": 0.31, "one_marshal": 0.4, "two_marshals": 0.29}
CHAMPION, TO_BEAT = "mean/forest/dressed", "mean/baseline:ticket_rule/dressed"


def printed(drawn: object, width: int = 140) -> str:
    """Print on paper of this width."""
    console = Console(width=width, file=io.StringIO(), color_system=None, force_terminal=False, highlight=False)
    console.print(drawn)
    return console.file.getvalue()


def decided() -> Comparison:
    """Return a comparison of 7 framings x 9 families x 2 rules, of which the champion is third and the best rule 115th of 132."""
    named = [(framing, family, rule) for rule in ("dressed", "plug_in") for framing in FRAMINGS for family in reversed(FAMILIES)]
    named.remove(("mean", "forest", "dressed"))
    named.insert(2, ("mean", "forest", "dressed"))
    named[114:114] = [("mean", f"baseline:{name}", rule) for name in RULES for rule in ("dressed", "plug_in")]
    titles = FAMILIES | {f"baseline:{name}": title for name, title in RULES.items()}
    to_beat = 40.0 + 0.2 * 114
    rows = tuple(
        _row(framing, family, rule, titles[family], 40.0 + 0.2 * place, to_beat) for place, (framing, family, rule) in enumerate(named)
    )
    known = [("foresight", "Perfect foresight", 0.0), ("truth", "The world's own distribution (known only because it is simulated)", 33.8)]
    references = tuple(
        replace(
            _row(framing, "reference", "known", title, cost, to_beat), cost_lo=NAN, cost_hi=NAN, gain_lo=NAN, gain_hi=NAN, fit_seconds=NAN
        )
        for framing, title, cost in known
    )
    return replace(
        regression(),
        problem="ski-runs",
        cost_name="EUR",
        priced=True,
        n_columns=1200,
        judged=rows,
        absent=(),
        references=references,
        champion=CHAMPION,
        best_baseline=TO_BEAT,
        next_period=Interval(18.397, -4.2346, 41.029),
        verdict=Verdict("ship", "Ship the forest: it saves 11.4 to 24.8 EUR a decision."),
        findings=tuple(Finding("M06", "warn", f"grade {k}", 0.3, 0.25, f"Grade {k} costs more", "keep the rule there") for k in range(4))
        + tuple(Finding("M10", "note", f"column {k}", 0.1, 0.05, f"Column {k} is new") for k in range(3)),
        curve=Curve(regression().losses, Interval(39.0, 37.0, 41.0), 0.9, 0.7, ("The network overtakes the forest at about 3,000 rows",)),
    )


def _row(framing: str, family: str, rule: str, title: str, cost: float, to_beat: float) -> Judged:
    gain = 1 - cost / to_beat
    return Judged(
        framing=framing,
        family=family,
        rule=rule,
        title=title,
        params={},
        tier=0 if family.startswith("baseline:") else 1,
        cost=cost,
        cost_lo=cost - 4,
        cost_hi=cost + 4,
        gain_vs_baseline=gain,
        gain_lo=gain - 0.12,
        gain_hi=gain + 0.12,
        tied_with_best=cost < 43,
        metrics={"rmse": 500.0},
        train_metrics={"rmse": 300.0},
        fold_costs=(cost, cost, cost, cost),
        fit_seconds=1.5,
        predict_seconds=0.1,
        n_trials=11,
        actions=ACTIONS,
    )
