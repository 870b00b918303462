"""TIC: recorded entries, dispositions, both ways to a counterpart, and what becomes a label."""

import io
import json

import numpy as np
import pyarrow as pa
import pytest
from astropy.table import Table

from schemas import TABLES
from tasks.archives.errors import BadQuestion, Retryable
from tasks.surveys import tic
from tasks.surveys.survey import PARAMETER_LABELS
from tests.real_data import of_astroquery
from tests.unit.surveys.survey_answers import Asked, as_csv, by_objid, neighbours, sources

# astroquery's names of the portal's types, and what we take them for.
TYPES = {"string": (pa.string(), pa.int64()), "float": (pa.float64(),), "int": (pa.float64(),)}
STAR = {"source_id": 1, "ra": 150.0, "dec": 20.0, "dr2_source_id": 901}
TWO_ID = {"source_id": 2, "ra": 151.0, "dec": 20.0, "dr2_source_id": 902}
NO_ID = {"source_id": 3, "ra": 152.0, "dec": 20.0}


def entry(id, gaia=None, **values):
    """An entry at STAR's position."""
    row = dict.fromkeys(tic.ENTRY)
    return {**row, "id": id, "gaia": gaia, "ra": 150.0, "dec": 20.0, **values}


def at_vizier(source_id, row):
    """The same entry as CDS XMatch answers it."""
    names = {"teff": "Teff", "e_teff": "s_Teff", "mh": "[M/H]", "e_mh": "e_[M/H]", "rad": "Rad", "e_rad": "s_Rad",
             "mass": "Mass", "e_mass": "s_Mass", "e_logg": "s_logg", "lumclass": "LClass", "numcont": "Ncont",
             "contratio": "Rcont", "disposition": "Disp", "duplicate_id": "m_TIC", "id": "TIC", "gaia": "GAIA",
             "ra": "RAJ2000", "dec": "DEJ2000", "tmag": "Tmag", "ebv": "E(B-V)"}  # fmt: skip
    return {"angDist": 0.1, "source_id": source_id, "ra": 1.0, "dec": 2.0,
            **{names.get(name, name): value for name, value in row.items()}}  # fmt: skip


def pages(rows):
    """Answers of the portal in its own spelling, two rows a page."""
    spelt = {"id": "ID", "gaia": "GAIA", "mh": "MH", "e_mh": "e_MH", "teff": "Teff", "e_teff": "e_Teff", "tmag": "Tmag"}
    data = [{spelt.get(name, name): value for name, value in row.items()} for row in rows]
    halves = [data[i : i + 2] for i in range(0, max(len(data), 1), 2)]
    return json.dumps([{"status": "COMPLETE", "data": half} for half in halves]).encode()


def fetch(entries, near=(), rows=(STAR,), around=(), **options):
    """`entries` is all that the catalogue has; `near` the pairs (source_id, entry) that the position search finds."""
    by_service = {}
    for key in ("gaia", "id"):
        by_service["mast_portal", key] = lambda items, key=key: pages(
            [row for row in entries if str(row[key]) in {str(k) for k in items[key].to_pylist()}]
        )
        by_service["mast_tic", key] = lambda items: as_csv(entries, list(tic.ENTRY))
    header = list(at_vizier(0, entry(0)))
    by_service["cds_xmatch", "source_id"] = lambda items: as_csv([at_vizier(*pair) for pair in near], header)
    asked = Asked(by_service)
    return asked, tic.fetch(asked, sources(*rows), neighbours(*around), {**tic.OPTIONS, **options})


def labels(got):
    return {(row["source_id"], row["quantity"]): row for row in got.parameter_labels.to_pylist()}


@pytest.fixture(scope="module")
def recorded():
    return json.loads(of_astroquery("mast", "tic.json").read_bytes())


def test_a_recorded_page_of_the_portal_is_read_whole(recorded):
    page = of_astroquery("mast", "tic.json").read_bytes()
    table = tic.read_pages(page)
    assert table.schema == pa.schema(list(tic.ENTRY.items()))
    spelt = {name.lower(): name for name in recorded["data"][0]}
    for name in ("id", "ra", "dec", "tmag", "teff"):
        assert table[name].to_pylist() == [row[spelt[name]] for row in recorded["data"]]
    assert tic.read_pages(b"[" + page + b"," + page + b"]").num_rows == 14


def test_every_column_that_is_read_is_in_the_recorded_answer_with_its_type(recorded):
    told = {field["name"].lower(): field["type"] for field in recorded["fields"]}
    wrong = {name for name, kind in tic.ENTRY.items() if kind not in TYPES[told[name]]}
    assert not wrong


def test_recorded_entries_without_parameters_give_matches_and_no_labels(recorded):
    row = recorded["data"][0]
    answers = {("mast_portal", "gaia"): lambda items: json.dumps(
        [{**recorded, "data": [{**row, "GAIA": "901"}]}]).encode()}  # fmt: skip
    here = {**STAR, "ra": row["ra"], "dec": row["dec"]}
    got = tic.fetch(Asked(answers), sources(here), neighbours(), {**tic.OPTIONS, "via": "portal"})
    match = by_objid(got.matches)[1, int(row["ID"])]
    assert (match["rank"], match["method"], match["is_ambiguous"]) == (1, "dr2_source_id", False)
    assert match["sep_arcsec"] < 1e-6
    assert got.parameter_labels.num_rows == 0
    best = got.tables["core_tic__source"].to_pylist()[0]
    assert best["tic_id"] == int(row["ID"]) and best["tmag"] == pytest.approx(row["Tmag"])
    spec = TABLES["core_tic__source"].arrow()
    assert [got.tables["core_tic__source"].schema.field(f.name).type for f in list(spec)[2:]] == [
        f.type for f in list(spec)[2:]]  # fmt: skip


FULL = {"teff": 6100.0, "e_teff": 120.0, "rad": 5.5, "e_rad": 0.4, "mass": 0.7, "e_mass": -999, "logg": 2.8,
        "e_logg": 0.1, "mh": -1.4, "e_mh": 0.1, "contratio": 0.02, "numcont": 3, "lumclass": "GIANT"}  # fmt: skip


def check_full(got, source_id):
    rows = {quantity: row for (source, quantity), row in labels(got).items() if source == source_id}
    assert {name: (row["value"], row["err"]) for name, row in rows.items()} == {
        "teff_k": (6100.0, 120.0), "radius_rsun": (5.5, 0.4), "mass_msun": (0.7, None), "logg_dex": (2.8, 0.1),
        "feh_dex": (-1.4, 0.1)}  # fmt: skip
    assert {name for name, row in rows.items() if row["is_reference"]} == {"mass_msun", "logg_dex"}
    assert {name for name, row in rows.items() if not row["is_photometric"]} == {"feh_dex"}
    assert {row["origin"] for row in rows.values()} == {"tic"}
    best = next(row for row in got.tables["core_tic__source"].to_pylist() if row["source_id"] == source_id)
    assert (best["lumclass"], best["numcont"]) == ("GIANT", 3) and best["contratio"] == pytest.approx(0.02)


@pytest.mark.parametrize("via", ["portal", "tap"])
def test_an_entry_by_dr2_id_becomes_labels_and_a_row_of_its_own(via):
    asked, got = fetch([entry(70, "901", **FULL)], via=via)
    assert asked.items({"portal": "mast_portal", "tap": "mast_tic"}[via], "gaia") == ["901"]
    assert len(asked.log) == 1
    assert got.parameter_labels.schema == PARAMETER_LABELS
    check_full(got, 1)


def test_sources_that_no_id_leads_to_are_searched_by_position_in_2000():
    moving = {**NO_ID, "pmdec": 100.0}
    where = {"ra": 152.0, "dec": 20.0 - 1.6 / 3600}
    asked, got = fetch([entry(70, "901")], [(3, entry(80, **FULL, **where)), (2, entry(81, ra=151.0))],
                         rows=(STAR, TWO_ID, moving))  # fmt: skip
    assert asked.items("cds_xmatch", "source_id") == [2, 3]
    items = next(items for question, items in asked.log if question.service == "cds_xmatch")
    assert items["dec"].to_pylist()[1] == pytest.approx(where["dec"], abs=1e-8)
    found = by_objid(got.matches)
    assert {key: (row["rank"], row["method"]) for key, row in found.items()} == {
        (1, 70): (1, "dr2_source_id"), (2, 81): (1, "position"), (3, 80): (1, "position")}  # fmt: skip
    check_full(got, 3)


def test_an_entry_beyond_the_radius_is_listed_and_gives_no_label():
    _, got = fetch([], [(3, entry(80, ra=152.0, dec=20.0 + 1.5 / 3600, **FULL))], rows=(NO_ID,))
    assert by_objid(got.matches)[3, 80]["rank"] == 2
    assert got.parameter_labels.num_rows == 0 and got.tables["core_tic__source"].num_rows == 0


@pytest.mark.parametrize("disposition", ["ARTIFACT", "SPLIT"])
def test_what_is_no_star_is_reported_and_its_source_is_searched_by_position(disposition):
    asked, got = fetch([entry(70, "901", disposition=disposition, **FULL)], [(1, entry(71, **FULL))])
    assert asked.items("cds_xmatch", "source_id") == [1]
    assert by_objid(got.matches).keys() == {(1, 71)}
    assert got.rejected.to_pylist() == [{"object_id": "1", "table": "TIC 8.2", "key": "1 70", "column": "disposition",
                                         "check": "no_star", "value": disposition}]  # fmt: skip
    check_full(got, 1)


def test_a_star_that_came_beside_its_duplicate_is_not_asked_for_again():
    rows = [entry(70, "901", disposition="DUPLICATE", duplicate_id=72), entry(72, "901", **FULL)]
    asked, got = fetch(rows)
    assert asked.items("mast_tic", "id") == []
    assert {key: row["n_candidates"] for key, row in by_objid(got.matches).items()} == {(1, 72): 1}
    check_full(got, 1)


def test_a_duplicate_leads_to_its_star():
    rows = [entry(70, "901", disposition="DUPLICATE", duplicate_id=72), entry(72, "999", **FULL)]
    asked, got = fetch(rows)
    assert asked.items("mast_tic", "id") == [72]
    assert {key: row["method"] for key, row in by_objid(got.matches).items()} == {(1, 72): "dr2_source_id"}
    assert got.rejected.num_rows == 0
    check_full(got, 1)


@pytest.mark.parametrize("rows", [
    [entry(70, "901", disposition="DUPLICATE", duplicate_id=72)],
    [entry(70, "901", disposition="DUPLICATE")],
    [entry(70, "901", disposition="DUPLICATE", duplicate_id=72), entry(72, "999", disposition="ARTIFACT")],
    [entry(70, "901", disposition="DUPLICATE", duplicate_id=72),
     entry(72, "9", disposition="DUPLICATE", duplicate_id=70)],
])  # fmt: skip
def test_a_duplicate_of_nothing_is_reported(rows):
    _, got = fetch(rows)
    assert got.matches.num_rows == 0
    assert [(row["key"], row["column"], row["check"]) for row in got.rejected.to_pylist()] == [
        ("1 70", "duplicate_id", "no_star")]  # fmt: skip


def test_two_entries_of_one_id_are_ambiguous_and_the_nearer_one_counts():
    far = entry(70, "901", teff=4000.0, dec=20.0 + 0.5 / 3600)
    _, got = fetch([far, entry(71, "901", teff=5000.0)])
    assert {key: row["rank"] for key, row in by_objid(got.matches).items()} == {(1, 71): 1, (1, 70): 2}
    assert all(row["is_ambiguous"] and row["n_candidates"] == 2 for row in got.matches.to_pylist())
    assert {key: row["value"] for key, row in labels(got).items()} == {(1, "teff_k"): 5000.0}


def test_two_sources_of_one_dr2_id_share_its_entry_and_are_ambiguous():
    twin = {**STAR, "source_id": 2, "dec": 20.0 + 0.2 / 3600}
    asked, got = fetch([entry(70, "901", **FULL)], rows=(STAR, twin))
    assert asked.items("mast_tic", "gaia") == ["901"]
    assert got.matches["is_ambiguous"].to_pylist() == [True, True]
    check_full(got, 1)
    check_full(got, 2)


def test_a_gaia_neighbour_on_the_entry_makes_it_ambiguous():
    around = {"source_id": 1, "neighbour_source_id": 9, "ra": 150.0, "dec": 20.0 + 0.6 / 3600}
    _, got = fetch([entry(70, "901")], around=[around])
    assert by_objid(got.matches)[1, 70]["n_mates"] == 1 and by_objid(got.matches)[1, 70]["is_ambiguous"]


def test_values_that_cannot_be_are_reported_and_missing_ones_are_not():
    row = entry(70, "901", teff=-999, rad=0.0, mass=-2.0, mh=-3.5, e_mh=-0.1, logg=-0.4, contratio=-999, numcont=0.5)
    _, got = fetch([row])
    assert {key[1]: row["value"] for key, row in labels(got).items()} == {"feh_dex": -3.5, "logg_dex": -0.4}
    assert labels(got)[1, "feh_dex"]["err"] is None
    assert [(row["column"], row["check"]) for row in got.rejected.to_pylist()] == [
        ("rad", "range"), ("mass", "range")]  # fmt: skip
    best = got.tables["core_tic__source"].to_pylist()[0]
    assert best["contratio"] is None and best["numcont"] is None


@pytest.mark.parametrize("spelling", ["[M/H]", "M_H", "__M_H_"])
def test_names_of_vizier_are_known_in_the_spellings_of_tools(spelling):
    row = at_vizier(1, entry(70, **FULL))
    body = as_csv([{name.replace("[M/H]", spelling): value for name, value in row.items()}])
    assert tic.read_xmatch(body)["mh"].to_pylist() == [-1.4]
    assert tic.read_xmatch(body)["e_mh"].to_pylist() == [0.1]


def as_votable(rows):
    sink = io.BytesIO()
    Table(rows).write(sink, format="votable")
    return sink.getvalue()


def test_a_votable_says_what_the_same_rows_of_csv_do():
    big = 2**62 + 1
    entry = {**dict.fromkeys(tic.ENTRY, 1.5), "mh": np.nan, "id": 70, "duplicate_id": 71, "gaia": 901}
    rows = [at_vizier(big, {**entry, "lumclass": "DWARF", "disposition": ""})]
    got, csv = tic.read_xmatch(as_votable(rows)), tic.read_xmatch(as_csv(rows))
    assert got.equals(csv) and got["source_id"].to_pylist() == [big] and got["mh"].to_pylist() == [None]
    rows[0]["source_id"] = float(big)
    with pytest.raises(BadQuestion, match="source_id as double: its last digits are lost"):
        tic.read_xmatch(as_votable(rows))


def test_an_answer_without_a_column_or_broken_is_refused():
    row = {name: value for name, value in at_vizier(1, entry(70)).items() if name != "Teff"}
    with pytest.raises(BadQuestion, match="lacks 1 columns, first 'teff'"):
        tic.read_xmatch(as_csv([row]))
    with pytest.raises(BadQuestion, match=r"lacks \d+ columns, first 'gaia'"):
        tic.read_pages(json.dumps({"data": [{"ID": 1}]}).encode())
    with pytest.raises(Retryable, match="broken"):
        tic.read_pages(b'[{"data": [')
    with pytest.raises(Retryable):
        tic.read_xmatch(b"<html>maintenance</html>")


def test_nothing_is_asked_about_nothing():
    asked, got = fetch([], rows=())
    assert asked.log == [] and got.matches.num_rows == 0 and got.tables["core_tic__source"].num_rows == 0


def test_reddening_is_held_and_may_be_missing_at_vizier():
    row = at_vizier(1, entry(70, ebv=0.12))
    assert tic.read_xmatch(as_csv([row]))["ebv"].to_pylist() == [0.12]
    del row["E(B-V)"]
    assert tic.read_xmatch(as_csv([row]))["ebv"].to_pylist() == [None]
    _, got = fetch([entry(70, 901, ebv=0.12), entry(71, 902, ebv=-1.0)], rows=(STAR, {**STAR, "source_id": 2,
                     "dr2_source_id": 902}))  # fmt: skip
    held = got.tables["core_tic__source"].sort_by("tic_id")["ebv"].to_pylist()
    assert held == [pytest.approx(0.12), None]
