"""A survey is one file and one registration line: OGLE-IV is registered by the test, and everything else follows.

Its catalogues are small Parquet files about stars of the replica's sky, read by the client that reads the real ones.
"""

import ast
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from flows.cli import app
from flows.presets import preset
from flows.settings import override
from lakehouse.delta.store import Lake
from lakehouse.run import Run
from schemas import TABLES
from tasks.replica.holdings import Holdings, build
from tasks.replica.serve import running
from tasks.reporting.palette import band_style
from tasks.stages.clean.stage import clean_sources
from tasks.stages.fanout import open_cluster
from tasks.stages.featurize.stage import featurize_sources
from tasks.surveys import SURVEYS, list_label_origins, register
from tasks.surveys.cuts import CutConfig
from tasks.surveys.objects import positions_at
from tests.integration import ogle_survey
from tests.integration.acquisition import SEED, N, acquire_into, source_of
from tests.unit.surveys.bulk_sky import table_of
from tests.unit.surveys.rubin_catalogue import N_EPOCH, rubin_catalogue

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "add_a_survey.md"
N_STAR, N_I, N_V, N_UNCERTAIN = 40, 30, 12, 2


@pytest.fixture(scope="module")
def ogle():
    register(ogle_survey.SURVEY)  # the one line
    yield
    del SURVEYS["ogle"], TABLES["core_ogle__object"]


@pytest.fixture(scope="module")
def stars(tmp_path_factory) -> pa.Table:
    """Stars of the sky that Gaia has light curves of, with their motions."""
    rows = table_of(Holdings(build(tmp_path_factory.mktemp("sky"), N, SEED)), "gaia", "gaiadr3.gaia_source")
    rows = rows.filter(pc.equal(rows["has_epoch_photometry"], True)).sort_by("source_id").slice(0, N_STAR)
    return rows


def catalogues(folder: Path, stars: pa.Table) -> dict[str, str]:
    """Options that name catalogues of these stars, written here: object k has I of 15 + 0.01 k, and V 1 mag fainter."""
    objid, n = np.arange(1, N_STAR + 1), N_I + N_V
    there = positions_at(stars, ogle_survey.OPTIONS["epoch"])
    place = {name: there[name].to_numpy() for name in ("ra", "dec")}
    kind = pa.array(["RRab" if k % 2 else None for k in range(N_STAR)])
    objects = pa.table({"objid": objid, **place, "field": pa.repeat("BLG501", N_STAR), "type": kind})
    number = np.tile(np.arange(n), N_STAR)
    band = np.where(number < N_I, "I", "V")
    mag = 15 + 0.01 * np.repeat(objid, n) + (band == "V") + 0.3 * np.sin(number)
    epochs = pa.table({
        "objid": np.repeat(objid, n), **{name: np.repeat(values, n) for name, values in place.items()},
        "hjd": 2455500.0 + 3.7 * number + 0.01 * np.repeat(objid, n), "band": band, "mag": mag,
        "mag_err": np.full(mag.size, 0.01), "flag": (number < N_UNCERTAIN).astype(int),
    })  # fmt: skip
    options = {}
    for name, table in {"objects": objects, "epochs": epochs}.items():
        options[name] = str(folder / f"{name}.parquet")
        pq.write_table(table, options[name])
    return options


@pytest.fixture(scope="module")
def lake(ogle, stars, tmp_path_factory) -> Lake:
    """A lake with Gaia, the TIC, OGLE and Rubin, whose catalogue the options name: acquired, cleaned and featurized."""
    folder = tmp_path_factory.mktemp("ogle")
    pq.write_table(rubin_catalogue(stars), folder / "dp1.parquet")
    options = {"ogle": catalogues(folder, stars), "rubin": {"catalogue": str(folder / "dp1.parquet")}}
    settings = override(preset("demo"), ("features.period.f_max=2",))
    with running(N, SEED, folder / "replica") as base:
        acquire_into(folder / "lake", source_of(base, surveys=("gaia", "tic", "ogle"), options=options))
    with open_cluster(1) as scheduler:
        run = Run("r2", str(folder / "lake"), "sky", scheduler, 100)
        clean_sources(run, settings.cut_config)
        featurize_sources(run, settings.feature_config)
    return Lake(folder / "lake")


@pytest.mark.slow
def test_its_epochs_matches_and_labels_are_acquired_with_the_others(lake, stars):
    bands = lake.read("core_dataset__band").sort_by("band")
    assert bands["name"].to_pylist() == ["G", "BP", "RP", "I_ogle", "V_ogle", *(f"{c}_rubin" for c in "ugrizy")]
    assert bands["wavelength_nm"].to_pylist()[3:5] == [798.0, 545.0]
    assert bands["system"].to_pylist()[3:] == ["Vega"] * 2 + ["AB"] * 6
    epochs = lake.read("raw_sample__epoch")
    mine = epochs.filter(pc.equal(epochs["survey"], "ogle")).sort_by("source_id")
    assert mine["source_id"].to_pylist() == stars["source_id"].to_pylist()
    assert pc.list_value_length(mine["mag"]).to_pylist() == [N_I + N_V] * N_STAR
    matches = lake.read("assn_sample__match")
    for survey in ("ogle", "rubin"):
        assert pc.sum(pc.equal(matches["survey"], survey)).as_py() >= N_STAR
    rubin = epochs.filter(pc.equal(epochs["survey"], "rubin"))
    assert pc.list_value_length(rubin["mag"]).to_pylist() == [N_EPOCH] * N_STAR
    labels = lake.read("label_sample__class")
    named = labels.filter(pc.equal(labels["origin"], "ogle_iv"))
    assert named["class"].to_pylist() == ["RRab"] * (N_STAR // 2) and "ogle_iv" in list_label_origins()


@pytest.mark.slow
def test_its_own_table_is_in_the_lake_and_is_described(lake, stars):
    rows = lake.read("core_ogle__object").sort_by("source_id")
    assert rows["objid"].to_pylist() == list(range(1, N_STAR + 1)) and set(rows["field"].to_pylist()) == {"BLG501"}
    said = CliRunner().invoke(app, ["describe", "core_ogle__object", "--lake", str(lake.path)]).output
    assert "The OGLE-IV objects of the sources." in said and "OGLE identifier." in said


@pytest.mark.slow
def test_its_requests_are_in_the_ledger_of_requests(lake):
    asked = lake.read("raw_archive__request")
    files = set(asked.filter(pc.equal(asked["service"], "hats"))["text"].to_pylist())
    assert {Path(text.splitlines()[0]).name for text in files} == {"objects.parquet", "epochs.parquet", "dp1.parquet"}


@pytest.mark.slow
def test_its_cut_removes_what_its_flag_marks_and_no_more(lake):
    ledger = lake.read("core_cut__ledger")
    mine = ledger.filter(pc.equal(ledger["survey"], "ogle"))
    removed = {cut: n for cut, n in mine.group_by("cut").aggregate([("n_removed", "sum")]).to_pandas().to_numpy()}
    assert removed == {"ogle_uncertain": N_STAR * N_UNCERTAIN}


@pytest.mark.slow
def test_features_know_its_bands_and_their_extinction(lake, stars):
    features = lake.read("feature_sample__source")
    mine = features.filter(pc.is_in(features["source_id"], value_set=stars["source_id"].combine_chunks()))
    assert set(mine["n_epoch_I_ogle"].to_pylist()) == {N_I - N_UNCERTAIN}
    assert set(mine["n_epoch_u_rubin"].to_pylist()) == {N_EPOCH // 6}
    reddened, free = (mine[f"colour{name}_mag_I_ogle_V_ogle"].to_numpy() for name in ("", "0"))
    ebv = mine["ebv"].to_numpy()
    assert np.isfinite(ebv).sum() > N_STAR / 2
    np.testing.assert_allclose(free, reddened - ebv * (1.505 - 2.742), atol=1e-5)


def test_cuts_and_figures_follow_its_declaration(ogle):
    names = CutConfig().names
    assert names.index("catflags") + 1 == names.index("ogle_uncertain") == names.index("flagged") - 1
    assert band_style("I_ogle")[1] == "v" and band_style("I_ogle")[0] == band_style("i_ps1")[0]


def test_a_survey_must_not_take_what_another_has(ogle):
    with pytest.raises(ValueError, match="ogle: it declares a survey that another survey has already"):
        register(ogle_survey.SURVEY)


def test_nothing_but_its_file_names_it():
    rooms = [path for room in ("flows", "tasks", "lakehouse", "schemas") for path in (ROOT / room).rglob("*.py")]
    strings = {node.value for path in rooms for node in ast.walk(ast.parse(path.read_text()))
               if isinstance(node, ast.Constant) and isinstance(node.value, str)}  # fmt: skip
    assert not [text for text in strings if "ogle" in text.split("__") or text.endswith("_ogle")]


def test_the_docs_show_this_survey():
    text = DOCS.read_text().split("<!-- fifth -->")[1].split("<!-- end fifth -->")[0]
    shown = text.strip().removeprefix("```python\n").removesuffix("\n```")
    assert shown == Path(ogle_survey.__file__).read_text().strip()
