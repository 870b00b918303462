"""Lists that a proxy spoils on their way from the replica: complete in the end, or one sentence and nothing kept."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from lakehouse.answers.raw import DONE, FAILED, SPLIT, RawStore
from tasks.archives.clients import open_clients
from tasks.archives.endpoints import replica as places
from tasks.archives.errors import ArchiveError, Refused, TooMuch
from tasks.archives.services import PROFILES
from tasks.stages.acquire.exchange import Exchange
from tasks.surveys import ps1, tic, ztf
from tasks.surveys.columns import wide_question
from tasks.surveys.gaia_releases import RELEASES
from tasks.surveys.neighbours import neighbours_question
from tasks.surveys.objects import positions_at
from tasks.surveys.selections import GaiaTable, RandomIndex
from tests.hostile_proxy import (
    RESULT,
    cut_at_line,
    cut_in_line,
    cut_last_line,
    duplicate_rows,
    empty_page,
    header_only,
    no_number,
    no_rows_of_json,
    rows_of_another,
)

GAIA = RELEASES["dr3"]
QUICK = {name: replace(limits, backoff_s=(0.001, 0.004), attempts=3) for name, limits in PROFILES["fast"].items()}
SPOILT = [header_only, cut_at_line, cut_last_line, cut_in_line, duplicate_rows, rows_of_another]


class Lake:
    """A lake of answers, and exchanges with the archives at an address."""

    def __init__(self, folder):
        self.raw = RawStore(folder)
        self.notes = []

    def ask(self, base, question, items, **more):
        limits = more.pop("limits", QUICK)
        endpoints = places(base, "sky")
        clients = {} if more.get("offline") else open_clients(endpoints, limits)
        with Exchange(self.raw, clients, limits, None, "sky", "r1", addresses=endpoints.addresses, **more) as exchange:
            rows = exchange(question, items)
            self.notes, self.counts = exchange.notes, exchange.counts()
        return rows

    @property
    def records(self):
        return list(self.raw.records_since())

    def n_list(self):
        """How many lists the lake has an answer to."""
        return sum(record.state == DONE and "COUNT(*)" not in record.text for record in self.records)


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "lake")


@pytest.fixture(scope="module")
def sky(replica, tmp_path_factory):
    """The questions about lists, each with its items and the rows that belong to it."""
    ask = Lake(tmp_path_factory.mktemp("sky")).ask
    everything = RandomIndex(0, 3_999_999, n_range=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARGELANDER_LIMITS", str(tmp_path_factory.mktemp("limits")))
        wide = everything.question(GAIA)
        sources = ask(replica, wide, everything.items(GAIA))
        once = sources.take(pa.array(np.unique(sources["source_id"].to_numpy(), return_index=True)[1]))
        here = positions_at(once.filter(pa.array(once["dec"].to_numpy() > -30)), 2016.0)
        asked = {
            "selection": (wide, everything.items(GAIA)),
            "neighbours": (neighbours_question(GAIA, 60.0), once.select(["source_id"])),
            "objects ps1": (ps1.object_question(ps1.OPTIONS), here),
            "objects ztf": (ztf.object_question(ztf.OPTIONS), here),
        }
        found = {name: ask(replica, *question) for name, question in asked.items()}
        detections = pa.table({"objid": found["objects ps1"]["objid"].unique()})
        asked["detections"] = (ps1.detection_question(), detections)
        found["detections"] = ask(replica, *asked["detections"])
    assert all(rows.num_rows > 10 for rows in found.values())
    return {name: (*asked[name], found[name]) for name in asked}


LISTS = ["selection", "neighbours", "objects ps1", "objects ztf", "detections"]


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda change: change.__name__)
@pytest.mark.parametrize("name", LISTS)
def test_a_spoilt_list_is_asked_for_again_and_complete(name, spoil, sky, hostile, lake):
    question, items, rows = sky[name]
    hostile.spoil(question.service, spoil, path=RESULT)
    assert lake.ask(hostile.url, question, items).equals(rows)
    assert hostile.n_spoiled == 1 and lake.notes == []
    assert [record.last_error for record in lake.records if record.last_error] != []
    assert {record.state for record in lake.records} == {DONE}
    asked = lake.counts[question.service]["requests"]
    again = Lake(lake.raw.folder.parent)
    assert again.ask(hostile.url, question, items).equals(rows)  # from the store: nothing is asked, no count either
    assert question.service not in again.counts or again.counts[question.service]["requests"] == 0 < asked


@pytest.mark.parametrize("spoil", [header_only, duplicate_rows, rows_of_another], ids=lambda change: change.__name__)
@pytest.mark.parametrize("name", ["selection", "objects ztf"])
def test_a_list_that_stays_spoilt_is_a_sentence_and_the_next_run_completes(name, spoil, sky, hostile, lake):
    question, items, rows = sky[name]
    hostile.spoil(
        question.service, lambda body: body if body.startswith(b"n_row") else spoil(body), path=RESULT, count=999
    )
    with pytest.raises(ArchiveError, match=f"^{question.service} failed 3 times to answer a request about") as caught:
        lake.ask(hostile.url, question, items)
    assert "nothing is lost" in str(caught.value) and lake.n_list() == 0
    hostile.tricks.clear()
    assert lake.ask(hostile.url, question, items).equals(rows)


def test_a_cap_that_nobody_told_of_divides_the_list(sky, hostile, lake):
    """The service gives no more than 20 rows, whatever is asked, and does not say so."""
    question, items, rows = sky["selection"]
    hostile.spoil(question.service, lambda body: b"".join(body.splitlines(keepends=True)[:21]), path=RESULT, count=9999)
    assert (
        lake.ask(hostile.url, question, items)
        .sort_by("source_id")["source_id"]
        .equals(rows.sort_by("source_id")["source_id"])
    )
    assert SPLIT in {record.state for record in lake.records}


def test_a_spoilt_count_is_asked_for_again(sky, hostile, lake):
    question, items, rows = sky["objects ztf"]
    for spoil in (header_only, cut_in_line):
        hostile.spoil(question.service, spoil, path=RESULT, after=1)
    assert lake.ask(hostile.url, question, items).equals(rows)
    assert hostile.n_spoiled == 2 and lake.notes == []


def test_a_service_that_cannot_count_is_taken_at_its_word_and_that_is_said(sky, hostile, lake):
    question, items, rows = sky["objects ztf"]
    hostile.spoil(question.service, path="async$", after=1, status=400)
    assert lake.ask(hostile.url, question, items).equals(rows)
    assert [note.partition(" (")[0] for note in lake.notes] == ["irsa_tap did not count the rows of a list"]
    assert sorted(record.state for record in lake.records) == [DONE, FAILED]


def test_a_refusal_to_count_stops_as_any_refusal(sky, hostile, lake):
    question, items, _ = sky["objects ztf"]
    hostile.spoil(question.service, path="async$", after=1, status=403)
    with pytest.raises(Refused, match="irsa_tap refuses all requests"):
        lake.ask(hostile.url, question, items)


def test_an_empty_list_that_nobody_counts_is_asked_for_once_more_and_then_reported(sky, hostile, lake):
    question, items, rows = sky["objects ztf"]
    hostile.spoil(question.service, path="async$", after=1, status=400)
    hostile.spoil(question.service, header_only, path=RESULT, count=1)
    assert lake.ask(hostile.url, question, items).equals(rows)  # the second time it came
    other = Lake(lake.raw.folder.parent / "other")
    hostile.tricks.clear()
    hostile.spoil(question.service, path="async$", after=1, status=400)
    hostile.spoil(question.service, header_only, path=RESULT, count=2)
    assert other.ask(hostile.url, question, items).num_rows == 0
    assert other.notes[1].startswith(f"irsa_tap sent an answer without a row about {items.num_rows} items, twice")


def test_a_page_of_the_portal_must_have_the_rows_that_it_counts(sky, hostile, lake):
    ids = sky["selection"][2]["dr2_source_id"].drop_null().unique().cast(pa.string())
    question, items = tic.portal_question("gaia"), pa.table({"gaia": ids})
    rows = lake.ask(hostile.url, question, items)
    assert rows.num_rows > 10
    for spoil in (no_rows_of_json, empty_page):  # the second says by itself that there is nothing
        other = Lake(lake.raw.folder.parent / spoil.__name__)
        hostile.spoil("mast_portal", spoil, path="invoke$", after=1)
        assert other.ask(hostile.url, question, items).equals(rows)
    assert hostile.n_spoiled == 2


@pytest.mark.parametrize("spoil", [cut_at_line, cut_last_line, cut_in_line, rows_of_another], ids=lambda f: f.__name__)
def test_light_curves_that_break_off_are_asked_for_again(spoil, sky, hostile, lake):
    objects = sky["objects ztf"][2]
    question = ztf.curve_question(ztf.OPTIONS, objects)
    items = pa.table({"oid": objects["oid"].unique().slice(0, 12)})
    rows = lake.ask(hostile.url, question, items)
    other = Lake(lake.raw.folder.parent / "other")
    hostile.spoil("irsa_lightcurves", spoil)
    assert (
        other.ask(hostile.url, question, items)
        .sort_by([("oid", "ascending"), ("hjd", "ascending")])
        .equals(rows.sort_by([("oid", "ascending"), ("hjd", "ascending")]))
    )
    assert hostile.n_spoiled == 1 and 1 < other.counts["irsa_lightcurves"]["requests"] <= 3


@pytest.mark.parametrize("n", [3, 25])
def test_unknown_ids_are_an_answer(n, hostile, lake):
    """However many: the archive counts none of them, and is asked no second time."""
    question = wide_question(GAIA, "g.source_id IN {items}", key="source_id")
    unknown = pa.table({"source_id": np.arange(7, 7 + n)})
    assert lake.ask(hostile.url, question, unknown).num_rows == 0
    assert lake.counts["gaia_tap"]["requests"] == 2 and lake.notes == []


def test_an_empty_list_that_is_counted_as_empty_is_taken(hostile, lake):
    nowhere = pa.table({"lo": [1], "hi": [2]})
    assert lake.ask(hostile.url, GaiaTable("vari_cepheid").question(GAIA), nowhere).num_rows == 0
    assert lake.counts["gaia_tap"]["requests"] == 2


def test_a_stored_answer_that_cannot_be_read_is_put_aside_and_asked_for_once(sky, hostile, lake):
    """An older program kept it: it fails no run for ever."""
    question, items, rows = sky["objects ztf"]
    with pytest.raises(ArchiveError, match="its answer cannot be read"):
        hostile.spoil("irsa_tap", no_number, path=RESULT)
        lake.ask(hostile.url, question, items)
    tolerant = replace(question, read=lambda body: pa.table({"source_id": items["source_id"]}))
    hostile.spoil("irsa_tap", no_number, path=RESULT)
    hostile.spoil("irsa_tap", path="async$", after=1, status=400)
    lake.ask(hostile.url, tolerant, items)
    with pytest.raises(ArchiveError, match=r"cannot be read any more .*run without --offline"):
        lake.ask(hostile.url, question, items, offline=True)
    again = Lake(lake.raw.folder.parent)
    assert again.ask(hostile.url, question, items).equals(rows)
    assert again.counts["irsa_tap"]["requests"] == 2 and "could not be read" in again.notes[0]
    assert any(
        path.read_bytes().splitlines()[1].startswith(b"word") for path in (lake.raw.folder / "refused").iterdir()
    )


def test_what_is_asked_again_replaces_the_answer_only_when_it_came(sky, hostile, lake):
    question, items, rows = sky["objects ztf"]
    hostile.spoil("irsa_tap", path="async$", after=1, status=400)
    hostile.spoil("irsa_tap", header_only, path=RESULT, count=2)
    assert lake.ask(hostile.url, question, items).num_rows == 0  # a lake that lost its objects
    later = max(record.answered_at for record in lake.records) + 1e-6
    hostile.tricks.clear()
    hostile.spoil("irsa_tap", path="async$", status=500, count=99)
    with pytest.raises(ArchiveError, match="irsa_tap failed"):
        lake.ask(hostile.url, question, items, since={"irsa_tap": later})
    hostile.tricks.clear()
    assert lake.ask(hostile.url, question, items, offline=True).num_rows == 0  # the old answer is still there
    assert lake.ask(hostile.url, question, items, since={"gaia_tap": later}).num_rows == 0
    assert lake.ask(hostile.url, question, items, since={"irsa_tap": later}).equals(rows)
    assert lake.ask(hostile.url, question, items, offline=True).equals(rows)


def test_a_list_that_had_rows_before_is_not_believed_to_be_empty_at_once(sky, hostile, lake):
    question, items, _ = sky["objects ztf"]
    few = replace(question, expects_some=False), items.slice(0, 5)
    some = lake.ask(hostile.url, *few)
    assert some.num_rows
    later = max(record.answered_at for record in lake.records) + 1e-6
    hostile.spoil("irsa_tap", path="async$", after=1, status=400)
    hostile.spoil("irsa_tap", header_only, path=RESULT)
    assert lake.ask(hostile.url, *few, since={"irsa_tap": later}).equals(some)
    assert hostile.n_spoiled == 2


def test_too_much_by_the_word_of_the_service(sky, hostile, lake):
    """A VOTable that says OVERFLOW, whatever was asked for."""
    question, items, rows = sky["objects ztf"]
    overflow = b'<VOTABLE><RESOURCE><INFO name="QUERY_STATUS" value="OVERFLOW"/></RESOURCE></VOTABLE>'
    hostile.spoil("irsa_tap", lambda body: overflow, path=RESULT)
    assert lake.ask(hostile.url, question, items).equals(rows)
    assert SPLIT in {record.state for record in lake.records}
    with pytest.raises(TooMuch, match="OVERFLOW"):
        hostile.spoil("irsa_tap", lambda body: overflow, path=RESULT, count=99)
        Lake(lake.raw.folder.parent / "other").ask(hostile.url, question, items.slice(0, 1))
