"""The command line: piste run, check, show, predict, ui, schema."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import piste
from piste.core.errors import PisteError

if TYPE_CHECKING:
    from piste.core.comparison import Comparison
    from piste.terminal import Screen

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
    run = _command(commands, "run", _run, "compare all families on a problem, in MLflow")
    run.add_argument("--plan", action="store_true", help="list what would be computed, and about how long it takes; compute nothing")
    run.add_argument("--quick", action="store_true", help="baselines and every family's default only, without the search")
    run.add_argument("--families", metavar="A,B", help="only these families")
    run.add_argument("--trials", type=int, metavar="N", help="hyperparameter settings tried per family beside its default")
    run.add_argument("--workers", type=_positive, metavar="N", help="processes; one per core if not given")
    run.add_argument("--deadline", type=_seconds, default=600.0, metavar="SECONDS", help="that the fits of a cell may take (600)")
    _shared(run, "set", "code", "json", "mlruns")
    check = _command(commands, "check", _check, "read a problem and its data, and print every choice with its reason")
    _shared(check, "set", "code", "json")
    show = _command(commands, "show", _show, "print the latest comparison of a problem again")
    _shared(show, "json", "mlruns")
    predict = _command(commands, "predict", _predict, "answer new rows with the champion")
    predict.add_argument("rows", type=Path, help="a table of rows: csv, parquet, json lines or excel")
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
    if arguments.json:
        _print_json(result.comparison, result.link)
    else:
        _print(result.comparison, result.link, arguments.problem)
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


def _check(arguments: argparse.Namespace) -> int:
    from piste.prepare import prepare
    from piste.watch import Event, Said

    def tell(event: Event) -> None:
        if isinstance(event, Said):
            print(event.text, file=sys.stderr)

    prepared = prepare(arguments.problem, arguments.set, tell, quick=False, code=arguments.code)
    if arguments.json:
        print(
            json.dumps(
                {"problem": prepared.resolved.name, "digest": prepared.resolved.table.digest, "resolved": prepared.printed}, indent=1
            )
        )
    else:
        print(prepared.printed, end="")
    return 0


def _show(arguments: argparse.Namespace) -> int:
    from piste.api import show

    shelved = show(arguments.problem, mlruns=arguments.mlruns)
    if arguments.json:
        _print_json(shelved.comparison, shelved.link)
    else:
        _print(shelved.comparison, shelved.link, arguments.problem)
    return 0


def _print(comparison: Comparison, link: str, problem: str) -> None:
    from piste.terminal import paper, print_next_steps, summary

    console = paper()
    console.print(summary(comparison))
    print_next_steps(console, link, problem)


def _print_json(comparison: Comparison, link: str) -> None:
    from piste.core.report.tables import as_json

    print(json.dumps(as_json(comparison, link), indent=1, ensure_ascii=False, allow_nan=False))


def _predict(arguments: argparse.Namespace) -> int:
    from piste.api import predict_file

    answers = predict_file(arguments.problem, arguments.rows, mlruns=arguments.mlruns, code=arguments.code)
    if arguments.output is None:
        print(answers.to_csv(index=False), end="")
        return 0
    try:
        answers.to_csv(arguments.output, index=False)
    except OSError as error:
        raise PisteError(f"{arguments.output}: cannot be written: {error.strerror}") from error
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
