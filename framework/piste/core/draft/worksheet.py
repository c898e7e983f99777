"""A problem without rows yet: a form to fill in, beside an empty table with the columns to collect."""

from __future__ import annotations

from piste.core.draft.lines import Draft, Line

ROWS = "rows.csv"
THING, DAY, BEFORE, NEEDED, ANSWER, LATER = "thing", "date", "known_long_before", "known_at_decision", "answer", "known_only_after"

INTRODUCTION = (
    f'A worksheet. Answer the questions from top to bottom: put your own words in the line below each, and take its "# " away.\n'
    f"The columns of {ROWS} are placeholders: rename them there and here alike, add as many as you need, and collect rows."
)
ABOVE = {
    "target": "Which column holds the answer, once it is known?",
    "target.kind": "What is it: an amount, a count, yes or no, one of several classes, or a grade?",
    "decision": "What is done differently because of the answer?",
    "decision.owner": "Who decides?",
    "decision.made_at": "When must it be settled, at the latest?",
    "decision.cost": "What does a mistake cost? Put amounts in place of the 1s: of one too much, and of one too little.",
    "decision.currency": "In what is it counted?",
    "time": "Which column says when a row happened? The future is then predicted from the past.",
    "unit": "What is one row about? Which columns together name it, so that no two rows agree in all of them?",
    "known_at": "When is each column known? No statistic can tell, and no model sees what is known only afterwards.",
    "known_at.always": "What is known long before: calendar, place, what never changes?",
    "known_at.decision": "What is known when it must be settled?",
    "known_at.after": "What is worth writing down, but known only afterwards?",
    "baselines": "How is it done today? A rule that anyone could follow is what a model has to beat.",
    "success": "What would be good enough: how much better than today's rule must it be to be worth the trouble?",
}


def worksheet(question: str, *, target: str = ANSWER, heading: str = "") -> tuple[Draft, str]:
    """Return a problem to fill in, and the names of the columns to collect, as the first line of a csv file.

    Args:
        question: in plain words.
        target: what the column of the answer is called.
        heading: the first line of the problem, for editors.
    """
    header = [THING, DAY, BEFORE, NEEDED, target, LATER]
    lines = (
        Line("question", question, said=True),
        Line("data", ROWS, said=True),
        Line("target.column", target, said=True),
        Line("target.kind", "numeric", "numeric, count, binary, category or ordered"),
        Line("decision.owner", "who decides"),
        Line("decision.made_at", "-1d 18:00", 'the evening before; or "-2h", two hours before `time`'),
        Line(
            "decision.cost",
            {"over": 1, "under": 1},
            "whether to act at all: {false_alarm: 1, miss: 1}, of acting in vain, and of not acting where it comes",
        ),
        Line("decision.currency", "EUR"),
        Line("time", DAY),
        Line("unit", [THING, DAY], "one thing on one day"),
        Line("known_at.always", [THING, DAY, BEFORE]),
        Line("known_at.decision", [NEEDED]),
        Line("known_at.after", [LATER]),
        Line("baselines.today", f"mean({target}) by {THING}", "what is usual for the thing"),
        Line("success.beat", "today"),
        Line("success.by", "5%", "of what the rule costs"),
    )
    return Draft(lines, {"question": INTRODUCTION, **ABOVE}, heading), ",".join(header) + "\n"
