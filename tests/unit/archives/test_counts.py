"""The question that counts the rows of another: the same query but for its columns, and another question."""

import pyarrow as pa
import pytest

from tasks.archives.counts import count_question, read_count
from tasks.archives.errors import Retryable
from tasks.archives.question import Question
from tasks.surveys import ps1, ztf
from tasks.surveys.gaia_releases import RELEASES
from tasks.surveys.neighbours import neighbours_question
from tasks.surveys.selections import GaiaTable

GAIA = RELEASES["dr3"]


def ask(text, **more):
    return Question("gaia_tap", text, "dr3", len, **more)


def test_everything_below_the_columns_stays_as_it_is():
    question = ask("SELECT a,\nb FROM t AS x\nJOIN y ON y.a = x.a\nWHERE a IN {items}", key="a", expects_all=True)
    counted = count_question(question)
    assert counted.text == "SELECT COUNT(*) AS n_row\nFROM t AS x\nJOIN y ON y.a = x.a\nWHERE a IN {items}"
    assert (counted.service, counted.release, counted.key, counted.expects_all) == ("gaia_tap", "dr3", "a", False)
    assert counted.identity("here") != question.identity("here")


@pytest.mark.parametrize(
    "question",
    [
        GaiaTable("vari_rrlyrae").question(GAIA), neighbours_question(GAIA, 5.0), ps1.object_question(ps1.OPTIONS),
        ps1.detection_question(), ztf.object_question(ztf.OPTIONS),
    ],
    ids=["sample", "neighbours", "ps1 objects", "ps1 detections", "ztf objects"],
)  # fmt: skip
def test_the_lists_of_the_surveys_can_be_counted(question):
    counted = count_question(question)
    assert counted.text.startswith("SELECT COUNT(*) AS n_row\nFROM") and counted.text.count("FROM") == 1
    assert question.text.endswith(counted.text.partition("FROM")[2])


@pytest.mark.parametrize(
    "text",
    ["EPOCH_PHOTOMETRY", "SELECT TOP 5 a FROM t", "SELECT DISTINCT a FROM t", "SELECT COUNT(*) AS n FROM t",
     "SELECT a FROM t GROUP BY a", "SELECT a FROM t order by a", "SELECT a FROM t UNION SELECT a FROM u"],
)  # fmt: skip
def test_what_is_no_plain_list_is_not_counted(text):
    assert count_question(ask(text)) is None


def test_a_count_is_one_number():
    assert read_count(b"n_row\n75\n")["n_row"].to_pylist() == [75]
    assert read_count(b'"N_ROW"\r\n75\r\n')["n_row"].type == pa.int64()


@pytest.mark.parametrize("body", [b"n_row\n", b"n_row\n\n", b"n_row\n1\n2\n", b"", b"<html>"])
def test_anything_else_is_asked_for_again(body):
    with pytest.raises(Retryable):
        read_count(body)
