"""From a table, or a question alone, to the folder of a new problem."""

from __future__ import annotations

import codecs
import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from piste.core.data import Raw
from piste.core.draft import Draft, draft
from piste.core.draft.worksheet import ROWS, worksheet
from piste.core.errors import Fault, PisteError, Place
from piste.core.problem import Data
from piste.core.references import closest
from piste.edges.files import Refused, content_of
from piste.edges.load import FILE, make_problem
from piste.edges.newproject import checked_name, heading, path_from, write
from piste.edges.sources import SQLITE, TEXT, read_file
from piste.prepare import ready

TOLD = ("target.kind", "target.positive", "time", "unit", "known_at.after", "split")  # guesses that are worth a line on the screen


@dataclass(frozen=True, slots=True)
class New:
    """A problem that has just been written."""

    folder: Path
    files: tuple[str, ...]
    draft: Draft

    def __str__(self) -> str:
        return said(self)


def from_table(folder: Path, file: Path, target: str | None, question: str) -> New:
    """Draft a problem from a table, every guess of which holds on it, and write it.

    Args:
        folder: to be made; its last part names the problem.
        file: the table; it stays where it is.
        target: the column to predict.
        question: in plain words, or empty.

    Raises:
        PisteError: the name, the table or the target will not do; then nothing is written.
    """
    name = checked_name(folder)
    options, raw = _read(file)
    names = [str(each) for each in raw.frame.columns]
    if target not in names:
        found = f"but no column is named '{target}'" if target else "but none is given"
        raise PisteError(Fault(f"must be the column to predict, {found}.{closest(target or '', names)}", "--target", Place(str(file))))
    data = {"path": path_from(folder, file), **options}
    first = draft(raw, data, target, of_text=_of_text(file), question=question, heading=heading(folder))
    drafted = _holding(first, raw, folder, name)
    write(folder, {FILE: drafted.text()})
    return New(folder, (FILE,), drafted)


def from_question(folder: Path, question: str, target: str | None) -> New:
    """Write the worksheet of a problem without a table, and an empty table beside it.

    Args:
        folder: to be made; its last part names the problem.
        question: in plain words.
        target: what the answer is called; "answer" where not given.

    Raises:
        PisteError: the name or the question will not do; then nothing is written.
    """
    checked_name(folder)
    drafted, header = worksheet(question, heading=heading(folder), **({"target": target} if target else {}))
    make_problem(**drafted.problem())
    write(folder, {FILE: drafted.text(), ROWS: header})
    return New(folder, (FILE, ROWS), drafted)


def _read(file: Path) -> tuple[dict[str, Any], Raw]:
    """Read a table, with the encoding that it seems to have; return what has to be said of it, and the table."""
    if file.name.lower().endswith(SQLITE):
        tip = "Write a problem.yaml with `data: {path: ..., query: SELECT ...}`, or save the rows as a csv file"
        raise PisteError(Fault(f"must be a table, but a database holds any number of them. {tip}", "--data", Place(str(file))))
    options: dict[str, Any] = {}
    if _of_text(file):
        try:
            encoding = _encoding(content_of(file))
        except Refused as error:
            raise PisteError(Fault(str(error), "--data")) from error
        options = {"encoding": encoding} if encoding else {}
    try:
        return options, read_file(file, Data.model_validate({"path": str(file), **options}))
    except PisteError as error:
        raise PisteError(*(Fault(fault.message, fault.field or "--data", fault.place) for fault in error.faults)) from error


def _of_text(file: Path) -> bool:
    return file.name.lower().removesuffix(".gz").endswith(TEXT)


def _encoding(content: bytes) -> str:
    """Return the encoding that must be said of a text; empty where it tells by itself."""
    marks = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
    if content.startswith(marks) or b"\0" in content:
        return ""
    for encoding in ("utf-8", "cp1252"):
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return "" if encoding == "utf-8" else encoding
    return "latin-1"


def _holding(drafted: Draft, raw: Raw, folder: Path, name: str) -> Draft:
    """Return a draft without the guesses that do not hold on its own table, all taken together."""
    while True:
        try:
            problem = make_problem(**drafted.problem())
            marked = replace(raw, decimal=problem.data.decimal or raw.decimal)
            ready(problem, marked, folder, name, quick=True, code=False)
        except PisteError as error:
            if all(line.said for line in drafted.lines):
                raise
            for fault in error.faults:
                if any(not line.said for line in drafted.lines):
                    drafted = drafted.without(fault.field)
            continue
        return drafted


def said(new: New) -> str:
    """Say what was written, the guesses that matter most, and what to type next."""
    folder = shlex.quote(str(new.folder))
    if ROWS in new.files:
        return "\n".join((
            f"Wrote {new.folder / FILE}, a worksheet: a question above each line, and an example to overwrite",
            f"      {new.folder / ROWS}, the columns to collect, without rows yet: rename them in both files alike",
            "",
            "Next:",
            f"  fill in {FILE}, and {ROWS}, a row for each time that it was decided in the past",
            f"  piste check {folder}   says what is still missing, and what is wrong with the question and its rows",
        ))  # fmt: skip
    lines = {line.key: line for line in new.draft.lines}
    told = [lines[key] for key in TOLD if key in lines]
    width = max((len(line.key) for line in told), default=0)
    guesses = [f"  {line.key:<{width}}  {_short(line.value)}{f'  ({line.why})' if line.why else ''}" for line in told]
    needed = [f"  {line.key}: {_short(line.value)}  ({line.why})" for line in new.draft.lines if line.said and line.why]
    return "\n".join((
        f"Wrote {new.folder / FILE}: `data` and `target`, and guesses at the rest, each a comment with its reason.",
        *(["The table could not be read without", *needed] if needed else []),
        "What matters most of them:",
        *guesses,
        "",
        "Next:",
        f"  take the \"# \" away in {FILE} from the guesses that are right; what a mistake costs only you can say",
        f"  piste check {folder}   is the interview: its findings are the questions, each with the line to paste",
    ))  # fmt: skip


def _short(value: object) -> str:
    """Write a value as a person reads it."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {each}" for key, each in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
