"""Model files that execute nothing when they are read: JSON, arrays, LightGBM's text, and skops for scikit-learn."""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from piste.core.decision import Actions, Priced, Quantity
from piste.core.errors import PisteError
from piste.core.family import Family, Task
from piste.core.layout import Layout, answered
from piste.core.levels import Cuts
from piste.core.model import Constant, Member, Model, Question
from piste.core.past import Past
from piste.core.shape import Shape
from piste.families import NAMES, family
from piste.framings import framings

TRUSTED = ("sklearn.", "numpy.", "scipy.")  # packages whose types skops may rebuild; it refuses all others
CONSTANT = "constant"
FORMAT = "piste/2"
LISTS = ("labels", "features", "also", "added", "rules", "names", "together")


def pack(model: Model, layout: Layout, kin: dict[str, Family]) -> bytes:
    """Write a model and the layout of its rows as the bytes of a zip file.

    Args:
        model: fitted.
        layout: how a table is typed before the model sees it.
        kin: the families of its members, by name.

    Raises:
        PisteError: an estimator cannot be stored without storing code.
    """
    files: dict[str, bytes] = {}
    members = []
    for number, member in enumerate(model.members):
        kept = []
        for place, estimator in enumerate(member.estimators):
            how, stored = _dump(estimator, kin[member.family])
            names = {kind: f"member-{number}-{place}.{kind}" for kind in stored}
            files |= {names[kind]: data for kind, data in stored.items()}
            kept.append({"stored": how, "files": names})
        members.append({"weight": member.weight, "family": member.family, "shape": member.shape.to_json(), "estimators": kept})
    about = {"question": question_json(model.question)}
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    head = {"format": FORMAT, **about, "layout": layout.to_json(), "members": members, "sha256": digests}
    files["model.json"] = json.dumps(head, indent=1).encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)  # no date
    return packed.getvalue()


def unpack(packed: bytes, folder: Path) -> None:
    """Write the files of a packed model into a folder.

    Raises:
        PisteError: the bytes are damaged.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            for name in archive.namelist():
                assert Path(name).name == name, f"we packed flat names only, but {name=}"
                (folder / name).write_bytes(archive.read(name))
    except (zipfile.BadZipFile, ValueError) as error:
        raise PisteError(f"must be a model that piste packed, but is damaged: {error}") from error


def read_model(packed: bytes) -> tuple[Model, Layout]:
    """Read a packed model back."""
    with tempfile.TemporaryDirectory() as folder:
        unpack(packed, Path(folder))
        return load(Path(folder))


def load(folder: Path) -> tuple[Model, Layout]:
    """Read a model back; families of the user's own are rebuilt by skops.

    Raises:
        PisteError: the files are not a model of ours, or are not those that were written.
    """
    try:
        head = json.loads((folder / "model.json").read_text())
    except (OSError, ValueError) as error:
        raise PisteError(f"{folder}: must hold a model.json that piste wrote, but {error}") from error
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        found = repr(head.get("format")) if isinstance(head, dict) else "no model"
        raise PisteError(f"{folder}: must be a model of format {FORMAT}, but is {found}")
    for name, digest in head["sha256"].items():
        file = folder / name
        if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != digest:
            raise PisteError(f"{file}: must be the file that piste wrote, but it has changed since, or is gone")
    members = tuple(
        Member(
            member["weight"],
            member["family"],
            Shape.from_json(member["shape"]),
            tuple(
                _restore(each["stored"], member["family"], {kind: (folder / name).read_bytes() for kind, name in each["files"].items()})
                for each in member["estimators"]
            ),
        )
        for member in head["members"]
    )
    return Model(_question(head["question"]), members), Layout.from_json(head["layout"])


def question_json(question: Question) -> dict[str, Any]:
    """Return what a model says of itself as plain values."""
    plain = {field.name: getattr(question, field.name) for field in fields(question)}
    stakes = question.stakes
    priced = None if stakes is None else {**asdict(stakes), "shape": "actions" if isinstance(stakes, Actions) else "quantity"}
    if isinstance(stakes, Actions):
        priced |= {"costs": stakes.costs.tolist()}  # type: ignore[operator]
    return {
        **plain,
        "framing": question.framing.name,
        "state": dict(question.state),
        "task": asdict(question.task),
        "cuts": asdict(question.cuts) if question.cuts else None,
        "past": question.past.to_json() if question.past else None,
        "stakes": priced,
    }


def _question(kept: Mapping[str, Any]) -> Question:
    """Read what `question_json` wrote."""
    task = {**kept["task"], "levels": tuple(kept["task"]["levels"])}
    cuts = kept["cuts"] and Cuts(**{**kept["cuts"], "at": tuple(kept["cuts"]["at"])})
    return Question(
        **{
            **kept,
            **{name: tuple(kept[name]) for name in LISTS},
            "framing": framings()[kept["framing"]],
            "task": Task(**task),
            "cuts": cuts,
            "past": kept["past"] and Past.from_json(kept["past"]),
            "stakes": kept["stakes"] and _stakes(kept["stakes"]),
        }
    )


def _stakes(kept: Mapping[str, Any]) -> Priced:
    plain: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in kept.items() if name != "shape"}
    if kept["shape"] == "quantity":
        return Quantity(**plain)
    return Actions(**{**plain, "costs": np.array(kept["costs"], dtype=float)})


def _dump(estimator: Any, kin: Family) -> tuple[str, dict[str, bytes]]:
    if isinstance(estimator, Constant):
        return CONSTANT, {"json": json.dumps({"code": estimator.code}).encode()}
    if kin.state:
        return "state", _write_state(kin.state(estimator))
    from skops import io as skops

    try:
        stored = skops.dumps(estimator)
    except Exception as error:
        raise PisteError(f"cannot be stored without storing code: {error}") from error
    if foreign := _untrusted(stored):
        raise PisteError(f"cannot be stored without storing code: it holds {', '.join(foreign[:3])}")
    return "skops", {"skops": stored}


def _untrusted(stored: bytes) -> list[str]:
    from skops import io as skops

    return [name for name in skops.get_untrusted_types(data=stored) if not name.startswith(TRUSTED)]


def _write_state(state: dict[str, Any]) -> dict[str, bytes]:
    """Split a state into JSON and arrays."""
    arrays = {name: value for name, value in state.items() if isinstance(value, np.ndarray)}
    found = {"json": json.dumps({name: value for name, value in state.items() if name not in arrays}).encode()}
    if arrays:
        held = io.BytesIO()
        np.savez_compressed(held, allow_pickle=False, **arrays)
        found["npz"] = held.getvalue()
    return found


def _restore(how: str, name: str, files: dict[str, bytes]) -> Any:
    if how == CONSTANT:
        return Constant(**json.loads(files["json"]))
    if how == "state":
        restore = family(name).restore if name in NAMES else None
        if restore is None:
            raise PisteError(f"a model of the family '{name}' can only be read where that family's file is")
        state = json.loads(files["json"])
        if "npz" in files:
            with np.load(io.BytesIO(files["npz"]), allow_pickle=False) as arrays:
                state |= {key: arrays[key] for key in arrays.files}
        return restore(state)
    from skops import io as skops

    if foreign := _untrusted(files["skops"]):
        raise PisteError(f"must hold types of scikit-learn and numpy only, but holds {', '.join(foreign[:3])}")
    return skops.loads(files["skops"], trusted=skops.get_untrusted_types(data=files["skops"]))


class Served:
    """What MLflow's pyfunc flavour calls: rows in, predictions out."""

    def __init__(self, folder: Path) -> None:
        """Read the model."""
        self.model, self.layout = load(folder)

    def predict(self, rows: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Answer with one line per row."""
        return answered(self.layout, self.model.predict, rows)


def _load_pyfunc(path: str) -> Served:
    """Open a logged model; the name that MLflow looks for in a loader module."""
    return Served(Path(path))
