"""The check of a release: what it finds in rows of sources and in epochs, from answers that a test makes."""

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest

from tasks.archives.errors import BadQuestion
from tasks.surveys.columns import list_columns, one_per_source
from tasks.surveys.gaia_check import Findings, Line, Status, epochs, samples
from tasks.surveys.gaia_check.flags import ask_flags, prove_flags
from tests.unit.surveys.gaia_check_archive import DR4, csv, findings, lines_of, zipped

LAST_CELL = 12 * 4**12 - 1


def wide(n: int = 40, **columns) -> bytes:
    """An answer to the wide question: stars in cells of their own, as DR4 has them; `columns` otherwise."""
    cell = np.arange(n) * 1000
    values = {name: [None] * n for name in list_columns(DR4)} | {
        "source_id": cell * 2**35 + 7,
        "healpix29": cell * 2**34 + 3,
        "dr3_source_id": cell * 2**35 + 7,
        "dr2_source_id": cell * 2**35 + 9,
        "ra": np.linspace(0, 359, n),
        "dec": np.zeros(n),
        "ref_epoch": np.full(n, 2017.5),
        "phot_g_mean_mag": np.full(n, 15.0),
        "has_epoch_photometry": ["True"] * n,
        "dr3_delta_mag": np.zeros(n),
        "dr2_delta_mag": np.zeros(n),
        "dr3_is_probable": ["True"] * n,
    }
    return csv(**(values | columns))


def only(test) -> Line:
    (line,) = test
    return line


def test_a_few_sources_are_timed_and_none_are_missing():
    assert only(samples.ask_few(findings(SELECT=wide(10)))).seen.startswith("10 sources in 10 rows")
    line = only(samples.ask_few(findings(SELECT=wide(0))))
    assert line.is_needed and "random_index below 10" in line.seen


def test_many_sources_are_scaled_to_a_sample_and_not_asked_for_without_the_queue():
    found = findings(SELECT=wide(40, has_epoch_photometry=["True"] * 30 + ["False"] * 10))
    line = only(samples.ask_many(found))
    assert "75.0% with epoch photometry" in line.seen and "for 100,000" in line.seen
    found.ask.is_sync = True
    assert only(samples.ask_many(found)).status == Status.SKIPPED and found.ask.n_request == 1


def test_words_are_asked_of_tables_whole_and_of_the_long_one_in_part():
    found = findings(SELECT=csv(word=["RR", "CEP", "ECL", "LPV", "DSCT|GDOR|SXPHE"], n=[5, 4, 3, 2, 1]))
    lines = lines_of(samples.count_words(found))
    assert lines[0].status == Status.OK and lines[1].status == Status.MISSING  # of RR Lyrae there is no RRab
    texts = [question.text for question, _ in found.ask.send.asked]
    assert [("random_index <" in text) for text in texts] == [False, False, False, True]
    found.change(("columns", "rr_class"), "", "it is not there")
    assert lines_of(samples.count_words(found))[1].status == Status.SKIPPED


def test_counts_are_told():
    found = findings(COUNT=csv(n=[2392500]))
    assert "vari_eclipsing_binary 2,392,500" in only(samples.count_tables(found)).seen
    for alias in samples.COUNTED:
        found.change(("tables", alias), "", "it is not there")
    assert only(samples.count_tables(found)).status == Status.SKIPPED


def test_ids_that_name_other_cells_make_tiles_go_by_position():
    found = findings(SELECT=wide(40))
    assert lines_of(samples.look_at_sources(found))[0].seen.endswith("0.0% name another cell than their position does")
    far = np.arange(40) * 1000 * 2**35 + 7
    far[:2] = (LAST_CELL + 5) * 2**35
    found = findings(SELECT=wide(40, source_id=far))
    line = lines_of(samples.look_at_sources(found))[0]
    assert line.status == Status.DIFFERENT and "1 beyond HEALPix; 2.6% name" in line.seen
    assert found.release.healpix == "healpix29"
    assert lines_of(samples.look_at_sources(found))[0].status == Status.OK


def test_without_healpix29_ids_are_as_they_are():
    found = findings(SELECT=wide(40))
    found.change(("columns", "healpix29"), "", "it is not there")
    assert lines_of(samples.look_at_sources(found))[0].status == Status.UNKNOWN and found.release.healpix == "id"


def test_another_epoch_of_positions_is_told():
    lines = lines_of(samples.look_at_sources(findings(SELECT=wide(40, ref_epoch=[2017.5] * 39 + [2016.0]))))
    assert lines[1].status == Status.DIFFERENT and "2017.5, 2016.0" in lines[1].seen


def test_parameters_out_of_range_are_counted():
    lines = lines_of(samples.look_at_sources(findings(SELECT=wide(40, teff_gspphot=[6500.0] * 20 + [-5.0] * 20))))
    assert (
        lines[2].status == Status.DIFFERENT and "teff_gspphot 100.0%" in lines[2].seen and "20 values" in lines[2].seen
    )
    assert only(samples.look_at_sources(findings(SELECT=wide(0)))).status == Status.UNKNOWN


def test_links_lead_to_the_release_that_the_tic_knows():
    found = findings(SELECT=wide(40))
    line = only(samples.follow_links(found))
    assert line.status == Status.OK and "dr2_source_id for 100%" in line.seen and found.rows.num_rows == 40
    assert found.ask.send.asked[0][0].text.startswith("SELECT TOP 400 ")
    lost = wide(40, dr3_delta_mag=[9.0] * 40, dr3_is_probable=["False"] * 40)
    line = only(samples.follow_links(findings(SELECT=lost)))
    assert line.status == Status.MISSING and "dr2_source_id for 0%" in line.seen


def stars(**columns) -> Findings:
    """Findings with the stars of `wide`."""
    found = findings(SELECT=wide(40, **columns))
    lines_of(samples.follow_links(found))
    return found


def test_matches_are_known_to_mast_or_not():
    ids = [126950577331375075 + i for i in range(40)]
    found = stars(ps1_objid=ids, ps1_sep_arcsec=[0.2] * 40)
    found.ask.send.answers = {"MeanObjectView": csv(objid=ids[:1])}
    line = only(samples.look_at_matches(found))
    assert line.status == Status.OK and f"MAST knows {ids[0]}" in line.seen
    found.ask.send.answers = {"MeanObjectView": BadQuestion("no such table")}
    assert "no such table" in only(samples.look_at_matches(found)).seen
    short = stars(ps1_objid=[12] * 40, ps1_sep_arcsec=[0.2] * 40)
    short.ask.send.answers = {"MeanObjectView": b"objid\n"}
    assert only(samples.look_at_matches(short)).status == Status.DIFFERENT
    assert only(samples.look_at_matches(stars())).status == Status.MISSING
    assert only(samples.look_at_matches(findings())).status == Status.SKIPPED


# Epochs

N = 40  # transits of each star
MEASURED = ("flux", "flux_over_error", "mag")


def product(ids, shift_day: float = 0.0, release: str = "Gaia DR4", **columns) -> bytes:
    """A zip of epochs in the layout of DR4, a file for each star; `columns` besides."""
    files = {}
    for id in ids:
        time = 2000.0 + np.arange(N) + shift_day
        values = {"solution_id": [1] * N, "source_id": [id] * N, "transit_id": np.arange(N) * 10}
        for band in ("g", "bp", "rp"):
            flux = {"flux": 1000.0, "flux_over_error": 100.0, "mag": 15.0}
            values |= {f"{band}_obs_time": time} | {f"{band}_{name}": [one] * N for name, one in flux.items()}
        values |= {name: column(np.arange(N)) for name, column in columns.items()}
        files[f"EPOCH_PHOTOMETRY-{release} {id}.csv"] = csv(**values)
    return zipped(**files)


def before(ids, **columns) -> bytes:
    """The same stars as DR3 has them."""
    names = {f"g_{name}": f"g_transit_{name}" for name in MEASURED}
    names["g_obs_time"] = "g_transit_time"
    files = {}
    for id in ids:
        rows = pacsv.read_csv(pa.py_buffer(csv(**{
            "source_id": [id] * N, "transit_id": np.arange(N) * 10,
            **{f"{band}_obs_time": 2000.0 + np.arange(N) for band in ("g", "bp", "rp")},
            **{f"{band}_{name}": [15.0] * N for band in ("g", "bp", "rp") for name in MEASURED},
            **{f"variability_flag_{band}_reject": np.arange(N) % 8 == 0 for band in ("g", "bp", "rp")},
            "rejected_by_photometry": np.arange(N) % 10 == 0,
        })))  # fmt: skip
        rows = rows.rename_columns([names.get(name, name) for name in rows.column_names])
        files[f"EPOCH_PHOTOMETRY-Gaia DR3 {id}.csv"] = csv(
            **{name: rows[name].to_pylist() for name in rows.column_names}
        )
    return zipped(**files)


class Datalink:
    """Products of a release by its name; or an error to raise."""

    def __init__(self, **columns) -> None:
        self.columns, self.flags, self.shift_day = columns, BadQuestion("Unknown retrieval type"), 0.0

    def __call__(self, question, items, attempts=3) -> bytes:
        ids = items["source_id"].to_pylist()
        if question.parameters["RELEASE"] == "Gaia DR3":
            return before(ids)
        if question.text == "EPOCH_FLAGS_VARI":
            if isinstance(self.flags, Exception):
                raise self.flags
            return self.flags(ids)
        return product(ids, self.shift_day, **self.columns)


def with_products(**columns) -> Findings:
    found = stars()
    found.ask.send = Datalink(**columns)
    return found


def test_a_product_is_there_with_all_its_roles():
    lines = lines_of(epochs.ask_one(with_products(what=lambda i: i)))
    assert [line.status for line in lines] == [Status.OK, Status.OK]
    assert "40 transits" in lines[0].seen and "unread: what (0, 1, 2)" in lines[1].seen


def test_a_product_that_lacks_a_role_stops():
    found = with_products()
    found.change(("epochs", "G", "mag"), ["g_magnitude"], "a wrong file says so")
    line = lines_of(epochs.ask_one(found))[1]
    assert line.is_needed and "'g_magnitude'" in line.seen


def test_nothing_is_asked_without_stars():
    for test in (epochs.ask_one, epochs.ask_some, epochs.compare_times, prove_flags, ask_flags):
        found = findings()
        assert only(test(found)).status == Status.SKIPPED and found.ask.n_request == 0


@pytest.mark.parametrize(("shift_day", "status"), [(0.0, Status.OK), (3.0, Status.DIFFERENT)])
def test_times_are_proven_by_the_transits_of_both_releases(shift_day, status):
    found = with_products()
    found.ask.send.shift_day = shift_day
    lines_of(epochs.ask_some(found))
    line = only(epochs.compare_times(found))
    assert line.status == status and f"differ by {shift_day * 86_400:.3g} s" in line.seen


def test_a_slow_server_gets_smaller_requests(monkeypatch):
    found = with_products()
    found.change(("limits", "datalink_timeout_s"), 0.001, "a file says so")
    line = only(epochs.ask_some(found))
    assert line.status == Status.DIFFERENT and found.release.limits.datalink_chunk < 200


def test_the_sense_of_flags_is_that_of_the_first_release():
    found = with_products(is_good=lambda i: i % 10 != 0, noise=lambda i: i % 3)
    lines_of(epochs.ask_some(found))
    lines_of(epochs.compare_times(found))
    assert [(line.status, "is_good" in line.seen) for line in prove_flags(found)] == [(Status.DIFFERENT, True)] * 3
    assert [part.reject[0].column for part in found.release.epochs.by_band.values()] == ["is_good"] * 3
    assert not found.release.epochs.G.reject[0].when
    assert [line.status for line in prove_flags(found)] == [Status.OK] * 3


def test_flags_of_variability_are_a_product_or_none():
    found = with_products()
    lines_of(epochs.ask_some(found))
    lines_of(epochs.compare_times(found))
    assert only(ask_flags(found)).status == Status.OK and not found.changes
    found.ask.send.flags = lambda ids: zipped(**{
        f"EPOCH_FLAGS_VARI-Gaia DR4 {id}.csv": csv(source_id=[id] * N, transit_id=np.arange(N) * 10,
                                                  used=np.arange(N) % 8 != 0) for id in ids})  # fmt: skip
    lines = lines_of(ask_flags(found))
    assert [line.status for line in lines] == [Status.DIFFERENT] * 4
    assert found.release.datalink.flags_type == "EPOCH_FLAGS_VARI"
    assert found.release.epochs.RP.variability[0].model_dump() == {"column": "used", "when": False, "bit": None}
    assert [line.status for line in lines_of(ask_flags(found))] == [Status.OK] * 3
    found.ask.send.flags = BadQuestion("Unknown retrieval type")
    assert only(ask_flags(found)).status == Status.DIFFERENT and found.release.datalink.flags_type == ""


def test_a_source_whose_flag_is_false_has_no_file_or_is_told():
    found = stars()
    datalink, id = Datalink(), 77

    def send(question, items, attempts=3):
        return csv(source_id=[id]) if question.service == "gaia_tap" else datalink(question, items)

    found.ask.send = send
    line = only(epochs.ask_without(found))
    assert line.status == Status.DIFFERENT and "77, whose flag is false, has 40 transits" in line.seen
    found.change(("true_literal",), "", "bare")
    assert only(epochs.ask_without(found)).status == Status.SKIPPED


def test_stars_with_epochs_in_both_releases_are_asked_about():
    found = stars(has_epoch_photometry=["False"] * 5 + ["True"] * 35, dr3_source_id=[None] * 10 + list(range(30)))
    chosen = epochs.list_stars(found)
    every = one_per_source(found.rows)["source_id"].to_pylist()
    assert chosen == every[10 : 10 + epochs.STARS]
