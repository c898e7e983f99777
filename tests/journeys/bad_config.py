"""Problem files that cannot work, and what must be said of each: the file, the line, the field, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MINIMAL = "data: rows.csv\ntarget: y\n"  # what a case adds stands in line 3
ROWS = "x,g,day,w,y\n" + "".join(f"{i},{'abc'[i % 3]},2025-01-{i % 28 + 1:02d},1,{i * 7 % 11 + 0.5}\n" for i in range(60))
CLASSES = ROWS.replace("y\n", "y,sick\n", 1).replace(".5\n", ".5,yes\n", 40).replace(".5\n", ".5,no\n")


@dataclass(frozen=True, slots=True)
class BadCase:
    """A folder that holds a problem which cannot work.

    Args:
        name: of the case.
        files: what the folder holds; paths to contents.
        expected: each must stand in the message; the first begins a line of it.
        needs_data: whether the fault only shows once the rows are read.
        mode: permissions of problem.yaml.
    """

    name: str
    files: Mapping[str, str | bytes]
    expected: tuple[str, ...]
    needs_data: bool = False
    mode: int = 0o644


def file(name: str, content: str | bytes, *expected: str) -> BadCase:
    """Return a case of a problem.yaml that cannot be read."""
    return BadCase(name, {"problem.yaml": content, "rows.csv": ROWS}, expected)


def line(name: str, added: str, *expected: str) -> BadCase:
    """Return a case of lines added to a minimal problem."""
    return BadCase(name, {"problem.yaml": MINIMAL + added + "\n", "rows.csv": ROWS}, expected)


def data(name: str, text: str, *expected: str) -> BadCase:
    """Return a case that shows once the rows are read."""
    return BadCase(name, {"problem.yaml": text, "rows.csv": CLASSES}, expected, needs_data=True)


LAUGHS = "a: &a [x, x]\n" + "".join(f"{here}: &{here} [*{there}, *{there}]\n" for there, here in zip("abcdefgh", "bcdefghi", strict=True))

CANNOT_BE_READ = (
    BadCase("no file", {"rows.csv": ROWS}, (".: must hold a problem.yaml", "but does not")),
    BadCase("another file beside", {"first.yaml": MINIMAL}, (".: must hold a problem.yaml", "Did you mean 'first.yaml'?")),
    BadCase("a folder", {"problem.yaml/inner.yaml": MINIMAL}, ("problem.yaml: must be a file", "a folder")),
    BadCase("no permission", {"problem.yaml": MINIMAL}, ("problem.yaml: must be a file that can be read", "Permission denied"), mode=0),
    file("empty", "", "problem.yaml: must say at least `data: FILE` and `target: COLUMN`, but is empty"),
    file("only comments", "# data: rows.csv\n\n", "problem.yaml: must say at least", "but is empty"),
    file("a list at the top", "- data: rows.csv\n- target: y\n", "problem.yaml:1:1: must be lines of `key: value`, but is a list"),
    file("a text at the top", "data rows.csv\n", "problem.yaml:1:1: must be lines of `key: value`, but is a single value"),
    file("two documents", MINIMAL + "---\n" + MINIMAL, "problem.yaml:3:1: must hold one document"),
    file("something behind the end", MINIMAL + "...\nseed: 1\n", "problem.yaml:4:1: this does not belong to the lines above"),
    file("larger than 256 KiB", MINIMAL + "#" * 300_000, "problem.yaml: must hold at most 256 KiB"),
    file("latin-1", "question: Für wen?\n".encode("latin-1") + MINIMAL.encode(), "problem.yaml:1:12: must be UTF-8", "0xfc"),
    file("utf-16", MINIMAL.encode("utf-16"), "problem.yaml: must be UTF-8, but is UTF-16"),
    file("a null character", "data: rows\x00.csv\n", "problem.yaml:1:11: must be text", "U+0000"),
    file("a control character", MINIMAL + "question: a\x1b[31m\n", "problem.yaml:3:12: must be text", "U+001B"),
    file("a tab", "data:\n\tpath: rows.csv\n", "problem.yaml:2:1: a tab stands where only blanks may"),
    file(
        "an open quote", "data: rows.csv\nquestion: 'How many?\ntarget: y\n", "problem.yaml:2:11: the quote that opens here is never closed"
    ),
    file("an open double quote", 'data: "rows.csv\ntarget: y\n', "problem.yaml:1:7: the quote that opens here is never closed"),
    file("an open bracket", MINIMAL + "unit: [g, day\nseed: 1\n", "problem.yaml:3:7: the bracket that opens here is not closed by ']'"),
    file("an open brace", MINIMAL + "split: {folds: 5\n", "problem.yaml:3:8: the bracket that opens here is not closed by '}'"),
    file("two colons", "data: rows.csv\ntarget: y: z\n", "problem.yaml:2:10: a ': ' cannot stand here", "in quotes"),
    file("an at sign", "data: @rows\n", "problem.yaml:1:7: a value cannot start with '@': put it in quotes"),
    file("a percent sign", MINIMAL + "question: %x\n", "problem.yaml:3:11: a value cannot start with '%'"),
    file("no colon", MINIMAL + "seed 3\n", "problem.yaml:3:1: this line is no 'key: value' line"),
    file("no blank behind the colon", MINIMAL + "seed:3\nmetric: rmse\n", "problem.yaml:3:1: this line is no 'key: value' line"),
    file("indented too little", "data:\n    path: rows.csv\n  sheet: a\ntarget: y\n", "problem.yaml:3:3: this line does not line up"),
    file("a list in a line", MINIMAL + "unit: - g\n", "problem.yaml:3:7: a list item ('- ') cannot start here"),
    file("a backslash", MINIMAL + 'question: "C:\\data"\n', "problem.yaml:3:15: a backslash in double quotes starts an escape"),
    file("a directive", "%YAML 1.1\n---\n" + MINIMAL, "problem.yaml:1:1: directives (%) are not read"),
    file("deeply nested", MINIMAL + "columns: " + "[" * 100_000, "problem.yaml:3:30: must be nested at most 20 levels deep"),
    line("a key twice", "seed: 1\nseed: 2", "problem.yaml:4:1: the key 'seed' stands here a second time; the first is in line 3"),
    line("a zero-width character", "se\u200bed: 1", "problem.yaml:3:1: the key 'seed' holds the character U+200B"),
    line("a no-break space", "seed\u00a0: 1", "problem.yaml:3:1: the key 'seed' holds the character U+00A0"),
    line(
        "an alias", "unit: &u [g]\nknown_at: {always: *u}", "problem.yaml:3:7: anchors (&) are not read", ":4:20: aliases (*) are not read"
    ),
    file("a billion laughs", LAUGHS, "problem.yaml:1:4: anchors (&) are not read", "problem.yaml:9:8: aliases (*) are not read"),
    line("a merge key", "split:\n  <<: {folds: 3}", "problem.yaml:4:3: merge keys (<<) are not read"),
    line("a tag", "seed: !!python/object/apply:os.system [id]", "problem.yaml:3:7: tags (!) are not read"),
    line("a key that is a number", "columns: {2020: drop}", "problem.yaml:3:11: a key must be a text, but is '2020': put it in quotes"),
    line("a key that is a list", "? [a]\n: 1", "problem.yaml:3:3: a key must be a text, but is a list"),
    line("half a character", 'question: "\\ud83d"', "problem.yaml:3:11: a text must not hold half a character U+D83D"),
    line("a control character by escape", 'weight: "w\\0"', "problem.yaml:3:9: a text must not hold the control character U+0000"),
    line("a number of 5,000 digits", "seed: " + "9" * 5000, "problem.yaml:3:7: must be a number of at most 300 digits"),
    line("not a number", "seed: .nan", "problem.yaml:3:7: must be a finite number, but is .nan"),
    line("infinite", "search: {trials: .inf}", "problem.yaml:3:18: must be a finite number, but is .inf"),
    line("beyond all numbers", "baselines: {a: 1e999}", "problem.yaml:3:16: must be a number that a computer can hold"),
)

CANNOT_BE_MEANT = (
    file("no target", "data: rows.csv\n", "problem.yaml:1:1: target: must be given: what is predicted"),
    file("no data", "# what?\ntarget: y\n", "problem.yaml:2:1: data: must be given: where the rows are"),
    file("an empty target", "data: rows.csv\ntarget:\n", "problem.yaml:2:1: target: must not be empty"),
    file("an empty column", "data: rows.csv\ntarget: {column: null, kind: count}\n", "problem.yaml:2:10: target.column: must not be empty"),
    line("an unknown key", "famlies: [tree]", "problem.yaml:3:1: famlies: is not a key of a problem. Did you mean 'families'?"),
    line("a key one level too high", "folds: 5", "problem.yaml:3:1: folds: is not a key of a problem. Did you mean 'split.folds'?"),
    line("an unknown inner key", "split: {fold: 5}", "problem.yaml:3:9: split.fold: is not a key of 'split'. Did you mean 'folds'?"),
    line("a key of a later piste", "decision: {made_at: -1d 18:00}", "problem.yaml:3:1: decision: is not supported yet"),
    line("an inner key of a later piste", "search: {minutes: 5}", "problem.yaml:3:10: search.minutes: is not supported yet"),
    line(
        "a framing of a later piste", "framings: [quantiles]", "problem.yaml:3:12: framings.0: must be another framing", "not supported yet"
    ),
    line(
        "framings as a mapping",
        "framings: {mine: {predict: y}}",
        "problem.yaml:3:1: framings: must be a list of names",
        "not supported yet",
    ),
    line("a number as a text", 'split: {folds: "5"}', "problem.yaml:3:9: split.folds: must be a whole number", "leave out the quotes"),
    line("a decimal as a text", 'split: {holdout: "0.2"}', "problem.yaml:3:9: split.holdout: must be a share of the rows between 0 and 1"),
    line("a text as a number", "weight: 7", "problem.yaml:3:1: weight: must be the name of a column, but is 7: put it in quotes"),
    line(
        "yes for a switch",
        "families: [{linear: {fit: yes}}]",
        "problem.yaml:3:22: families.0.linear.fit: must be true or false",
        "but is yes",
    ),
    line("octal", "split: {folds: 010}", "problem.yaml:3:9: split.folds: must be a whole number from 2 to 1000, but is '010'"),
    line("a date as a seed", "seed: 2025-11-03", "problem.yaml:3:1: seed: must be a whole number", "but is '2025-11-03'"),
    line("a truth value as a number", "seed: true", "problem.yaml:3:1: seed: must be a whole number", "but is true"),
    line("one fold", "split: {folds: 1}", "problem.yaml:3:9: split.folds: must be a whole number from 2 to 1000, but is 1"),
    line("no fold", "split: {folds: 0}", "problem.yaml:3:9: split.folds: must be a whole number from 2 to 1000, but is 0"),
    line("negative folds", "split: {folds: -1}", "problem.yaml:3:9: split.folds: must be a whole number from 2 to 1000, but is -1"),
    line("huge folds", "split: {folds: 100000}", "problem.yaml:3:9: split.folds: must be a whole number", "but is 100000"),
    line("an unknown scheme", "split: {scheme: forwrad}", "problem.yaml:3:9: split.scheme: must be 'kfold', ", "Did you mean 'forward'?"),
    line("a split as a text", "split: kfold", "problem.yaml:3:1: split: must be a mapping with 'scheme', ", "but is 'kfold'"),
    line("no budget", "search: {trials: -1}", "problem.yaml:3:10: search.trials: must be a whole number from 0 to 1000, but is -1"),
    line("a budget in words", "search: {trials: 10 minutes}", "problem.yaml:3:10: search.trials: must be a whole number", "'10 minutes'"),
    line("an unknown metric", "metric: rsme", "problem.yaml:3:1: metric: must be 'rmse', ", "but is 'rsme'. Did you mean 'rmse'?"),
    line("a metric that is no mean", "metric: r2", "problem.yaml:3:1: metric: must be a mean over rows to rank models", "shown beside"),
    line(
        "an unknown family",
        "families: [tree, forrest]",
        "problem.yaml:3:18: families.1: must be the name of a family",
        "Did you mean 'forest'?",
    ),
    line("no family", "families: []", "problem.yaml:3:1: families: must name at least one, but is empty"),
    line("a family twice", "families: [tree, tree]", "problem.yaml:3:1: families: must name each once, but names 'tree' twice"),
    line("two families in one entry", "families: [{tree: {}, forest: {}}]", "problem.yaml:3:12: families.0: must be a name, or one name"),
    line(
        "an own file that is not there", "families: [./gone.py]", "problem.yaml:3:12: families.0: must be a file", "there is no './gone.py'"
    ),
    line("an own file elsewhere", "families: [../own.py]", "problem.yaml:3:12: families.0", "in the problem's own folder"),
    line(
        "a factory that is none", "families: [{mine: make}]", "problem.yaml:3:13: families.0.mine: must be FILE.py:FUNCTION, but is 'make'"
    ),
    line("a negative seed", "seed: -1", "problem.yaml:3:1: seed: must be a whole number from 0 to ", "but is -1"),
    line("a seed that is not whole", "seed: 0.5", "problem.yaml:3:1: seed: must be a whole number", "but is 0.5"),
    line(
        "a list where a column is meant",
        "known_at: {after: x}\ntime: [day]",
        "problem.yaml:4:1: time: must be the name of a column, but is a list",
    ),
    file(
        "a kind of a later piste",
        "data: rows.csv\ntarget: {column: y, kind: ordered}\n",
        "problem.yaml:2:21: target.kind: must be",
        "not supported yet",
    ),
    line(
        "an unknown kind of column", "columns: {g: categry}", "problem.yaml:3:11: columns.g: must be 'number', ", "Did you mean 'category'?"
    ),
    line("the target as the weight", "weight: y", "problem.yaml:3:1: weight: must be another column than the target, but is 'y'"),
    line(
        "the target as a feature",
        "known_at: {decision: [x, y]}",
        "problem.yaml:3:12: known_at.decision: must be another column than the target",
    ),
    line("the target as the group", "split: {together: y}", "problem.yaml:3:9: split.together: must be another column than the target"),
    line(
        "a column before and after",
        "known_at: {always: g, after: g}",
        "problem.yaml:3:23: known_at.after: must not name 'g'",
        "under always",
    ),
    line("forward without a time", "split: {scheme: forward}", "problem.yaml:3:9: split.scheme: must not be 'forward' without a time"),
    line(
        "a gap without a unit", "time: day\nsplit: {gap: 3}", "problem.yaml:4:9: split.gap: must be a length of time such as 1d", "but is 3"
    ),
    line(
        "a whole holdout", "split: {holdout: 1}", "problem.yaml:3:9: split.holdout: must be a share of the rows between 0 and 1", "but is 1"
    ),
    line(
        "a holdout beyond the whole", "split: {holdout: 1.5}", "problem.yaml:3:9: split.holdout: must be a share of the rows", "but is 1.5"
    ),
    line(
        "an expression that looks inside",
        "add: {a: x.__class__}",
        "problem.yaml:3:11: add.a: must be an expression",
        "there are no attributes",
    ),
    line(
        "an expression that calls",
        "add: {a: exec(x)}",
        "problem.yaml:3:10: add.a: must be an expression",
        "'exec' at character 1 is no function",
    ),
    line(
        "an expression that is too long",
        f"add: {{a: {'+'.join(['x'] * 2000)}}}",
        "problem.yaml:3:7: add.a: must be an expression",
        "at most 2,000",
    ),
    line(
        "an expression cut at a comma",
        "baselines: {r: mean(y) by g, day}",
        "problem.yaml:3:30: baselines.day: must be an expression",
        "at a comma",
    ),
    line("an aggregate where rows stand alone", "add: {a: mean(x)}", "problem.yaml:3:7: add.a: must not aggregate"),
    line("a rule that knows the answer", "baselines: {r: y + 1}", "problem.yaml:3:13: baselines.r: must not use 'y' of the row itself"),
    line("a lag without a time", "baselines: {r: y@-7d}", "problem.yaml:3:13: baselines.r: must not look back in time (@) without a time"),
    file("data as a list", "data: [a.csv, b.csv]\ntarget: y\n", "problem.yaml:1:1: data: must be one source", "not supported yet"),
    file("two sources", "data: {path: a.csv, sklearn: iris}\ntarget: y\n", "problem.yaml:1:1: data: must name one source"),
    file("an unknown set", "data: sklearn:irs\ntarget: y\n", "problem.yaml:1:1: data.sklearn: must be 'iris', ", "Did you mean 'iris'?"),
    file(
        "code elsewhere",
        "data: python:/etc/make.py:rows\ntarget: y\n",
        "problem.yaml:1:1: data.python: must be a file in the problem's own folder",
    ),
    file(
        "an unknown encoding",
        "data: {path: rows.csv, encoding: utf9}\ntarget: y\n",
        "problem.yaml:1:24: data.encoding: ",
        "Did you mean 'utf-8'?",
    ),
    line(
        "several at once",
        "seed: x\nmetric: rsme\nsplit: {folds: 1}",
        "problem.yaml:3:1: seed",
        "problem.yaml:4:1: metric",
        ":5:9: split.folds",
    ),
)

CANNOT_BE_TRUE = (
    data("a metric of another task", MINIMAL + "metric: log_loss\n", "problem.yaml:3:1: metric: "),
    data(
        "a class that is not there",
        "data: rows.csv\ntarget: {column: sick, positive: maybe}\n",
        "problem.yaml:2:",
        "target.positive: ",
        "maybe",
    ),
    data("a time that is not there", MINIMAL + "time: date\n", "problem.yaml:3:1: time: ", "'date'"),
    data("a weight that is not there", MINIMAL + "weight: weight\n", "problem.yaml:3:1: weight: ", "'weight'"),
    data("an expression of what is not there", MINIMAL + "add: {a: log(z)}\n", "problem.yaml:3:7: add.a: ", "'z'"),
    data(
        "a rule of what is not there",
        MINIMAL + "baselines: {r: mean(y) by gg}\n",
        "problem.yaml:3:13: baselines.r: ",
        "'gg'",
        "Did you mean 'g'?",
    ),
    data("more folds than rows", MINIMAL + "split: {scheme: kfold, folds: 61}\n", "problem.yaml:3:24: split.folds: must be at most 60"),
    data("a number stratified", MINIMAL + "split: {scheme: stratified}\n", "problem.yaml:3:9: split.scheme: "),
)

CASES = (*CANNOT_BE_READ, *CANNOT_BE_MEANT, *CANNOT_BE_TRUE)
