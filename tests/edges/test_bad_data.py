"""Every data file and column that cannot work is refused in words that say where and what to do."""

import pytest

from piste.core.errors import PisteError
from piste.core.table import make_table
from piste.edges.load import load_problem
from piste.edges.sources import read
from tests.journeys.bad_data import CASES, BadCase


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_data_are_refused_with_place_and_fix(case: BadCase, tmp_path):
    for name, content in case.files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(PisteError) as caught:
        make_table((problem := load_problem(tmp_path)), read(problem, tmp_path))

    message = str(caught.value)
    assert [fragment for fragment in case.expected if fragment not in message] == [], message


def test_the_names_of_the_cases_differ():
    assert len({case.name for case in CASES}) == len(CASES)
