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
    line("an infinite cost", "decision: {cost: {over: .inf, under: 1}}", "problem.yaml:3:25: must be a finite number, but is .inf"),
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
    line("a key of a later piste", "read: {x: number}", "problem.yaml:3:1: read: is not supported yet"),
    line("no time at all", "search: {minutes: 0}", "problem.yaml:3:10: search.minutes: must be a number of minutes above 0"),
    line("no seed at all", "search: {seeds: 0}", "problem.yaml:3:10: search.seeds: must be a whole number from 1 to 20"),
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

LEVELS = "data: rows.csv\ntarget: {column: y, kind: numeric, levels: {cuts: [3, 6]}}\n"


def priced(name: str, costs: str, *expected: str) -> BadCase:
    """Return a case of the costs of actions (line 4 and below) under three levels of the target."""
    return file(name, f"{LEVELS}decision:\n  cost:\n{costs}", *expected)


CANNOT_BE_DECIDED = (
    line("half a pair of costs", "decision: {cost: {over: 1}}", "problem.yaml:3:12: decision.cost: must give 'under' beside 'over'"),
    line(
        "the other half", "decision: {cost: {miss: 1, unit: 2}}", "problem.yaml:3:12: decision.cost: must give 'false_alarm' beside 'miss'"
    ),
    line(
        "two pairs of costs", "decision: {cost: {over: 1, miss: 2}}", "problem.yaml:3:12: decision.cost: must be {over, under} or", "mixes"
    ),
    line(
        "no cost either way",
        "decision: {cost: {over: 0, under: 0}}",
        "problem.yaml:3:19: decision.cost.over: must be a number above 0",
        ":3:28: decision.cost.under: ",
    ),
    line(
        "an unknown key of a cost",
        "decision: {cost: {false_alarm: 1, miss: 2, mis: 3}}",
        "problem.yaml:3:44: decision.cost.mis: is not a key",
    ),
    line("a cost in words", "decision: {cost: high}", "problem.yaml:3:12: decision.cost: must be {over: ..., under: ...}", "but is 'high'"),
    line(
        "an action named by half a pair",
        "decision: {cost: {over: [1, 0], b: [0, 1]}}",
        "problem.yaml:3:12: decision.cost: must name no action",
    ),
    line("a single action", "decision: {cost: {a: [1, 0]}}", "problem.yaml:3:12: decision.cost: must price at least two actions"),
    priced("a negative cost", "    a: [0, 5, 9]\n    b: [4, -1, 2]\n", "problem.yaml:6:12: decision.cost.b.1: must be a cost of 0 or more"),
    priced("a single cost of an action", "    a: [0, 5, 9]\n    b: 4\n", "problem.yaml:6:5: decision.cost.b: must be a list, but is 4"),
    priced(
        "costs against levels",
        "    a: [0, 5]\n    b: [4, 0, 2]\n",
        "problem.yaml:5:5: decision.cost.a: must hold 3 numbers, one for each level, but holds 2",
    ),
    line(
        "costs against one another",
        "decision: {cost: {a: [0, 5], b: [4, 0, 2]}}",
        "problem.yaml:3:30: decision.cost.b: must hold 2 numbers, as many as 'a', but holds 3",
    ),
    priced(
        "an action against a better one",
        "    a: [0, 60, 240]\n    b: [40, 0, 90]\n    c: [40, 10, 90]\n",
        "problem.yaml:7:5: decision.cost.c: must be cheaper than 'b' at some level, but costs at least as much at each",
    ),
    priced(
        "actions against one that is best",
        "    a: [0, 5, 9]\n    b: [0, 6, 9]\n    c: [1, 7, 9]\n",
        "problem.yaml:4:3: decision.cost: must leave something to decide, but 'a' is always best",
    ),
    priced(
        "actions against costs",
        "    a: [0, 5, 9]\n    b: [4, 0, 2]\n  actions: [a, bb]\n",
        "problem.yaml:7:3: decision.actions: must name the actions of `cost`",
        "leaves out 'b' and names 'bb'. Did you mean 'b'?",
    ),
    priced(
        "a budget against actions",
        "    a: [0, 5, 9]\n    b: [4, 0, 2]\n  budget: {units: 8, uses: {c: 1}}\n",
        "problem.yaml:7:29: decision.budget.uses.c: must be 'a' or 'b', but is 'c'",
    ),
    line(
        "a budget against a pair",
        "decision: {cost: {over: 1, under: 2}, budget: 8}",
        "problem.yaml:3:39: decision.budget: must go with a cost that gives each action a number per level",
    ),
    line("a budget against no cost", "decision: {budget: 8}", "problem.yaml:3:12: decision.budget: must go with `cost`"),
    line("no unit to give out", "decision: {budget: 0}", "problem.yaml:3:12: decision.budget: must be a whole number from 1, but is 0"),
    file(
        "a number against a matrix",
        "data: rows.csv\ntarget: {column: y, kind: count}\ndecision: {cost: {a: [0, 5], b: [4, 0]}}\n",
        "problem.yaml:3:12: decision.cost: must go with target.levels",
    ),
    file(
        "false alarms against a number",
        "data: rows.csv\ntarget: {column: y, kind: numeric}\ndecision: {cost: {false_alarm: 1, miss: 2}}\n",
        "problem.yaml:3:12: decision.cost: must go with a binary target, or with target.levels of one cut, but its kind is numeric",
    ),
    file(
        "false alarms against three levels",
        f"{LEVELS}decision: {{cost: {{false_alarm: 1, miss: 2}}}}\n",
        "problem.yaml:3:12: decision.cost: must go with a binary target, or with target.levels of one cut, but there are 3 levels",
    ),
    file(
        "too much against classes",
        "data: rows.csv\ntarget: {column: g, kind: category}\ndecision: {cost: {over: 1, under: 2}}\n",
        "problem.yaml:3:12: decision.cost: must price classes",
    ),
    file(
        "levels against classes",
        "data: rows.csv\ntarget: {column: g, kind: category, levels: {cuts: 3}}\n",
        "problem.yaml:2:37: target.levels: must cut a number, but the target is of classes",
    ),
    file(
        "cuts against their order",
        "data: rows.csv\ntarget: {column: y, levels: {cuts: [6, 3]}}\n",
        "problem.yaml:2:30: target.levels.cuts: must rise, each once, but 3 follows 6",
    ),
    file(
        "a cut twice, against the other",
        "data: rows.csv\ntarget: {column: y, levels: {cuts: [3, 3]}}\n",
        "problem.yaml:2:30: target.levels.cuts: must rise, each once, but 3 follows 3",
    ),
    file(
        "no cut",
        "data: rows.csv\ntarget: {column: y, levels: {cuts: []}}\n",
        "problem.yaml:2:30: target.levels.cuts: must name at least one",
    ),
    file(
        "names against cuts",
        "data: rows.csv\ntarget: {column: y, levels: {cuts: [3, 6], names: [low, high]}}\n",
        "problem.yaml:2:44: target.levels.names: must name 3 levels, which 2 cuts make, but names 2",
    ),
    file(
        "a name of a level twice",
        "data: rows.csv\ntarget: {column: y, levels: {cuts: 3, names: [low, low]}}\n",
        "problem.yaml:2:39: target.levels.names: must name each once, but names 'low' twice",
    ),
    file(
        "levels against their target",
        "data: rows.csv\ntarget: {column: y, levels: {of: x / 2, cuts: 3}}\n",
        "problem.yaml:2:30: target.levels.of: must have the target 'y' in it",
    ),
    file("no target in a list", "data: rows.csv\ntarget: []\n", "problem.yaml:2:1: target: must name a column, or several, but is empty"),
    file("a target twice", "data: rows.csv\ntarget: [y, y]\n", "problem.yaml:2:1: target: must name each once, but names 'y' twice"),
    file(
        "a number among targets", "data: rows.csv\ntarget: [y, 3]\n", "problem.yaml:2:13: target.1: must be the name of a column, but is 3"
    ),
    line("a range of costs against itself", "decision: {cost_range: [2, 0.5]}", "problem.yaml:3:12: decision.cost_range: must rise"),
    line(
        "a range of one cost", "decision: {cost_range: [0.5]}", "problem.yaml:3:12: decision.cost_range: must be two rising factors above 0"
    ),
    line(
        "a moment of no day", "decision: {made_at: 18:00}", "problem.yaml:3:12: decision.made_at: must be a moment before `time`", "'18:00'"
    ),
    line(
        "an improvement below nothing", "success: {by: -1}", "problem.yaml:3:11: success.by: must be a percentage from 0% to 100%", "is -1"
    ),
    line(
        "an improvement beyond all", "success: {by: 120%}", "problem.yaml:3:11: success.by: must be a percentage from 0% to 100%", "'120%'"
    ),
    line(
        "a difference against the aim", "success: {by: 5%, same: 10%}", "problem.yaml:3:19: success.same: must not be more than success.by"
    ),
    line(
        "a baseline against those there are",
        "baselines: {usual: mean(y) by g}\nsuccess: {beat: usua}",
        "problem.yaml:4:11: success.beat: must be 'best_baseline', 'usual' or 'constant', but is 'usua'. Did you mean 'usual'?",
    ),
    line("a saving against no cost", "success: {worthwhile: 100}", "problem.yaml:3:11: success.worthwhile: must go with decision.cost"),
    line("no slice", "slices: []", "problem.yaml:3:1: slices: must name at least one, but is empty"),
    line("the target as a slice", "slices: [g, y]", "problem.yaml:3:1: slices: must be another column than the target, but is 'y'"),
    line("truth against data", "truth: simulate.py:draws", "problem.yaml:3:1: truth: must go with `data: python:FILE.py:FUNCTION`"),
    line("no time at all for a row", "constraints: {latency_ms: 0}", "problem.yaml:3:15: constraints.latency_ms: must be a number above 0"),
)

TIMED = "time: day\nunit: [g, day]\n"  # lines 3 and 4

CANNOT_BE_ASKED = (
    line("an unknown framing", "framings: [mean, maen]", "problem.yaml:3:18: framings.1: must be ", "but is 'maen'. Did you mean 'mean'?"),
    line("lags as a framing", "framings: [lags]", "problem.yaml:3:12: framings.0: must be ", "add: [COLUMN@-7d]"),
    line("no framing", "framings: {}", "problem.yaml:3:1: framings: must name at least one, but is empty"),
    line("a framing twice", "framings: [mean, mean]", "problem.yaml:3:1: framings: must name each once, but names 'mean' twice"),
    line(
        "an unknown framing of an own name",
        "framings: {mine: {as: maen}}",
        "problem.yaml:3:19: framings.mine.as: must be ",
        "Did you mean 'mean'?",
    ),
    line(
        "an own name against all framings",
        "framings: {maen: {add: x}}",
        "problem.yaml:3:12: framings.maen: must say which framing",
        "'mean'?",
    ),
    line("a framing against its name", "framings: {mean: {as: classes}}", "problem.yaml:3:12: framings.mean: must have another name"),
    line("a framing that is a number", "framings: {mine: 3}", "problem.yaml:3:12: framings.mine: must give 'mine' its values as a mapping"),
    line(
        "an unknown key of a framing",
        "framings: [mean, {mine: {as: mean, wid: g}}]",
        "problem.yaml:3:36: framings.1.mine.wid: is not a key of 'mine'. Did you mean 'wide'?",
    ),
    line(
        "a framing like none, against the list",
        "framings:\n  mean:\n  b: {like: maen}",
        "problem.yaml:5:7: framings.b.like: must name another entry of `framings`, but there is no 'maen'. Did you mean 'mean'?",
    ),
    line(
        "framings like each other, against sense",
        "framings:\n  b: {like: c}\n  c: {like: b}",
        "problem.yaml:4:7: framings.b.like: must not come back to itself, but 'b' is like 'c' is like 'b'",
        "problem.yaml:5:7: framings.c.like: ",
    ),
    line(
        "a feature that is an aggregate",
        "framings: {b: {as: mean, add: [x, mean(y)]}}",
        "problem.yaml:3:35: framings.b.add.1: must not aggregate",
    ),
    line(
        "a feature that is the answer",
        "framings: {b: {as: mean, add: [2 * y]}}",
        "problem.yaml:3:32: framings.b.add.0: must not use 'y' of the row itself",
    ),
    line(
        "a feature that is an open expression",
        'framings: {b: {as: mean, add: ["log(x"]}}',
        "problem.yaml:3:36: framings.b.add.0: must be an expression",
    ),
    line(
        "a lag of a framing without a time",
        "framings: {b: {as: mean, add: [y@-7d]}}",
        "problem.yaml:3:32: framings.b.add.0: must not look back in time (@) without a time",
    ),
    *(
        line(
            f"a lag under {scheme}",
            f"{TIMED}split: {{scheme: {scheme}}}\nframings: {{b: {{as: mean, add: [y@-7d]}}}}",
            f"problem.yaml:6:32: framings.b.add.0: must not look back in time (@) with scheme {scheme}: it may see what it is tested on",
        )
        for scheme in ("kfold", "stratified", "leave_one_out")
    ),
    line(
        "a lag below the horizon",
        f"{TIMED}decision: {{made_at: -1d 18:00}}\nframings: {{b: {{as: mean, add: [y@-2d, y@-1d]}}}}",
        "problem.yaml:6:39: framings.b.add.1: must look back at least 2d, but looks back 1d",
    ),
    line(
        "a rule with a lag below the horizon",
        f"{TIMED}decision: {{made_at: -1d}}\nbaselines: {{b: y@-1d}}",
        "problem.yaml:6:13: baselines.b: must look back at least 2d, but looks back 1d",
    ),
    line(
        "all at once against the unit",
        f"{TIMED}framings: {{b: {{wide: gg}}}}",
        "problem.yaml:5:16: framings.b.wide: must be a column of `unit` (g, day), but is 'gg'. Did you mean 'g'?",
    ),
    line(
        "one by one against no unit",
        "framings: {b: {as: mean, apart: g}}",
        "problem.yaml:3:26: framings.b.apart: must be a column of `unit`, which is not given, but is 'g'",
    ),
    line(
        "all at once against another framing",
        f"{TIMED}framings: {{b: {{as: classes, wide: g}}}}",
        "problem.yaml:5:29: framings.b.wide: must go with the framing mean",
    ),
    line(
        "all at once against one by one",
        f"{TIMED}framings: {{b: {{wide: g, apart: g}}}}",
        "problem.yaml:5:25: framings.b.apart: must be one of wide and apart",
    ),
    line(
        "a prediction against the target",
        "framings: {b: {as: mean, predict: x}}",
        "problem.yaml:3:26: framings.b.predict: must be 'y', but is 'x'",
    ),
    line(
        "a prediction of levels against none",
        "framings: {b: {as: classes, predict: level}}",
        "problem.yaml:3:29: framings.b.predict: must be 'y', but is 'level'. For 'level', cut the target by target.levels",
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
    data("a slice that is not there", MINIMAL + "slices: [g, gg]\n", "problem.yaml:3:13: slices: no column 'gg'", "Did you mean 'g'?"),
    data(
        "levels of what is not there",
        "data: rows.csv\ntarget: {column: y, levels: {of: y / z, cuts: 3}}\n",
        "problem.yaml:2:30: target.levels.of: names a column 'z'",
    ),
    data(
        "a feature of what is not there",
        MINIMAL + "framings: {b: {as: mean, add: [log(z)]}}\n",
        "problem.yaml:3:32: framings.b.add.0: names a column 'z'",
    ),
    data("a second target that is not there", "data: rows.csv\ntarget: [y, z]\n", "problem.yaml:2:13: target: no column 'z'"),
    data("a number stratified", MINIMAL + "split: {scheme: stratified}\n", "problem.yaml:3:9: split.scheme: "),
)


def taken(name: str, changed: Mapping[str, str], *expected: str) -> BadCase:
    """Return a case of a finding that is taken as it is, otherwise well."""
    well = {"check": "L02", "on": "x", "seen": "0.83@3f2a", "until": "2027-11-01", "by": "ana", "why": "frozen the evening before"}
    said = ", ".join(f"{key}: {value}" for key, value in {**well, **changed}.items() if value != "-")
    return line(name, f"acknowledge: [{{{said}}}]", *expected)


CANNOT_BE_ACKNOWLEDGED = (
    line("findings in no list", "acknowledge: {check: L02}", "problem.yaml:3:1: acknowledge: must be a list, but is a mapping"),
    line(
        "the id of a check alone", "acknowledge: [L02]", "problem.yaml:3:15: acknowledge.0: must be a mapping with 'check', 'on'", "'L02'"
    ),
    taken(
        "a check that is none", {"check": "l02"}, "problem.yaml:3:16: acknowledge.0.check: must be the id of a check", "Did you mean 'L02'?"
    ),
    taken("no check", {"check": "-"}, "problem.yaml:3:15: acknowledge.0.check: must be given: the id of the check"),
    taken("every check", {"check": "'*'"}, "problem.yaml:3:16: acknowledge.0.check: must be the id of a check", "no '*'"),
    taken("nothing that it is about", {"on": "-"}, "problem.yaml:3:15: acknowledge.0.on: must be given: what the finding is about"),
    taken("everything", {"on": "'*'"}, "problem.yaml:3:28: acknowledge.0.on: must be what one finding is about", "not all at once"),
    taken(
        "an exact check", {"check": "F02"}, "problem.yaml:3:16: acknowledge.0.check: must be a check that may be mistaken", "'F02' is exact"
    ),
    taken("no day", {"until": "-"}, "problem.yaml:3:15: acknowledge.0.until: must be given: the last day on which it counts"),
    taken("a day the other way round", {"until": "1.11.2027"}, "problem.yaml:3:52: acknowledge.0.until: must be a day", "'1.11.2027'"),
    taken("a day that no month has", {"until": "2027-02-30"}, "problem.yaml:3:52: acknowledge.0.until: must be a day", "'2027-02-30'"),
    taken("nobody", {"by": ""}, "problem.yaml:3:71: acknowledge.0.by: must be the name of whoever answers for it, but is empty"),
    taken("nobody by a blank", {"by": "' '"}, "problem.yaml:3:71: acknowledge.0.by: must be the name of whoever answers for it"),
    taken("no reason", {"why": ""}, "problem.yaml:3:80: acknowledge.0.why: must be the reason why the finding may stand, but is empty"),
    taken("no reason at all", {"why": "-"}, "problem.yaml:3:15: acknowledge.0.why: must be given: why the finding may stand"),
    taken("what was not seen", {"seen": "0.83"}, "problem.yaml:3:35: acknowledge.0.seen: must be what `piste check` prints", "0.83"),
    taken(
        "a key that is none",
        {"untill": "x"},
        "problem.yaml:3:112: acknowledge.0.untill: is not a key of 'acknowledge'.",
        "Did you mean 'until'?",
    ),
    line(
        "a finding twice",
        "acknowledge:\n"
        "  - {check: L02, on: x, seen: 0.83@3f2a, until: 2027-11-01, by: ana, why: known}\n"
        "  - {check: L02, on: x, seen: 0.83@3f2a, until: 2028-11-01, by: ben, why: known}",
        "problem.yaml:5:5: acknowledge.1: must name a finding once, but L02 on 'x' stands here a second time",
    ),
)

CASES = (*CANNOT_BE_READ, *CANNOT_BE_MEANT, *CANNOT_BE_DECIDED, *CANNOT_BE_ASKED, *CANNOT_BE_ACKNOWLEDGED, *CANNOT_BE_TRUE)
