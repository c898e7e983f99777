"""What the result store promises: values come back as they were put, and nothing that happens to a process spoils the file."""

from __future__ import annotations

import hashlib
import re
import sqlite3
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import piste.edges.store
from piste.core.errors import PisteError
from piste.edges.store import Store, fingerprint, key, pack_arrays, pack_frame, unpack_arrays, unpack_frame, versions

ARRAYS = {
    "floats": np.array([1.5, np.nan, -np.inf, -0.0]),
    "small": np.arange(6, dtype=np.float32).reshape(2, 3),
    "ints": np.array([2**62, -1]),
    "bools": np.array([True, False]),
    "texts": np.array(["a", "größer", ""]),
    "times": np.array(["2024-02-29", "NaT"], dtype="datetime64[ns]"),
    "empty": np.zeros((0, 3)),
    "scalar": np.array(7),
    "turned": np.arange(6.0).reshape(2, 3).T,
    "big-endian": np.arange(3, dtype=">i4"),
    "a/b.npy [c]": np.ones(1),
}


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "mlruns" / "results.sqlite") as opened:
        yield opened


def torture(name: str, folder: Path) -> str:
    """Run one of the scenes of torture.py to its end, and return what it printed."""
    command = [sys.executable, str(Path(__file__).with_name("torture.py")), name, str(folder)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


# What is put comes back


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_comes_back_with_its_values_dtype_and_shape(store, name):
    store.put("k", "cell", {}, {name: ARRAYS[name]})
    (found,) = store.get("k").arrays.items()
    assert found[0] == name
    assert (found[1].dtype, found[1].shape) == (ARRAYS[name].dtype, ARRAYS[name].shape)
    np.testing.assert_array_equal(found[1], ARRAYS[name])


def test_ten_megabytes_come_back(store):
    noise = np.random.default_rng(0).normal(size=(1250, 1000))
    store.put("k", "cell", {}, {"noise": noise})
    np.testing.assert_array_equal(store.get("k").arrays["noise"], noise)


def test_arrays_are_an_npz_file_without_pickles(tmp_path):
    (tmp_path / "arrays.npz").write_bytes(pack_arrays(ARRAYS))
    with np.load(tmp_path / "arrays.npz", allow_pickle=False) as loaded:
        for name in ("floats", "texts", "turned"):
            np.testing.assert_array_equal(loaded[name], ARRAYS[name])


def test_what_repeats_is_compressed_and_noise_is_not():
    noise, zeros = np.random.default_rng(0).normal(size=10_000), np.zeros(10_000)
    assert len(pack_arrays({"a": zeros})) < 0.05 * zeros.nbytes
    assert len(pack_arrays({"a": noise})) < 1.01 * noise.nbytes
    np.testing.assert_array_equal(unpack_arrays(pack_arrays({"a": zeros}))["a"], zeros)


def test_equal_arrays_are_equal_bytes():
    assert pack_arrays(ARRAYS) == pack_arrays({name: array.copy(order="K") for name, array in ARRAYS.items()})


def test_objects_are_refused():
    with pytest.raises(TypeError, match="'mixed' holds objects"):
        pack_arrays({"mixed": np.array([1, "a"], dtype=object)})


def test_json_values_come_back_with_nan_and_infinity(store):
    meta = {"nan": float("nan"), "inf": [float("inf"), -float("inf")], "text": "\ud800é\n", "none": None, "deep": {"a": [1, 2.5, True]}}
    store.put("k", "cell", meta)
    assert repr(store.get("k").meta) == repr(meta)


def test_numpy_numbers_are_json_values(store):
    store.put("k", "cell", {"a": np.int64(3), "b": np.float32(0.5), "c": np.bool_(True)})
    assert store.get("k").meta == {"a": 3, "b": 0.5, "c": True}


def test_a_model_comes_back_byte_by_byte(store):
    store.put("k", "model", {}, blob=bytes(range(256)))
    record = store.get("k")
    assert (record.key, record.kind, record.blob) == ("k", "model", bytes(range(256)))


def test_what_was_never_put_is_none(store):
    assert store.get("k") is None
    assert store.comparison("k") is None
    assert store.latest_comparison("p") is None


def test_many_are_found_at_once_in_the_order_asked_for(store):
    rows = [(str(number), str(number), pack_arrays({})) for number in range(1200)]
    store._connection.execute("BEGIN")
    store._connection.executemany("INSERT INTO results VALUES (?, 'cell', ?, ?, NULL)", rows)
    store._connection.execute("COMMIT")
    wanted = [str(number) for number in range(1199, -1, -1)]
    found = store.get_many([*wanted, "absent", "7"])
    assert list(found) == wanted
    assert [record.meta for record in found.values()] == [int(name) for name in wanted]


def test_the_first_outcome_under_a_key_stays(store):
    store.put("k", "cell", {"n": 1})
    store.put("k", "cell", {"n": 2})
    assert store.get("k").meta == {"n": 1}


def test_an_outcome_can_take_the_place_of_a_worse_one(store):
    store.put("k", "failed", {"deadline": 1.0})
    store.replace("k", "cell", {"n": 2}, {"a": np.ones(2)})
    assert (store.get("k").kind, store.get("k").meta) == ("cell", {"n": 2})


def test_what_was_put_is_there_for_the_next_process(tmp_path):
    with Store(tmp_path / "results.sqlite") as store:
        store.put("k", "cell", {"n": 1})
    with Store(tmp_path / "results.sqlite") as store:
        assert store.get("k").meta == {"n": 1}


# Frames and comparisons

FRAME = pd.DataFrame(
    {
        "cost": [1.5, np.nan],
        "narrow": np.array([1, 2], dtype=np.float32),
        "row": [3, 4],
        "tied": [True, False],
        "family": ["forest", "größer"],
        "text with gaps": pd.array(["a", None], dtype="str"),
        "text of another kind": pd.array(["a", None], dtype="string"),
        "mixed": pd.Series([0.1, "tanh"], dtype=object),
        "none": pd.Series([None, {"alpha": 0.1}], dtype=object),
        "when": pd.to_datetime(["2024-02-29", None]),
    }
)


@pytest.mark.parametrize(
    "frame", [FRAME, FRAME.iloc[:0], FRAME[[]], pd.DataFrame(), FRAME[["row"]]], ids=["full", "rows", "columns", "both", "one"]
)
def test_a_frame_comes_back_with_its_values_and_dtypes(store, frame):
    store.save_comparison("k", "p", {}, frames={"leader/board": frame, "other": FRAME})
    frames = store.comparison("k").frames
    pd.testing.assert_frame_equal(frames["leader/board"], frame, check_column_type=len(frame.columns) > 0)
    pd.testing.assert_frame_equal(frames["other"], FRAME)


@given(st.lists(st.tuples(st.floats(), st.integers(-(2**63), 2**63 - 1), st.booleans(), st.text())))
def test_any_numbers_and_texts_come_back(rows):
    frame = pd.DataFrame(
        {
            "float": np.array([row[0] for row in rows], dtype=float),
            "int": np.array([row[1] for row in rows], dtype=np.int64),
            "bool": np.array([row[2] for row in rows], dtype=bool),
            "text": pd.Series([row[3] for row in rows], dtype=object),
        }
    )
    shape, arrays = pack_frame(frame)
    pd.testing.assert_frame_equal(unpack_frame(shape, unpack_arrays(pack_arrays(arrays))), frame, check_exact=True)


@pytest.mark.parametrize(
    ("frame", "what"),
    [
        (pd.DataFrame({1: [2]}), "named by text"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "each once"),
        (pd.DataFrame({"a": [1]}, index=[5]), "numbered from 0"),
        (pd.DataFrame({"a": pd.Categorical(["x"])}), "'a' is category"),
    ],
)
def test_a_frame_that_would_not_come_back_is_refused(frame, what):
    with pytest.raises(TypeError, match=what):
        pack_frame(frame)


def test_the_latest_comparison_of_a_problem_is_the_one_saved_last(store):
    for name, problem in (("first", "ski"), ("second", "ski"), ("other", "peas")):
        store.save_comparison(name, problem, {"name": name}, arrays={"y": np.arange(3)})
    assert store.latest_comparison("ski").key == "second"
    store.save_comparison("first", "ski", {"name": "first again"})
    found = store.latest_comparison("ski")
    assert (found.key, found.problem, found.meta) == ("first", "ski", {"name": "first again"})
    assert store.comparison("second").meta == {"name": "second"}
    np.testing.assert_array_equal(store.comparison("other").arrays["y"], np.arange(3))


# Whatever happens


def test_a_kill_before_any_line_of_the_creation_leaves_a_usable_store(tmp_path):
    kills = int(torture("creation_by_line", tmp_path).split()[0])
    assert kills > 40


def test_a_kill_at_any_moment_of_the_creation_leaves_a_usable_store(tmp_path):
    torture("creation_by_clock", tmp_path)


def test_a_kill_between_puts_loses_nothing_that_was_put(tmp_path):
    results = int(torture("puts", tmp_path).split()[0])
    assert results > 20


def test_processes_may_make_and_fill_one_store_at_once(tmp_path):
    torture("race", tmp_path)


def test_a_read_only_folder_can_be_read_and_is_named_when_written_to():
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders are closed to other users
        Path(folder).chmod(0o755)
        refused, missing = torture("read_only", Path(folder)).splitlines()
        assert refused.startswith(f"{folder}/results.sqlite: cannot be written, its folder or the file is read-only.")
        assert missing.startswith(f"{folder}/deeper/results.sqlite: cannot be used (")
        assert "Permission denied" in missing


def test_the_log_of_a_deleted_store_does_not_reach_the_new_one(tmp_path):
    path = tmp_path / "results.sqlite"
    with Store(path) as store:
        store.put("old", "cell", {})
        log = Path(f"{path}-wal").read_bytes()
        shared = Path(f"{path}-shm").read_bytes()
    path.unlink()
    Path(f"{path}-wal").write_bytes(log)
    Path(f"{path}-shm").write_bytes(shared)
    with Store(path) as store:
        assert store.get("old") is None
        store.put("new", "cell", {})
        assert store.get("new") is not None


def test_a_full_disk_is_one_line_and_leaves_the_store_readable(store):
    store.put("before", "cell", {"n": 1}, {"a": np.ones(10)})
    (pages,) = store._connection.execute("PRAGMA page_count").fetchone()
    store._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(PisteError, match=r"results\.sqlite: cannot be written, the disk is full\. Free some space") as caught:
        store.put("big", "cell", {}, {"noise": np.random.default_rng(0).normal(size=100_000)})
    assert "\n" not in str(caught.value)
    assert store.get("before").meta == {"n": 1}
    assert store.get("big") is None
    store._connection.execute("PRAGMA max_page_count = 1000000")
    store.put("big", "cell", {})
    assert store.get("big") is not None


def test_a_store_locked_for_long_is_one_line_and_can_be_read(tmp_path, monkeypatch):
    monkeypatch.setattr(piste.edges.store, "BUSY_SECONDS", 0.05)
    path = tmp_path / "results.sqlite"
    with Store(path) as store:
        store.put("before", "cell", {})
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(PisteError, match=r"has been locked by another process for 0\.05 s"):
            store.put("after", "cell", {})
        assert store.get("before") is not None
        other.close()
        store.put("after", "cell", {})


def test_a_store_of_a_newer_piste_is_refused(tmp_path):
    path = tmp_path / "results.sqlite"
    Store(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 2")
    connection.close()
    with pytest.raises(PisteError, match=r"must be of schema 1, but is of schema 2, written by a newer piste\. Upgrade"):
        Store(path)


def test_another_database_is_refused(tmp_path):
    connection = sqlite3.connect(tmp_path / "results.sqlite")
    connection.execute("CREATE TABLE results (a)")
    connection.close()
    with pytest.raises(PisteError, match="must be a result store of piste, but is another database"):
        Store(tmp_path / "results.sqlite")


@pytest.mark.parametrize("content", [b"not a database, but long enough to look like one" * 30, b"x"])
def test_another_file_is_refused(tmp_path, content):
    (tmp_path / "results.sqlite").write_bytes(content)
    with pytest.raises(PisteError, match="must be a result store of piste, but is another"):
        Store(tmp_path / "results.sqlite")
    assert (tmp_path / "results.sqlite").read_bytes() == content


def test_a_file_in_place_of_the_folder_is_one_line(tmp_path):
    (tmp_path / "mlruns").write_text("")
    with pytest.raises(PisteError, match=re.escape(f"{tmp_path}/mlruns/results.sqlite: cannot be used")) as caught:
        Store(tmp_path / "mlruns" / "results.sqlite")
    assert "\n" not in str(caught.value)


def test_a_folder_in_place_of_the_file_is_one_line(tmp_path):
    (tmp_path / "results.sqlite").mkdir()
    with pytest.raises(PisteError, match=r"results\.sqlite: cannot be"):
        Store(tmp_path / "results.sqlite")


def test_a_name_that_a_url_would_cut_is_taken_as_it_is(tmp_path):
    path = tmp_path / "50% of #1?" / "results.sqlite"
    with Store(path) as store:
        store.put("k", "cell", {})
    assert path.exists()


# Keys


@dataclass(frozen=True)
class Split:
    scheme: str
    gap: float


@dataclass(frozen=True)
class Other:
    scheme: str
    gap: float


def test_a_key_is_the_sha256_of_canonical_json():
    assert key("cell", {"seed": 0, "alpha": 0.1}, (1, None)) == hashlib.sha256(b'["cell",{"alpha":0.1,"seed":0},[1,null]]').hexdigest()


DISTINCT = [
    (1,),
    (1.0,),
    (True,),
    ("1",),
    (None,),
    ([1],),
    ([[1]],),
    (1, 1),
    ({"a": 1},),
    ({"a": 1.0},),
    ({"b": 1},),
    (0.0,),
    (-0.0,),
    (float("nan"),),
    (0.1 + 0.2,),
    (0.3,),
    (Split("kfold", 1.0),),
    (Split("kfold", 2.0),),
    (Other("kfold", 1.0),),
    (np.arange(3),),
    (np.arange(3.0),),
    (np.arange(3).reshape(3, 1),),
    (np.array(["a"]),),
    (np.array(["2024-01-01"], dtype="datetime64[D]"),),
]


def test_different_parts_have_different_keys():
    assert len({key(*parts) for parts in DISTINCT}) == len(DISTINCT)


def test_a_key_is_the_same_in_every_process():
    program = "from piste.edges.store import key; import numpy as np; print(key('a', {'x': np.arange(3), 'y': 0.1}))"
    found = {subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip() for _ in range(2)}
    assert found == {key("a", {"y": 0.1, "x": np.arange(3)[::1]})}


def test_numpy_numbers_and_strided_arrays_count_by_their_values():
    assert key(np.float64(0.5), np.int32(3), np.arange(6)[::2]) == key(0.5, 3, np.array([0, 2, 4]))


@pytest.mark.parametrize("part", [{1, 2}, b"bytes", {1: "a"}, object(), np.array([None]), Split])
def test_a_part_without_a_canonical_form_is_refused(part):
    with pytest.raises(TypeError, match="a part of a key must be"):
        key(part)


@pytest.fixture
def sources(tmp_path):
    folder = tmp_path / "core"
    (folder / "report").mkdir(parents=True)
    for name in ("a.py", "b.py", "report/c.py"):
        (folder / name).write_text(name)
    return folder


def test_a_fingerprint_changes_with_contents_and_names_and_with_nothing_else(sources, tmp_path):
    before = fingerprint(sources)
    (sources / "README.md").write_text("notes")
    assert fingerprint(sources) == before
    moved = tmp_path / "elsewhere" / "core"
    moved.parent.mkdir()
    sources.rename(moved)
    assert fingerprint(moved) == before
    (moved / "a.py").write_text("b.py")
    changed = fingerprint(moved)
    (moved / "a.py").write_text("a.py")
    (moved / "b.py").rename(moved / "d.py")
    assert len({before, changed, fingerprint(moved), fingerprint(moved / "a.py"), fingerprint(moved, moved / "a.py")}) == 5


def test_a_source_that_is_not_there_is_named(tmp_path):
    with pytest.raises(PisteError, match=r"mine\.py: cannot be read \(No such file or directory\)"):
        fingerprint(tmp_path / "mine.py")


def test_versions_are_the_installed_ones():
    assert versions(["numpy", "pandas"]) == {"numpy": np.__version__, "pandas": pd.__version__}
