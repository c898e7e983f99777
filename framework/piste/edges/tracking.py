"""Writes a comparison to MLflow, once, however often it is asked to."""

from __future__ import annotations

import json
import logging
import math
import os
import re
import socket
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
import pandas as pd

from piste.core.comparison import Absent, Comparison, Judged
from piste.core.errors import Fault, PisteError, near
from piste.core.leaderboard import foremost
from piste.core.report.figures import colour
from piste.core.report.tables import rounded
from piste.edges.artifacts import write_comparison, write_row
from piste.edges.embedded import database_uri, ensure_database, link_for_mlflow, sole_writer
from piste.edges.pages import note, row_note, titled
from piste.edges.view import TAG, link, outdated, view, view_id

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, Experiment, Metric, Run

LOCAL_UI = "http://127.0.0.1:5000"
SERVERS = ("http", "https")
DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
LOADER = "piste.edges.models"  # what MLflow imports to load a model that is stored here
LONGEST_TAG, LONGEST_PARAM, LONGEST_KEY = 8000, 6000, 250  # characters that MLflow takes
DIGEST_LENGTH = 36
OUTSIDE = "predicted elsewhere: there is no model of it here"
UNFITTED = "only the best row of each family and of each framing is fitted on all rows"
NUMBERS = (
    *("cost", "cost_lo", "cost_hi", "gain_vs_baseline", "gain_lo", "gain_hi"),
    *("own_score", "value", "fit_seconds", "predict_seconds"),
)

# For our own calls only. A server that is down is noticed after seconds instead of four minutes.
SETTINGS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_UV_AUTO_DETECT": "false",  # it would copy the pyproject.toml of the working directory into models
}


class TrackingDown(PisteError):
    """MLflow could not be written to. Nothing is lost: the results are in the result store."""


@dataclass(frozen=True, slots=True)
class Refit:
    """The model of a leaderboard row, fitted on all rows that may be learnt from.

    Args:
        model_dir: a folder that `piste.edges.models` can load; None where no model is stored.
        input_example: a few rows as a caller would send them.
        output_example: what the model answers to them.
        requirements: of pip, pinned.
        history: name -> (n_epochs,) values of a training that has epochs.
        reason: why no model is stored, as a sentence.
    """

    model_dir: Path | None
    input_example: pd.DataFrame
    output_example: Any
    requirements: tuple[str, ...] = ()
    history: Mapping[str, np.ndarray] | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Tracker:
    """An MLflow store to write to.

    Args:
        uri: of the server or database.
        mlruns: the folder in which results and, unless a server keeps them, artifacts are.
        experiment: name of the MLflow experiment; the problem's where empty.
    """

    uri: str
    mlruns: Path
    experiment: str = ""

    def log(
        self,
        comparison: Comparison,
        refits: Mapping[str, Refit],
        progress: Callable[[int, int], None] = lambda done, total: None,
        *,
        started: float | None = None,
        waiting: Callable[[], None] = lambda: None,
    ) -> str:
        """Write a comparison, unless it is there already, and return the link to it.

        What an earlier call left half-written is removed and written anew; what other calls left is marked as killed.

        Args:
            comparison: what was found.
            refits: id of a leaderboard row -> its model.
            progress: told how many rows out of how many are written.
            started: when the comparison began, in seconds since 1970; now where not given.
            waiting: called when another process is writing to the same embedded store.

        Raises:
            TrackingDown: MLflow cannot be reached, or refuses.
        """
        with self.connected(sole_writer(self.mlruns, waiting) if self._local else None) as client:
            experiment = self._experiment(client, comparison)
            self._mark_killed(client, experiment)
            runs = _search(client, [experiment.experiment_id], _of(comparison.key))
            if not any(_is_parent(run) and run.info.status == "FINISHED" for run in runs):
                for run in runs:
                    _delete(client, run)
                start_ms = int(1000 * (time.time() if started is None else started))
                first = foremost(comparison.judged, comparison.champion, comparison.best_baseline)
                writing = _Writing(client, experiment.experiment_id, comparison, start_ms, first)
                written = writing.everything(refits, progress)
                self._remove_ghosts(client, experiment, comparison.key, written)
            self._show(client, experiment, comparison)
            return self._link(experiment.experiment_id, comparison.key)

    def newest(self, base_url: str | None = None) -> str | None:
        """Return the link to the comparison that was shown last, over all experiments; None where there is none."""
        if self._local and not self._database.exists():
            return None
        with self.connected() as client:
            shown = [found for found in client.search_experiments() if {"piste.shown_at", "piste.latest"} <= found.tags.keys()]
            if not shown:
                return None
            last = max(shown, key=lambda found: int(found.tags["piste.shown_at"]))
            return self._link(last.experiment_id, last.tags["piste.latest"], base_url)

    @property
    def _local(self) -> bool:
        """Whether the store is a sqlite file, which we make, and which one process at a time writes to."""
        return self.uri.startswith("sqlite:")

    @property
    def _database(self) -> Path:
        return Path(self.uri.removeprefix("sqlite:///"))

    def _link(self, experiment_id: str, key: str, base_url: str | None = None) -> str:
        server = without_password(self.uri) if urlsplit(self.uri).scheme in SERVERS else LOCAL_UI
        return link(base_url or server, experiment_id, key)

    @contextmanager
    def connected(self, lock: AbstractContextManager[None] | None = None) -> Iterator[MlflowClient]:
        """Give a client of the store, made where it is embedded and not there yet, and say in words what goes wrong with it.

        Args:
            lock: held while the client is in use.

        Raises:
            TrackingDown: MLflow cannot be reached, or refuses.
        """
        with _quiet():
            import requests
            from mlflow import MlflowClient
            from mlflow.exceptions import MlflowException
            from sqlalchemy.exc import SQLAlchemyError

            try:
                with lock or nullcontext():
                    if self._local:
                        ensure_database(self._database, self.mlruns / "artifacts")
                        link_for_mlflow(self._database)
                    yield MlflowClient(self.uri)
            except (MlflowException, SQLAlchemyError, requests.RequestException, OSError) as error:
                shown = without_password(self.uri)
                reason = str(error).strip().partition("\n")[0].replace(self.uri, shown)[:300]
                raise TrackingDown(
                    f"MLflow at {shown} could not be written to: {reason}. "
                    f"The results are in {self.mlruns}; run the same command again to log them."
                ) from error
            except PisteError as error:
                raise TrackingDown(*error.faults) from error

    def _experiment(self, client: MlflowClient, comparison: Comparison) -> Experiment:
        """Find or make the experiment; one that was deleted in MLflow is taken back."""
        name = self.experiment or comparison.problem
        found = client.get_experiment_by_name(name)
        if found is None:
            folder = self.mlruns / "artifacts" / (re.sub(r"[^\w.-]+", "_", name).strip(".") or "_")
            place = None if urlsplit(self.uri).scheme in SERVERS else folder.absolute().as_uri()
            tags = {"mlflow.experimentKind": "custom_model_development", "mlflow.note.content": comparison.question}
            return client.get_experiment(client.create_experiment(name, artifact_location=place, tags=tags))
        if found.lifecycle_stage == "deleted":
            client.restore_experiment(found.experiment_id)
        return found

    def _mark_killed(self, client: MlflowClient, experiment: Experiment) -> None:
        """End the runs that a process which is no more left running."""
        experiments = client.search_experiments() if self._local else [experiment]
        left = _search(
            client, [found.experiment_id for found in experiments], "tags.`piste.writer` LIKE '%' and attributes.status = 'RUNNING'"
        )
        for run in left:
            if self._local or _is_gone(run.data.tags["piste.writer"]):
                client.set_terminated(run.info.run_id, "KILLED")

    def _remove_ghosts(self, client: MlflowClient, experiment: Experiment, key: str, written: set[str]) -> None:
        """Remove what a server wrote twice, because its first answer was lost on the way."""
        if not self._local:
            for run in _search(client, [experiment.experiment_id], _of(key)):
                if run.info.run_id not in written and run.data.tags["piste.writer"] == _writer():
                    _delete(client, run)

    def _show(self, client: MlflowClient, experiment: Experiment, comparison: Comparison) -> None:
        """Make this comparison the one that `piste.latest` and the newest link mean."""
        experiment_id, key, now_ms = experiment.experiment_id, comparison.key, int(1000 * time.time())
        tags = client.get_experiment(experiment_id).tags
        if tags.get("piste.latest") != key or TAG + view_id(key) not in tags:
            self._make_latest(client, experiment_id, comparison, now_ms)
        client.set_experiment_tag(experiment_id, "piste.shown_at", str(now_ms))

    def _make_latest(self, client: MlflowClient, experiment_id: str, comparison: Comparison, now_ms: int) -> None:
        """Move the tag to the runs of this comparison and write its view; the experiment's own tag says last that this is done."""
        key = comparison.key
        for run in _search(client, [experiment_id], "tags.`piste.latest` = 'true'"):
            if run.data.tags["piste.comparison"] != key:
                client.delete_tag(run.info.run_id, "piste.latest")
        for run in _search(client, [experiment_id], _of(key)):
            if "piste.latest" not in run.data.tags:
                client.set_tag(run.info.run_id, "piste.latest", "true")
        client.set_experiment_tag(experiment_id, TAG + view_id(key), view(comparison, now_ms))
        for name in outdated(client.get_experiment(experiment_id).tags):
            client.delete_experiment_tag(experiment_id, name)
        client.set_experiment_tag(experiment_id, "piste.latest", key)


def open_store(uri: str | None, mlruns: Path, experiment: str | None = None) -> Tracker:
    """Choose where to write: the embedded store under `mlruns`, or any server or database that MLflow knows.

    Nothing is opened yet, so a server that is down stops no fit.

    Args:
        uri: `track.uri` of the problem.
        mlruns: folder of results, artifacts and the embedded database.
        experiment: `track.experiment` of the problem.

    Raises:
        PisteError: an address that MLflow cannot write to.
    """
    mlruns = mlruns.absolute()
    if uri is None:
        return Tracker(database_uri(mlruns / "mlflow.db"), mlruns, experiment or "")
    scheme = urlsplit(uri).scheme.partition("+")[0]
    known = (*SERVERS, *DATABASES)
    if scheme in ("", "file"):
        raise PisteError(
            Fault(
                f"must be the address of an MLflow server (http://...) or a database (sqlite:///...), but is '{uri}': "
                "MLflow no longer writes plain folders. Leave it out for the database under mlruns/.",
                "track.uri",
            )
        )
    if scheme not in known:
        message = f"must begin with {', '.join(known[:-1])} or {known[-1]}, but is '{without_password(uri)}'.{near(scheme, known)}"
        raise PisteError(Fault(message, "track.uri"))
    if scheme == "sqlite":
        path = uri.removeprefix("sqlite:///")
        if path in ("", uri, ":memory:"):
            raise PisteError(Fault(f"must name a file, as in sqlite:///results/mlflow.db, but is '{uri}'", "track.uri"))
        uri = database_uri(Path(path))
    return Tracker(uri, mlruns, experiment or "")


def without_password(uri: str) -> str:
    """Return an address that may be shown.

    >>> without_password("https://me:secret@tracking.example/path")
    'https://tracking.example/path'
    """
    parts = urlsplit(uri)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() if "@" in parts.netloc else uri


@dataclass(frozen=True, slots=True)
class _Writing:
    """One comparison on its way into one experiment."""

    client: MlflowClient
    experiment_id: str
    comparison: Comparison
    start_ms: int
    drawn: frozenset[str]  # rows that have figures of their own

    def everything(self, refits: Mapping[str, Refit], progress: Callable[[int, int], None]) -> set[str]:
        """Write the parent and its rows, the parent finished last; return the ids of all runs."""
        from mlflow.tracking.context.registry import resolve_tags

        rows: list[Judged | Absent] = [*self.comparison.judged, *self.comparison.absent]
        context = {**resolve_tags(), "piste.comparison": self.comparison.key, "piste.writer": _writer(), "piste.latest": "true"}
        dataset = self._dataset()
        parent = self._parent(context, dataset)
        written = {parent}
        for rank, row in enumerate(rows):
            progress(rank, len(rows))
            # Rows begin a millisecond apart, so that MLflow's own order, newest first, is the leaderboard's.
            start_ms = self.start_ms + len(rows) - rank
            tags = {**context, **self._tags(row), "mlflow.parentRunId": parent}
            if isinstance(row, Absent):
                written.add(self._absent(row, tags, dataset, start_ms))
            else:
                written.add(self._judged(row, tags, dataset, start_ms, refits.get(row.id)))
        self.client.set_terminated(parent, "FINISHED")
        progress(len(rows), len(rows))
        return written

    def _parent(self, context: Mapping[str, str], dataset: DatasetInput) -> str:
        comparison = self.comparison
        champion = comparison.row(comparison.champion)
        tags = {
            **context,
            "piste.role": "comparison",
            "piste.verdict": comparison.verdict.name,
            "piste.valid": str(comparison.valid).lower(),
            **_acknowledged(comparison),
            "piste.champion": champion.title,
            "mlflow.note.content": note(comparison, LONGEST_TAG),
            "mlflow.loggedArtifacts": _tables("leaderboard.json"),
        }
        run_id = self._run(f"{comparison.problem} {comparison.key[:8]}", tags, dataset, self.start_ms)
        self.client.log_batch(run_id, metrics=self._metrics(_told(comparison), self.start_ms), synchronous=True)
        with tempfile.TemporaryDirectory() as name:
            write_comparison(self.comparison, Path(name))
            self.client.log_artifacts(run_id, name)
        return run_id

    def _tags(self, row: Judged | Absent) -> dict[str, str]:
        return {
            "piste.role": "candidate",
            "piste.family": row.family,
            "piste.framing": row.framing,
            "piste.rule": row.rule if isinstance(row, Judged) else "",
            "piste.status": row.status,
            "piste.reason": row.reason[:LONGEST_TAG],
            "piste.champion": str(row.id == self.comparison.champion).lower(),
            "mlflow.runColor": colour(row.family),
            **({"piste.outside": "true"} if isinstance(row, Judged) and row.is_outside else {}),
        }

    def _absent(self, row: Absent, tags: Mapping[str, str], dataset: DatasetInput, start_ms: int) -> str:
        """Write a row without a result. It has ended in order where it was skipped, and failed where it failed."""
        run_id = self._run(row.title, {**tags, "mlflow.note.content": row.reason[:LONGEST_TAG]}, dataset, start_ms)
        self.client.set_terminated(run_id, "FAILED" if row.status == "failed" else "FINISHED", start_ms)
        return run_id

    def _judged(self, row: Judged, tags: Mapping[str, str], dataset: DatasetInput, start_ms: int, refit: Refit | None) -> str:
        """Write a judged row; the run lasts as long as one fit did, where that is known."""
        from mlflow.entities import Param

        more = {"mlflow.loggedArtifacts": _tables("trials.json"), "mlflow.note.content": row_note(self.comparison, row)[:LONGEST_TAG]}
        if refit is None or refit.reason:
            absent = OUTSIDE if row.is_outside else UNFITTED
            more["piste.model"] = refit.reason[:LONGEST_TAG] if refit else absent
        run_id = self._run(titled(self.comparison, row), {**tags, **more}, dataset, start_ms)
        params = {name: str(rounded(value) if isinstance(value, float) else value)[:LONGEST_PARAM] for name, value in row.params.items()}
        model_id = self._model(row, run_id, params, refit) if refit is not None and refit.model_dir is not None else None
        metrics = [
            *self._metrics(_numbers(row), start_ms, model_id),
            *self._steps("fold_cost", row.fold_costs, start_ms),
            *(metric for name, values in _history(refit).items() for metric in self._steps(f"epoch/{name}", values, start_ms)),
        ]
        self.client.log_batch(run_id, metrics, [Param(name, value) for name, value in params.items()], synchronous=True)
        with tempfile.TemporaryDirectory() as name:
            write_row(self.comparison, row, _history(refit), Path(name), drawn=row.id in self.drawn)
            self.client.log_artifacts(run_id, name)
        seconds = row.fit_seconds if math.isfinite(row.fit_seconds) else 0.0
        self.client.set_terminated(run_id, "FINISHED", start_ms + max(1, round(1000 * seconds)))
        return run_id

    def _run(self, name: str, tags: Mapping[str, str], dataset: DatasetInput, start_ms: int) -> str:
        run = self.client.create_run(self.experiment_id, start_time=start_ms, tags=dict(tags), run_name=name)
        run_id = str(run.info.run_id)
        self.client.log_inputs(run_id, [dataset])
        return run_id

    def _model(self, row: Judged, run_id: str, params: Mapping[str, str], refit: Refit) -> str:
        """Store the model of a row as a LoggedModel: data and the name of a loader, nothing that runs by being opened."""
        from mlflow import pyfunc
        from mlflow.entities import LoggedModelOutput
        from mlflow.models import Model

        name = re.sub(r"[^\w-]+", "-", row.id).strip("-")
        logged = self.client.create_logged_model(
            self.experiment_id, name, run_id, params=dict(params), tags={"piste.comparison": self.comparison.key}
        )
        self.client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model"
            pyfunc.save_model(
                str(path),
                loader_module=LOADER,
                data_path=str(refit.model_dir),
                mlflow_model=Model(
                    artifact_path=logged.artifact_location, model_uuid=logged.model_id, run_id=run_id, model_id=logged.model_id
                ),
                signature=_signature(refit),
                input_example=_floats(refit.input_example),
                pip_requirements=list(refit.requirements),
            )
            self.client.log_model_artifacts(logged.model_id, str(path))
        self.client.finalize_logged_model(logged.model_id, "READY")
        return str(logged.model_id)

    def _dataset(self) -> DatasetInput:
        """Describe the table by our own digest, over all rows: MLflow's would stop at the first 10,000."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        comparison = self.comparison
        dataset = Dataset(
            name=comparison.problem,
            digest=comparison.digest[:DIGEST_LENGTH],
            source_type="local",
            source=json.dumps({"uri": comparison.source}),
            schema=json.dumps(
                {"mlflow_colspec": [{"name": name, "type": kind, "required": False} for name, kind in comparison.schema.items()]}
            ),
            profile=json.dumps({"num_rows": comparison.n_rows, "num_judged_rows": comparison.n_judged}),
        )
        return DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])

    def _metrics(self, numbers: Mapping[str, float], at_ms: int, model_id: str | None = None) -> list[Metric]:
        from mlflow.entities import Metric

        about: dict[str, str | None] = {}
        if model_id:
            about = {
                "model_id": model_id,
                "dataset_name": self.comparison.problem,
                "dataset_digest": self.comparison.digest[:DIGEST_LENGTH],
            }
        return [Metric(name, rounded(value), at_ms, 0, **about) for name, value in numbers.items() if math.isfinite(value)]

    def _steps(self, name: str, values: Sequence[float] | np.ndarray, at_ms: int) -> list[Metric]:
        """Return one metric with a step from 1 for each value."""
        from mlflow.entities import Metric

        return [Metric(name, rounded(float(value)), at_ms, step) for step, value in enumerate(values, 1) if math.isfinite(value)]


def _numbers(row: Judged) -> dict[str, float]:
    named = {name: getattr(row, name) for name in NUMBERS}
    train = {f"train_{name}": value for name, value in row.train_metrics.items()}
    actions = {f"action/{_metric_name(name)}": value for name, value in row.actions.items()}
    return {**row.metrics, **train, **actions, **named, "tied_with_best": float(row.tied_with_best)}


def _metric_name(text: str) -> str:
    """Replace what MLflow allows in no name of a metric or a tag.

    >>> _metric_name("two marshals (paid)")
    'two marshals _paid_'
    """
    return re.sub(r"[^\w .-]", "_", text)


def _acknowledged(comparison: Comparison) -> dict[str, str]:
    """Return a tag for each finding that somebody takes as it is: who, until when, and why."""
    taken = [each for each in comparison.findings if each.acknowledged]
    return {_metric_name(f"piste.acknowledged.{each.check}.{each.on}")[:LONGEST_KEY]: each.acknowledged[:LONGEST_TAG] for each in taken}


def _told(comparison: Comparison) -> dict[str, float]:
    """Return the numbers of the verdict: the champion's, and what may be claimed."""
    row, estimate, claimed = comparison.row(comparison.champion), comparison.estimate, comparison.claimed
    numbers = {name: getattr(row, name) for name in ("cost", "cost_lo", "cost_hi", "gain_vs_baseline", "gain_lo", "gain_hi", "value")}
    if estimate:
        numbers |= {"estimate": estimate.mean, "estimate_lo": estimate.low, "estimate_hi": estimate.high}
    if claimed:
        numbers |= {"claimed": claimed.gain.mean, "claimed_lo": claimed.gain.low, "claimed_hi": claimed.gain.high}
    return {**numbers, "n_columns": float(comparison.n_columns)}


def _history(refit: Refit | None) -> Mapping[str, np.ndarray]:
    return refit.history or {} if refit is not None else {}


def _tables(*names: str) -> str:
    """Return the tag by which MLflow knows which artifacts are tables."""
    return json.dumps([{"path": name, "type": "table"} for name in names])


def _signature(refit: Refit) -> Any:
    from mlflow.models import infer_signature

    return infer_signature(_floats(refit.input_example), refit.output_example)


def _floats(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with whole numbers and truth values as floats, so that a missing one is no change of type."""
    return frame.astype(dict.fromkeys(frame.select_dtypes(["number", "bool"]).columns, "float64"))


def _search(client: MlflowClient, experiment_ids: list[str], query: str) -> list[Run]:
    found: list[Run] = []
    token: str | None = None
    while True:
        page = client.search_runs(experiment_ids, query, page_token=token)
        found += page
        token = page.token
        if not token:
            return found


def _of(key: str) -> str:
    return f"tags.`piste.comparison` = '{key}'"


def _is_parent(run: Run) -> bool:
    return bool(run.data.tags.get("piste.role") == "comparison")


def _delete(client: MlflowClient, run: Run) -> None:
    """Delete a run with its models."""
    for output in run.outputs.model_outputs if run.outputs else ():
        client.delete_logged_model(output.model_id)
    client.delete_run(run.info.run_id)


def _writer() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _is_gone(writer: str) -> bool:
    """Say whether the process that wrote a run has ended, as far as this machine can know; this one has no other call open."""
    host, _, pid = writer.rpartition(":")
    if host != socket.gethostname() or int(pid) == os.getpid():
        return host == socket.gethostname()
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


@contextmanager
def _quiet() -> Iterator[None]:
    """Set what MLflow needs for our calls, unless the user has, and keep its chatter off the terminal."""
    before = {name: os.environ.get(name) for name in SETTINGS}
    os.environ.update({name: value for name, value in SETTINGS.items() if before[name] is None})
    loggers = [logging.getLogger(name) for name in ("mlflow", "alembic")]
    levels = [logger.level for logger in loggers]
    try:
        with warnings.catch_warnings():
            # What MLflow says about itself when it is imported; nobody who runs piste can do anything about that.
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.filterwarnings("ignore", message=".*Any type hint is inferred", category=UserWarning)
            import mlflow  # noqa: F401  (it sets the level of its logger when it is imported)

            for logger in loggers:
                logger.setLevel(logging.WARNING)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        for name in SETTINGS:
            if before[name] is None:
                os.environ.pop(name, None)
