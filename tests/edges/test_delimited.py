"""Text tables: what is read of them, and from which line."""

from __future__ import annotations

import codecs

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from piste.core.data import Raw
from piste.core.errors import PisteError
from piste.core.problem import Data
from piste.edges.delimited import parse


def read(content: bytes | str, **data: str) -> Raw:
    return parse(content if isinstance(content, bytes) else content.encode(), "data.csv", Data.model_validate({"path": "data.csv", **data}))


PLAIN = "x,y\n1,a\n2,b\n"


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        PLAIN.removesuffix("\n"),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", "|"),
        PLAIN.replace(",", ", "),
        PLAIN.replace("x", '"x"').replace("a", '"a"'),
        "\n\n" + PLAIN + "\n\n",
        codecs.BOM_UTF8 + PLAIN.encode(),
        PLAIN.encode("utf-16"),
        codecs.BOM_UTF16_BE + PLAIN.encode("utf-16-be"),
        PLAIN.encode("utf-32"),
    ],
)
def test_the_same_table_is_read_however_it_is_written(content):
    pd.testing.assert_frame_equal(read(content).frame, pd.DataFrame({"x": ["1", "2"], "y": ["a", "b"]}, dtype="str"))


@pytest.mark.parametrize("cell", ["007", "NA", "1e308", "", " ", "None", "é", "1,5", 'say "ah"', "two\nlines", "日本"])
def test_every_cell_stays_the_text_that_it_is(cell):
    quoted = '"' + cell.replace('"', '""') + '"'

    assert read(f"x,y\n{quoted},1\n").frame["x"][0] == cell.lstrip(" ") or cell == " "


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)


@given(st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=20))
def test_what_pandas_writes_is_read_back(rows):
    frame = pd.DataFrame(rows, columns=["a", "b", "c"], dtype="str")

    back = read(frame.to_csv(index=False, quoting=1)).frame

    pd.testing.assert_frame_equal(back, frame)


def test_the_line_of_every_row_is_kept_past_line_ends_in_quotes_and_blank_lines():
    raw = read('x,y\n1,a\n"2\n\n",b\n\n3,c\n')

    np.testing.assert_array_equal(raw.lines, [2, 3, 7])
    assert raw.header_line == 1
    assert raw.at(1) == "line 3"


def test_names_may_stand_below_blank_lines():
    raw = read("\n\nx,y\n1,a\n")

    assert (raw.header_line, raw.lines.tolist()) == (3, [4])


def test_a_quote_in_the_middle_of_a_cell_is_a_character():
    assert read('x,y\n5" pipe,1\n').frame["x"][0] == '5" pipe'


def test_many_rows_are_read_in_one_piece():
    raw = read("x,y\n" + "".join(f"{i},a\n" for i in range(20_000)))

    assert raw.frame["x"].tolist() == [str(i) for i in range(20_000)]
    assert raw.lines[-1] == 20_001


@pytest.mark.parametrize("name", ["", " "])
def test_the_index_that_pandas_writes_is_left_out_and_that_is_said(name):
    raw = read(f"{name},x,y\n7,1,a\n3,2,b\n")

    assert list(raw.frame) == ["x", "y"]
    assert "numbers the rows" in raw.notes[0]


def test_row_names_without_a_name_are_refused():
    with pytest.raises(PisteError, match="column 1 has no name"):
        read(",x,y\nMazda,1,a\nFiat,2,b\n")


def test_blanks_around_names_are_removed_and_that_is_said():
    raw = read("x , y\n1,a\n")

    assert list(raw.frame) == ["x", "y"]
    assert "'x'" in raw.notes[0]


@pytest.mark.parametrize("name", ["a [kg]", "<b>", "größe", "x;y", "2020", "می‌شود"])
def test_names_in_any_script_with_any_sign_are_fine(name):
    assert list(read(f'"{name}",y\n1,a\n').frame) == [name, "y"]


def test_an_invisible_character_in_a_name_is_refused_and_shown():
    with pytest.raises(PisteError, match=r"\\u200bx"):
        read("\u200bx,y\n1,a\n")


def test_all_faults_of_the_names_are_said_at_once():
    with pytest.raises(PisteError) as caught:
        read("a,,b,b\n1,2,3,4\n")

    assert len(caught.value.faults) == 2


@pytest.mark.parametrize(
    ("content", "given_mark", "mark"),
    [("x,y\n1,2\n", None, "."), ("x;y\n1,5;2\n", None, None), ("x;y\n1,5;2\n", ",", ","), ("x;y\n1.5;2\n", ".", ".")],
)
def test_the_decimal_mark_is_open_where_the_delimiter_is_no_comma(content, given_mark, mark):
    assert read(content, **({"decimal": given_mark} if given_mark else {})).decimal == mark


def test_an_encoding_is_taken_at_its_word():
    assert read("x,y\ncafé,1\n".encode("latin-1"), encoding="latin-1").frame["x"][0] == "café"


def test_a_delimiter_is_taken_at_its_word():
    assert list(read("x;1:y\n2;3:4\n", delimiter=":").frame) == ["x;1", "y"]


def test_commas_in_cells_do_not_mislead_about_the_delimiter():
    assert list(read("x;y\na, b, c;1\nd, e, f;2\n").frame) == ["x", "y"]


@pytest.mark.parametrize("content", ["0,1,2\n5.1,3.5,a\n", "2019,2020\n1,2\n"])
def test_whole_numbers_may_be_names(content):
    assert list(read(content).frame) == content.split("\n")[0].split(",")


@given(st.binary(max_size=200) | st.text('",;\n\r\tab1 \0', max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused_in_words(content):
    try:
        found: Raw | PisteError = read(content)
    except PisteError as error:
        found = error

    if isinstance(found, PisteError):
        assert all("must" in fault.message and "\n" not in str(fault) for fault in found.faults)
    else:
        assert len(found.frame) == len(found.lines) > 0
        assert found.frame.notna().all(axis=None)
