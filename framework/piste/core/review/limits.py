"""M14: whether the champion keeps to what `constraints` allow in use."""

from __future__ import annotations

from piste.core.check import Found, NotApplicable, check
from piste.core.finding import Finding, short
from piste.core.review.evidence import Evidence


@check(
    "M14",
    "A constraint broken",
    "warn",
    computed="The time that the champion, fitted on all rows, takes for one row (the 95th percentile of 20 tries on this machine), and the "
    "size of the file that it is stored in.",
    threshold="What `constraints` allow.",
    alarm="None in size. A busy machine may make a model seem slow: run again.",
    source="Sculley et al., Hidden technical debt in machine learning systems, 2015; the limit is the author's own.",
)
def within_limits(evidence: Evidence) -> Found | NotApplicable:
    """The champion is slower or larger than `constraints` allow."""
    case, limits = evidence.case, evidence.case.resolved.problem.constraints
    if limits.latency_ms is None and limits.model_mb is None:
        return NotApplicable("the problem sets no limit to time or size (constraints)")
    if not case.measured:
        return NotApplicable("no model is stored that could be measured")
    title = evidence.row.title
    findings = []
    for name, limit, unit, words in (
        ("latency_ms", limits.latency_ms, "ms", "takes {} for one row"),
        ("model_mb", limits.model_mb, "MB", "takes {} to store"),
    ):
        found = case.measured.get(name)
        if limit is not None and found is not None and found > limit:
            message = f"{title} {words.format(f'{short(found)} {unit}')}, and constraints.{name} allows {limit:g}"
            follows = "It cannot be used as it is where that limit is meant"
            fix = "leave that kind of model out of `families`, or allow more"
            paste = f"constraints: {{{name}: {float(f'{1.2 * found:.2g}'):g}}}"
            findings.append(Finding("M14", "warn", name, found, limit, message, fix, follows, paste, f"constraints.{name}"))
    return Found(findings)
