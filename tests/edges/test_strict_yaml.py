"""The strict reading of YAML: what values mean, and that nothing else gets through or brings it down."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from piste.core.errors import PisteError, Place
from piste.edges.strict_yaml import MOST_BYTES, Document, decoded, plain, read


def value(text: str) -> Any:
    document = read(text, "a.yaml")
    assert not document.faults
    return document.value


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        *(
            (word, word)
            for word in ("no", "No", "on", "off", "yes", "y", "18:00", "1:30", "2025-11-03", "007", "-01", "00.5", "1_000", "0b1")
        ),
        *((word, word) for word in ("1e", "e3", ".", "-", "+", "inf", "nan", "0x", "0o8", "0xg", "TruE", "1.2.3", "=")),
        *((word, None) for word in ("null", "Null", "NULL", "~", "")),
        *((word, True) for word in ("true", "True", "TRUE")),
        *((word, False) for word in ("false", "False", "FALSE")),
        *((word, int(word)) for word in ("0", "-0", "+7", "12", "-345")),
        *((word, float(word)) for word in ("1e3", "1.", ".5", "-.5e-3", "+1.25E+2", "0.0")),
        ("0o17", 15),
        ("0x1F", 31),
    ],
)
def test_a_text_without_quotes_means_what_the_core_of_yaml_1_2_says(text: str, meant: object) -> None:
    found = plain(text)
    assert found == meant
    assert type(found) is type(meant)


def test_quotes_make_a_text() -> None:
    assert value("[\"1\", 'true', '', \"\\u00e9\\t\", 'it''s']") == ["1", "true", "", "é\t", "it's"]


def test_block_texts_are_texts() -> None:
    assert value("a: |\n  1\n  2\nb: >\n  x\n  y\n") == {"a": "1\n2\n", "b": "x y\n"}


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**12), 10**12),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=10),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.text(st.characters(exclude_categories=["Cc", "Cs", "Cf", "Zs", "Zl", "Zp"]), min_size=1, max_size=6), inner, max_size=4
        ),
    ),
    max_leaves=20,
)


@given(JSON)
@example({"a": 1e-7, "b": 1e22, "c": -0.0})
def test_json_is_read_as_json_means_it(written: Any) -> None:
    assert json.dumps(value(json.dumps(written, indent=1))) == json.dumps(written)


@given(st.one_of(st.text(), st.text("{}[]:,-?&*!|>'\"%@`# \n\tab1.", max_size=40)))
@example("[" * 10_000)
@example("{a: " * 10_000)
@example("- " * 10_000)
@example("? " * 10_000)
@example('"' + "a\\\n" * 1000)
def test_any_text_is_read_or_refused_with_its_place(text: str) -> None:
    found = outcome(text)
    faults = found.faults
    assert all(fault.place.path == "a.yaml" and fault.message for fault in faults)
    if isinstance(found, Document):
        assert all_plain(found.value)


def outcome(text: str) -> Document | PisteError:
    try:
        return read(decoded(text.encode("utf-8", "surrogatepass"), "a.yaml"), "a.yaml")
    except PisteError as error:
        return error


def all_plain(found: Any) -> bool:
    if isinstance(found, dict):
        return all(isinstance(key, str) and all_plain(inner) for key, inner in found.items())
    if isinstance(found, list):
        return all(all_plain(inner) for inner in found)
    return found is None or isinstance(found, str | bool | int) or (isinstance(found, float) and math.isfinite(found))


def test_places_are_those_of_keys_and_items() -> None:
    document = read("a:\n  - x\n  - {b: 1,  c: [2]}\n", "a.yaml")
    assert document.places == {
        (): Place("a.yaml", 1, 1),
        ("a",): Place("a.yaml", 1, 1),
        ("a", 0): Place("a.yaml", 2, 5),
        ("a", 1): Place("a.yaml", 3, 5),
        ("a", 1, "b"): Place("a.yaml", 3, 6),
        ("a", 1, "c"): Place("a.yaml", 3, 13),
        ("a", 1, "c", 0): Place("a.yaml", 3, 17),
    }


@pytest.mark.parametrize(
    ("text", "column", "counts"),
    [
        ("a: x + y", 4, True),
        ("a: 'x + y'", 5, True),
        ('a: "x + y"', 5, True),
        ("a: 'it''s'", 5, False),
        ('a: "\\u0041"', 5, False),
        ("a: x\n  + y", 4, False),
    ],
)
def test_characters_of_a_text_can_be_counted_where_it_stands_as_it_is(text: str, column: int, counts: bool) -> None:
    scalar = read(text, "a.yaml").scalars["a",]
    assert (scalar.place.column, scalar.counts) == (column, counts)


def test_a_key_has_neither_tag_nor_anchor() -> None:
    said = [fault.message for fault in read("!!str a: 1\n&b c: 2\n", "a.yaml").faults]
    assert [message.split()[0] for message in said] == ["tags", "anchors"]


def test_a_fault_leaves_the_rest_readable() -> None:
    document = read("a: .nan\nb: 1\nb: 2\n1: 3\nc: *x\nd: 4\n", "a.yaml")
    assert document.value == {"a": None, "b": 1, "c": None, "d": 4}
    assert document.unread == {("a",), ("c",)}
    assert [fault.place.line for fault in document.faults] == [1, 3, 4, 5]


def test_a_file_of_the_largest_size_is_read() -> None:
    text = "a: 1\n" + "#" * (MOST_BYTES - 5)
    assert value(decoded(text.encode(), "a.yaml")) == {"a": 1}


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_byte_that_is_not_utf_8_is_named_with_its_place(mark: bytes) -> None:
    with pytest.raises(PisteError, match=r"a\.yaml:2:4: must be UTF-8, but holds the byte 0xff"):
        decoded(mark + "é: 1\nü: ".encode() + b"\xff", "a.yaml")


def test_the_last_line_of_a_key_is_that_of_what_belongs_to_it_not_of_blanks_and_comments_behind() -> None:
    text = (
        "data: a.csv  # rows\ntarget:\n  column: y\n\n  # inner\n  kind: count\n# outer\nsplit: {scheme: kfold,\n  folds: 5\n}\n\n"
        "question: |\n  Will it\n  snow?\nunit:\n  - a\n\nslices: [a,\n  b]\nseed:\n"
    )
    assert read(text, "a.yaml").ends == {"data": 1, "target": 6, "split": 10, "question": 14, "unit": 16, "slices": 19, "seed": 20}
