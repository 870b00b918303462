"""The sample of DR4: what is asked of which table, nulls for what it lacks, its words, ids beyond the sky's cells."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from schemas import BadInput
from schemas.inputs import Sample
from tasks.surveys.columns import wide_query, wide_question
from tasks.surveys.gaia_releases import RELEASES, override_release
from tasks.surveys.neighbours import gaia_neighbours, neighbours_question
from tasks.surveys.sample import (
    GaiaTable,
    IdFile,
    RandomIndex,
    Tiles,
    VariableClasses,
    count_at_most,
    sample_chunks,
    selections_of,
)
from tasks.surveys.selections import END, id_ranges
from tasks.surveys.survey import SOURCES
from tests.unit.surveys.gaia_sky import GaiaSky, gaia_sky

DR4 = RELEASES["dr4"]
BEYOND = 7 * 10**18  # ids that name no cell of the sky


def changed(**tree):
    return override_release("dr4", {"release": "dr4", **tree}, "dr4.toml")


def as_dr4(release=DR4, n=300):
    """The sky of the other tests as DR4 has it: 3 sources with ids beyond the sky, 2 without a row of flags."""
    old = gaia_sky(n, seed=11).tables
    ids = np.sort(old["g"].source_id.to_numpy())
    new = dict(zip(ids, ids, strict=True)) | {id: BEYOND + k for k, id in enumerate(ids[5:8])}
    tables = {}
    for alias in ("g", "vc", "rr", "cep", "eb", "lpv", "ap", "ps"):
        tables[alias] = old[alias].assign(source_id=old[alias].source_id.map(new))
    g = tables["g"]
    tables["g"] = g.assign(healpix29=old["g"].source_id.to_numpy() >> 1)
    tables["fl"] = g[["source_id", "has_epoch_photometry"]].iloc[2:]
    tables["g"] = tables["g"].drop(columns="has_epoch_photometry")
    tables["rvs"] = tables["ap"][["source_id", *(name for name in tables["ap"] if name.startswith("mh_gspspec"))]]
    tables["ap"] = tables["ap"].drop(columns=[name for name in tables["ap"] if name.startswith("mh_gspspec")])
    tables["dr"] = pd.DataFrame({
        "source_id": [new[id] for id in ids], "dr3_source_id": ids, "angular_distance": np.float32(3.0),
        "magnitude_difference": np.float32(0.01), "probable_match": True,
    })  # fmt: skip
    tables["d2"] = old["dr"]
    return GaiaSky(tables, release), old


@pytest.fixture(scope="module")
def skies():
    return as_dr4()


def sampled(sky, *selections, release=DR4):
    sky.asked.clear()
    chunks = list(sample_chunks(sky.ask, selections, release))
    return pa.concat_tables([chunk.sources for chunk in chunks])


def test_whole_tables_with_ids_beyond_the_sky(skies):
    sky, old = skies
    table = sampled(sky, GaiaTable("gaia_source", 12))
    assert table.schema == SOURCES and table.num_rows == len(sky.tables["g"])
    assert (np.diff(table["source_id"].to_numpy()) > 0).all() and pc.max(table["source_id"]).as_py() >= BEYOND
    assert sorted(table["dr3_source_id"].to_pylist()) == sorted(old["g"].source_id)
    assert table["healpix29"].null_count == 0 and table["dr2_source_id"].null_count < table.num_rows / 2
    assert table["has_epoch_photometry"].null_count == 0  # without a row of flags there are none
    rare = sampled(sky, GaiaTable("vari_rrlyrae", 5))
    assert sorted(rare["source_id"].to_pylist()) == sorted(sky.tables["rr"].source_id)


def test_every_table_is_joined_once():
    text = wide_query(DR4, "1 = 1")
    for alias, table in DR4.tables.items():
        assert text.count(f"{table} AS {alias}") == (alias not in ("aa", "ph"))  # asked of the check, of narrow samples
    assert "ON dr.source_id = g.source_id" in text and "ON d2.dr3_source_id = dr.dr3_source_id" in text
    assert "fl.has_epoch_photometry AS has_epoch_photometry" in text and "NULL" not in text


def test_with_epochs_is_a_condition_on_the_flags(skies):
    sky, _ = skies
    table = sampled(sky, RandomIndex(0, 300, True))
    flags = sky.tables["fl"]
    assert sorted(table["source_id"].to_pylist()) == sorted(flags[flags.has_epoch_photometry].source_id)
    assert pc.all(table["has_epoch_photometry"]).as_py()
    for literal, said in (("'t'", "fl.has_epoch_photometry = 't' AND"), ("", "fl.has_epoch_photometry AND")):
        assert said in RandomIndex(0, 9, True).question(changed(true_literal=literal)).text


def test_sparse_samples_of_dr4_are_asked_for_in_smaller_ranges():
    selection = RandomIndex(0, 2_000_000, True)
    assert selection.items(RELEASES["dr3"]).num_rows == 1 and selection.items(DR4).num_rows == 20
    assert selection.items(DR4)["hi"][-1].as_py() == END == id_ranges(3, END)[-1, 1]


def test_what_the_release_lacks_is_null():
    release = changed(columns={"rr_metallicity": "", "phot_variable_flag": ""}, tables={"ps": "", "lpv": ""})
    sky, _ = as_dr4(release)
    rows = sky.ask(wide_question(release, "g.source_id BETWEEN {lo} AND {hi}"), pa.table({"lo": [0], "hi": [END]}))
    for name in ("rr_metallicity", "phot_variable_flag", "ps1_objid", "lpv_frequency"):
        assert rows[name].null_count == rows.num_rows and f" AS {name}," not in sky.asked[0][0].text
    table = sampled(sky, GaiaTable("gaia_source", 3), release=release)
    assert table.schema == SOURCES and table["ps1_objid"].null_count == table.num_rows
    with pytest.raises(BadInput, match="gaia_dr4 has no table 'vari_long_period_variable' to select from"):
        GaiaTable("vari_long_period_variable").question(release)


def test_words_of_the_release_become_ours_and_ours_its():
    release = changed(words={"class_name": {"RRLYR": "RR", "RRL2": "RR", "CEPH": "CEP"}})
    sky, _ = as_dr4(release)
    sky.tables["vc"]["best_class_name"] = sky.tables["vc"]["best_class_name"].replace({"RR": "RRLYR", "CEP": "CEPH"})
    sky = GaiaSky(sky.tables, release)
    chosen = VariableClasses(("RR", "LPV"))
    assert "vc.best_class_name IN ('RRLYR', 'RRL2', 'LPV')" in chosen.question(release).text
    vc = sky.tables["vc"]
    table = sampled(sky, chosen, release=release)
    assert sorted(table["source_id"].to_pylist()) == sorted(vc[vc.best_class_name.isin(["RRLYR", "LPV"])].source_id)
    rows = sky.ask(
        wide_question(release, "vc.source_id BETWEEN {lo} AND {hi}", "vc"), pa.table({"lo": [0], "hi": [END]})
    )
    assert set(rows["class_name"].to_pylist()) == {"RR", "CEP", "ECL", "LPV", "DSCT|GDOR|SXPHE", "RS"}


def test_classes_come_from_the_sources_where_there_is_no_table_of_them():
    release = changed(tables={"vc": ""})
    text = VariableClasses(("RR",), 0.3).question(release).text
    assert "FROM gaiadr4.gaia_source AS g\nLEFT JOIN" in text and "vari_classifier_result" not in text
    assert "g.phot_variable_best_class IN ('RR') AND g.phot_variable_score >= 0.3 AND g.source_id BETWEEN" in text
    with pytest.raises(BadInput, match="has no column for class_name: nothing is selected by it"):
        VariableClasses(("RR",)).question(changed(columns={"class_name": ""}))


def test_tiles_by_the_column_of_cells():
    """Where ids name no cells: the sources beyond the sky's ids are in their tiles, and ascend."""
    release = changed(healpix="healpix29")
    sky, old = as_dr4(release)
    inside = old["g"].source_id.to_numpy() // 2**59 == 2  # of order 0
    table = sampled(sky, Tiles(0, (2, 7)), release=release)
    seven = old["g"].source_id.to_numpy() // 2**59 == 7
    assert sorted(table["dr3_source_id"].to_pylist()) == sorted(old["g"].source_id[inside | seven])
    assert "g.healpix29 BETWEEN" in sky.asked[0][0].text and (np.diff(table["source_id"].to_numpy()) > 0).all()
    by_id = sampled(as_dr4()[0], Tiles(0, (2, 7)))
    assert set(by_id["source_id"].to_pylist()) <= set(table["source_id"].to_pylist())


def test_ids_of_dr3_and_of_dr2_lead_to_dr4(skies, tmp_path):
    sky, old = skies
    own = np.sort(old["g"].source_id.to_numpy())[:20]
    for column, ids in (("dr3_source_id", own), ("source_id", own)):
        path = tmp_path / f"{column}.csv"
        pd.DataFrame({column: ids}).to_csv(path, index=False)
        table = sampled(sky, IdFile(str(path)))
        if column == "dr3_source_id":
            assert sorted(table["dr3_source_id"].to_pylist()) == own.tolist()
            assert pc.max(table["source_id"]).as_py() >= BEYOND
        else:
            assert table.num_rows == 17  # three numbers are another star's, or nobody's, in DR4


def test_dr3_ids_are_source_ids_of_dr3(tmp_path):
    sky = gaia_sky(50)
    ids = np.sort(sky.tables["g"].source_id)[:9]
    pd.DataFrame({"dr3_source_id": ids}).to_csv(tmp_path / "a.csv", index=False)
    table = sampled(sky, IdFile(str(tmp_path / "a.csv")), release=RELEASES["dr3"])
    assert table["source_id"].to_pylist() == table["dr3_source_id"].to_pylist() == ids.tolist()
    assert len(sky.asked) == 1 and table["healpix29"].null_count == 9


def test_neighbours_by_another_table(skies):
    text = neighbours_question(DR4, 5.0).text
    assert "FROM gaiadr4.gaia_source AS s\nJOIN gaiadr4.gaia_source AS n" in text
    release = changed(neighbours={"table": "aa", "g_mag": "raw_g_mean_mag", "zero": "quality_flag"})
    text = neighbours_question(release, 5.0).text
    assert "all_source_astrometry AS s" in text and "n.raw_g_mean_mag AS phot_g_mean_mag" in text
    assert text.endswith("n.source_id <> s.source_id AND n.quality_flag = 0")
    sky, _ = skies
    assert gaia_neighbours(sky.ask, sampled(sky, RandomIndex(0, 50)), DR4).num_rows == 0


def test_a_question_about_a_release_that_is_not_there_says_when_it_opens():
    assert "2 December 2026" in wide_question(DR4, "1 = 1").hint and not wide_question(RELEASES["dr3"], "1 = 1").hint


def with_statistics(seed=3):
    """The sky with phot_variable_score, and of most sources Stetson's index."""
    tables, rng = as_dr4()[0].tables, np.random.default_rng(seed)
    g = tables["g"].assign(phot_variable_score=rng.uniform(0, 1, len(tables["g"])).astype(np.float32))
    index = rng.normal(2, 3, len(g)).astype(np.float32)
    tables |= {"g": g, "ph": pd.DataFrame({"source_id": g.source_id, "phot_g_stetson_index": index}).iloc[4:]}
    return GaiaSky(tables, DR4)


def test_a_sample_is_narrowed_by_statistics_of_its_light_curves(tmp_path):
    sky = with_statistics()
    g, ph, rr = (sky.tables[alias] for alias in ("g", "ph", "rr"))
    steady, likely = set(ph[ph.phot_g_stetson_index >= 3].source_id), set(g[g.phot_variable_score >= 0.5].source_id)
    every = Sample(tables=("gaia_source",), random_index=(0, 299), with_epochs=False)
    for sample, wanted in (
        ({"min_stetson": 3}, steady),
        ({"min_variable_score": 0.5}, likely),
        ({"min_stetson": 3, "min_variable_score": 0.5}, steady & likely),
    ):
        selections = selections_of(every.model_copy(update=sample))
        assert set(sampled(sky, *selections)["source_id"].to_pylist()) == wanted, sample
        assert count_at_most(sky.ask, selections, DR4) == 2 * len(wanted)
    counted = sky.asked[-1][0].text
    assert "LEFT JOIN gaiadr4.all_source_photometry AS ph" in counted and counted.count("JOIN") == 1
    chosen = selections_of(Sample(tables=("vari_rrlyrae",), min_stetson=3))
    assert set(sampled(sky, *chosen)["source_id"].to_pylist()) == set(rr.source_id) & steady != set(rr.source_id)
    file = tmp_path / "ids.csv"
    file.write_text("source_id\n" + "\n".join(map(str, g.source_id[:9])))
    listed = selections_of(Sample(ids=file, min_stetson=3))
    assert sampled(sky, *listed).num_rows == count_at_most(sky.ask, listed, DR4) == 9  # who names a star wants it


def test_a_release_without_statistics_narrows_no_sample():
    narrow = selections_of(Sample(tables=("vari_rrlyrae",), min_stetson=3))
    for release in (RELEASES["dr3"], changed(tables={"ph": ""})):
        with pytest.raises(BadInput, match=f"{release.name} has no statistic 'stetson' of light curves to narrow"):
            narrow[0].question(release)
    moved = changed(statistics={"stetson": "fl.stetson_g"})
    assert "fl.stetson_g >= 3.0" in narrow[0].question(moved).text
    assert RELEASES["dr3"].statistic_columns == {} and GaiaTable("gaia_source") in selections_of(
        Sample(tables=("gaia_source",))
    )
