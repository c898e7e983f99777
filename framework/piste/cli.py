"""The command line: piste new, frame, check, run, show, folds, judge, predict, ui, schema."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import piste
from piste.core.errors import PisteError

if TYPE_CHECKING:
    import pandas as pd

    from piste.core.comparison import Comparison
    from piste.terminal import Screen
    from piste.watch import Event

FOLDS_HELP = "a csv file of the rows that are tested (folds.csv); those to learn from stand beside it, in folds-train.csv"
PREDICTIONS_HELP = "a table with the lines of folds.csv and a prediction in each: csv, parquet, json lines or excel"
NEW_HELP = "Draft a problem.yaml from a table, with all that can be guessed as comments; or, without one, a worksheet from a question."
BAD_INPUT, BROKEN, INTERRUPTED = 2, 70, 130  # exit codes


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code."""
    arguments = _parser().parse_args(argv)
    try:
        code: int = arguments.command(arguments)
        sys.stdout.flush()
        return code
    except PisteError as error:
        print(error, file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("\nInterrupted. What was finished is kept: the same command goes on from here.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001  a fault of ours: no traceback reaches a user
        return _broken(error)


def _broken(error: Exception) -> int:
    """Keep the traceback of a fault of ours in a file, and say where."""
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile("w", prefix="piste-", suffix=".log", delete=False) as log:
        log.write("".join(traceback.format_exception(error)))
    print(f"piste: a fault of its own ({type(error).__name__}: {error}); please report {log.name}", file=sys.stderr)
    return BROKEN


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("piste", description="Frame a machine-learning problem and find out honestly which model answers it.")
    parser.add_argument("--version", action="version", version=f"piste {piste.__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    new = commands.add_parser("new", help="draft a problem from a table, or a worksheet from a question", description=NEW_HELP)
    new.set_defaults(command=_new)
    new.add_argument("name", metavar="NAME", help="the folder to make; its last part is what the problem is called")
    new.add_argument("--data", type=Path, metavar="FILE", help="the table: csv, parquet, json lines or excel; it stays where it is")
    new.add_argument("--target", metavar="COLUMN", help="the column to predict")
    new.add_argument("--question", default="", metavar="TEXT", help="what is asked, in plain words")
    frame = _command(commands, "frame", _frame, "explain each way to put a problem to a model, before anything is fitted")
    _shared(frame, "set", "code", "json")
    run = _command(commands, "run", _run, "compare all families on a problem, in MLflow")
    run.add_argument("--plan", action="store_true", help="list what would be computed, and about how long it takes; compute nothing")
    run.add_argument("--quick", action="store_true", help="baselines and every family's default only, without the search")
    run.add_argument("--families", metavar="A,B", help="only these families")
    run.add_argument("--trials", type=int, metavar="N", help="hyperparameter settings tried per family beside its default")
    run.add_argument("--workers", type=_positive, metavar="N", help="processes; one per core if not given")
    run.add_argument("--deadline", type=_seconds, default=600.0, metavar="SECONDS", help="that the fits of a cell may take (600)")
    _shared(run, "set", "code", "json", "all", "mlruns")
    check = _command(commands, "check", _check, "look for what is wrong with a problem and its data before any model is trained")
    check.add_argument("--strict", action="store_true", help="exit with 1 where a warning is open (2: a fault, or what blocks)")
    check.add_argument("--resolved", action="store_true", help="print every choice with its reason instead, as a problem.yaml")
    check.add_argument("--github", action="store_true", help="also as annotations of a pull request (always where GITHUB_ACTIONS is true)")
    check.add_argument("--all", action="store_true", help="print all notes whole, and what each check said that found nothing")
    _shared(check, "set", "code", "json", "mlruns")
    show = _command(commands, "show", _show, "print the latest comparison of a problem again")
    _shared(show, "json", "all", "mlruns")
    folds = _command(commands, "folds", _folds, "write down which rows each fold tests, for someone who predicts elsewhere")
    folds.add_argument("-o", "--output", type=Path, metavar="FILE", default=Path("folds.csv"), help=FOLDS_HELP)
    _shared(folds, "set", "code")
    judge = _command(commands, "judge", _judge, "judge predictions that were made elsewhere, beside the latest comparison")
    judge.add_argument("predictions", type=Path, nargs="?", help=PREDICTIONS_HELP)
    judge.add_argument("--name", required=True, metavar="NAME", help="what they are called on the leaderboard")
    judge.add_argument("--as", dest="framing", metavar="FRAMING", help="mean, distribution, quantiles or classes; told from the columns")
    judge.add_argument("--forget", action="store_true", help="leave the predictions of this name out from now on, instead")
    judge.add_argument("--workers", type=_positive, metavar="N", help="processes, where something must be computed anew")
    judge.add_argument("--deadline", type=_seconds, default=600.0, metavar="SECONDS", help="that the fits of a cell may take (600)")
    _shared(judge, "code", "json", "all", "mlruns")
    predict = _command(commands, "predict", _predict, "answer new rows with the champion, or with another row of the leaderboard")
    predict.add_argument("rows", type=Path, help="a table of rows: csv, parquet, json lines or excel")
    predict.add_argument("--row", metavar="ID", help="the row that answers, such as mean/forest/plug_in; the champion where not given")
    predict.add_argument("-o", "--output", type=Path, metavar="FILE", help="write a csv file instead of printing it")
    _shared(predict, "code", "mlruns")
    ui = commands.add_parser("ui", help="open MLflow on the results, on this machine only")
    ui.set_defaults(command=_ui)
    ui.add_argument("--port", type=int, default=5000, metavar="N", help="the port (5000, or the next free one)")
    _shared(ui, "mlruns")
    schema = commands.add_parser("schema", help="print the JSON Schema of problem.yaml, for editors")
    schema.set_defaults(command=_schema)
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, function: Callable[[argparse.Namespace], int], text: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    command.set_defaults(command=function)
    command.add_argument("problem", metavar="PROJECT", help="a folder with a problem.yaml, or a yaml file")
    return command


def _shared(command: argparse.ArgumentParser, *names: str) -> None:
    if "set" in names:
        command.add_argument(
            "--set", action="append", default=[], metavar="KEY=VALUE", help="change a key for this run: --set search.trials=3"
        )
    if "code" in names:
        command.add_argument("--no-code", dest="code", action="store_false", help="refuse to run code of the problem's folder")
    if "json" in names:
        command.add_argument("--json", action="store_true", help="print the same as data")
    if "all" in names:
        command.add_argument("--all", action="store_true", help="print every row and note, not only what to look at first")
    if "mlruns" in names:
        command.add_argument("--mlruns", type=Path, metavar="DIR", help="where results are kept (PISTE_MLRUNS, or mlruns)")


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, but is {value}")
    return value


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be above 0, but is {text}")
    return value


def _changes(arguments: argparse.Namespace) -> list[str]:
    """Return the flags as the changes to the file that they stand for."""
    changes = list(arguments.set)
    if getattr(arguments, "families", None):
        changes.append(f"families=[{arguments.families}]")
    if getattr(arguments, "trials", None) is not None:
        changes.append(f"search.trials={arguments.trials}")
    return changes


def _new(arguments: argparse.Namespace) -> int:
    from piste.api import new

    print(new(arguments.name, data=arguments.data, target=arguments.target, question=arguments.question))
    return 0


def _run(arguments: argparse.Namespace) -> int:
    from piste.terminal import Screen, paper

    with Screen(paper(stderr=True)) as screen:
        if arguments.plan:
            return _plan(arguments, screen)
        from piste.api import run

        result = run(
            arguments.problem,
            changes=_changes(arguments),
            quick=arguments.quick,
            code=arguments.code,
            workers=arguments.workers,
            deadline=arguments.deadline,
            mlruns=arguments.mlruns,
            watcher=screen,
        )
    _print(result.comparison, result.link, arguments)
    return 0


def _plan(arguments: argparse.Namespace, screen: Screen) -> int:
    from piste.api import plan
    from piste.terminal import paper, plan_table

    found = plan(
        arguments.problem,
        changes=_changes(arguments),
        quick=arguments.quick,
        code=arguments.code,
        workers=arguments.workers,
        mlruns=arguments.mlruns,
        watcher=screen,
    )
    paper().print(plan_table(found))
    return 0


def _tell(event: Event) -> None:
    """Print what is said, beside the answer."""
    from piste.watch import Said

    if isinstance(event, Said):
        print(event.text, file=sys.stderr)


def _check(arguments: argparse.Namespace) -> int:
    if arguments.resolved:
        from piste.prepare import prepare

        print(prepare(arguments.problem, arguments.set, _tell, quick=False, code=arguments.code).printed, end="")
        return 0
    from piste.api import check
    from piste.edges.annotations import annotated

    found = check(arguments.problem, changes=arguments.set, code=arguments.code, mlruns=arguments.mlruns, watcher=_tell)
    if arguments.json:
        print(json.dumps(found.as_json(), indent=1, ensure_ascii=False, allow_nan=False))
    else:
        from piste.terminal.audit import looked_at
        from piste.terminal.paper import paper

        paper().print(looked_at(found, shlex.quote(arguments.problem), every=arguments.all), crop=False)
    if arguments.github or os.environ.get("GITHUB_ACTIONS") == "true":
        lines = annotated(found.remarks(), os.environ.get("GITHUB_WORKSPACE"))
        print(*lines, sep="\n", file=sys.stderr if arguments.json else sys.stdout)  # GitHub reads both
    return found.exit_code(strict=arguments.strict)


def _show(arguments: argparse.Namespace) -> int:
    from piste.api import show

    shelved = show(arguments.problem, mlruns=arguments.mlruns)
    _print(shelved.comparison, shelved.link, arguments)
    return 0


def _print(comparison: Comparison, link: str, arguments: argparse.Namespace) -> None:
    """Print a comparison: as data where that is asked for, else as a board with what to type next."""
    if arguments.json:
        from piste.core.report.tables import as_json

        print(json.dumps(as_json(comparison, link), indent=1, ensure_ascii=False, allow_nan=False))
        return
    from piste.terminal import paper, print_next_steps, summary

    console = paper()
    console.print(summary(comparison, every=arguments.all))
    print_next_steps(console, link, arguments.problem)


def _predict(arguments: argparse.Namespace) -> int:
    from piste.api import predict_file

    answers = predict_file(arguments.problem, arguments.rows, row=arguments.row, mlruns=arguments.mlruns, code=arguments.code)
    if arguments.output is None:
        print(answers.to_csv(index=False), end="")
        return 0
    _write(answers, arguments.output)
    return 0


def _write(frame: pd.DataFrame, path: Path) -> None:
    try:
        frame.to_csv(path, index=False)
    except OSError as error:
        raise PisteError(f"{path}: cannot be written: {error.strerror}") from error


def _folds(arguments: argparse.Namespace) -> int:
    from piste.api import folds

    sheet = folds(arguments.problem, changes=arguments.set, code=arguments.code, watcher=_tell)
    learnt = arguments.output.with_stem(f"{arguments.output.stem}-train")
    _write(sheet.tests, arguments.output)
    _write(sheet.trains, learnt)
    print(f"{arguments.output}: {len(sheet.tests):,} lines, one for each row that a fold tests")
    print(f"{learnt}: {len(sheet.trains):,} lines, one for each row that a fold may learn from")
    print(f"Add a column `prediction` to the first, then: piste judge {shlex.quote(arguments.problem)} FILE --name NAME")
    return 0


def _judge(arguments: argparse.Namespace) -> int:
    from piste.api import forget, judge
    from piste.terminal import Screen, paper

    if arguments.forget:
        forget(arguments.problem, arguments.name, mlruns=arguments.mlruns)
        print(f"'{arguments.name}' is left out from now on: piste run {shlex.quote(arguments.problem)} compares without it.")
        return 0
    if arguments.predictions is None:
        raise PisteError("must name a file of predictions: piste judge PROJECT FILE --name NAME")
    with Screen(paper(stderr=True)) as screen:
        result = judge(
            arguments.problem,
            arguments.predictions,
            name=arguments.name,
            framing=arguments.framing,
            code=arguments.code,
            workers=arguments.workers,
            deadline=arguments.deadline,
            mlruns=arguments.mlruns,
            watcher=screen,
        )
    _print(result.comparison, result.link, arguments)
    return 0


def _frame(arguments: argparse.Namespace) -> int:
    from piste.api import frame

    found = frame(arguments.problem, changes=arguments.set, code=arguments.code, watcher=_tell)
    if arguments.json:
        print(json.dumps(found.as_json(), indent=1, ensure_ascii=False))
        return 0
    from piste.terminal.framings import framed
    from piste.terminal.paper import paper

    paper().print(framed(found))
    return 0


def _ui(arguments: argparse.Namespace) -> int:
    from piste.api import home
    from piste.edges.ui import serve

    serve(home(arguments.mlruns), lambda text: print(text, flush=True), port=arguments.port)
    return 0


def _schema(_: argparse.Namespace) -> int:
    from piste.edges.load import schema

    print(json.dumps(schema(), indent=1, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
