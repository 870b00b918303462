"""The day on which DR4 opens, on the replica: check, read the file, refresh with it; by the command line alone."""

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import requests

from lakehouse.delta.store import Lake
from lakehouse.models import LABELS, model_dir, read_current
from tasks.replica.serve import running
from tests.integration.conftest import SMALL, argelander, sentence

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_server")]
N, SEED = 500, 11
FEW = "training.recipes=[majority, median, colour_forest]"
SETTINGS = (*SMALL, "training.min_labels=10", FEW, f"source.replica.n_objects={N}",
            f"source.replica.seed={SEED}")  # fmt: skip
DR4 = "source.options.gaia.release=dr4"
SWITCHES = {
    "renamed": {"vari_rrlyrae.metallicity": "feh", "all_source_flags": "all_source_what", "vari_rrlyrae": "vari_rrl"},
    "array_columns": ["vari_cepheid.pf"],
    "flags": [["g_good", "g", "use"], ["bp_good", "bp", "use"], ["rp_bits", "rp", "bits"]],
    "time_unit": "ns",
    "with_ccd": True,
}


@pytest.fixture(scope="module")
def replica(tmp_path_factory):
    with running(N, SEED, tmp_path_factory.mktemp("replica")) as base:
        yield base


def limits(base: str, dr4: dict, **others) -> None:
    answer = requests.post(f"{base}/_limits", json={"dr4": dr4, **others}, timeout=20)
    assert answer.status_code == 200, answer.text


def refresh(lake, base, *more, check=True, release=DR4):
    more = (*more, release) if release else more
    words = [word for setting in (*SETTINGS, f"source.base_url={base}", *more) for word in ("--set", setting)]
    return argelander("refresh", "rrlyrae", "--lake", lake, "--release", lake / "release", *words, check=check)


def test_before_the_day_a_run_is_refused_in_one_sentence(replica, tmp_path):
    limits(replica, {"is_released": False})
    assert argelander("check", "dr4", "--base-url", replica, check=False, cwd=tmp_path).returncode == 3
    said = sentence(refresh(tmp_path / "lake", replica, check=False))
    assert "2 December 2026" in said and "argelander check dr4" in said
    limits(replica, {"is_released": True})


def test_a_run_says_what_it_costs_and_is_refused_beyond_its_budget(replica, tmp_path):
    limits(replica, {"is_released": True})
    few = "source.sample.n_range=1", "source.sample.min_stetson=1"
    refused = refresh(tmp_path / "lake", replica, "source.profile=live", "source.budget_hours=1e-7", *few, check=False)
    said = sentence(refused)
    assert "more than source.budget_hours" in said and "--yes" in said
    assert "at most " in refused.stderr and "gaia_datalink" in refused.stderr and "side by side" in refused.stderr
    asked = [record for record in Lake(tmp_path / "lake").path.glob("raw/**/*.json")]
    assert 1 <= len(asked) <= 2  # the count, and nothing else


def test_the_file_of_the_check_makes_a_run_of_what_differs(replica, tmp_path):
    lake = tmp_path / "lake"
    refresh(lake, replica, release="")
    limits(replica, SWITCHES, boolean_words=["t", "f"])
    checked = argelander("check", "dr4", "--base-url", replica, "--out", tmp_path / "day.toml", check=False)
    assert checked.returncode == 4, checked.stdout + checked.stderr
    refresh(lake, replica, f"source.options.gaia.release_file={tmp_path / 'day.toml'}")
    place, new = Lake(lake), {"dataset": "rrlyrae_dr4"}
    n = place.count("core_sample__source", **new)
    assert n == place.count("out__catalogue", **new) > 80
    labels = place.read("label_sample__class", where=new)
    assert set(labels["origin"].to_pylist()) == {"gaia_dr4"} and set(labels["class"].to_pylist()) == {
        "RRab",
        "RRc",
        "RRd",
    }
    quantities = place.read("label_sample__parameter", where=new)
    assert {"period_day", "feh_dex", "teff_k"} <= set(quantities["quantity"].to_pylist())
    gaia = place.read("raw_sample__epoch", where=new).filter(pc.field("survey") == "gaia")
    times = pc.list_flatten(gaia["time"])
    assert pc.max(times).as_py() > 58_500 and len(times) > 100 * n
    assert place.count("core_tic__source", **new) > 0.5 * n
    removed = place.read("core_cut__ledger", where=new).to_pandas().groupby("cut")["n_removed"].sum()
    assert removed["rejected_by_photometry"] > 0 and removed["rejected_by_variability"] > 0
    the_lake_moves_on(place, tmp_path)


def the_lake_moves_on(place, folder):
    """Labels, models and scores follow from DR3, once; and the two catalogues are compared star by star."""
    names = "--from", "rrlyrae", "--to", "rrlyrae_dr4", "--lake", place.path
    said = argelander("migrate", *names).stderr
    assert "sources of rrlyrae: kept" in said and "labelled stars followed" in said
    links = place.read("assn_sample__successor").to_pandas(integer_object_nulls=True)
    counts = links["outcome"].value_counts()
    assert links["earlier_id"].nunique() == place.count("core_sample__source", dataset="rrlyrae")
    assert counts["kept"] > 0.9 * len(links) and counts["renamed"] >= 1 and links["is_carried"].sum() > 0.9 * len(links)
    renamed = links[links["outcome"] == "renamed"]
    assert (renamed["earlier_id"] != renamed["source_id"]).all()
    labels = place.read("label_sample__class", where={"dataset": "rrlyrae_dr4", "origin": "gaia_dr3"}).to_pandas()
    assert set(renamed["source_id"]) <= set(labels["source_id"])
    for target, current in read_current(place.path, "rrlyrae").items():
        (copy,) = model_dir(place.path, "rrlyrae_dr4", target, current).parent.glob(f"{current}+*")
        before, after = (
            dict(
                zip(*(pq.read_table(folder / LABELS)[name].to_pylist() for name in ("source_id", "fold")), strict=True)
            )
            for folder in (model_dir(place.path, "rrlyrae", target, current), copy)
        )
        pairs = renamed[renamed["earlier_id"].isin(before)]
        assert all(before[old] == after[new] for old, new in zip(pairs["earlier_id"], pairs["source_id"], strict=True))
    versions = {name: place.version(name) for name in place.tables()}
    again = argelander("migrate", *names, "--offline").stderr
    assert "migrate: up to date" in again
    changed = {name for name, version in versions.items() if place.version(name) != version}
    assert changed <= {"run_refresh__stage", "raw_archive__request"}
    diff = argelander("release", "diff", "rrlyrae", "rrlyrae_dr4", "--lake", place.path, "--out", folder / "d.parquet")
    assert f"{links['is_carried'].sum()} objects are in both" in diff.stdout
    rows = pq.read_table(folder / "d.parquet").to_pandas(integer_object_nulls=True)
    assert set(rows[rows["change"] == "removed"]["earlier_id"]) == set(links[links["outcome"] == "lost"]["earlier_id"])
    back = argelander("migrate", "--from", "rrlyrae_dr4", "--to", "rrlyrae", "--lake", place.path, check=False)
    assert "No table of neighbours leads from gaia_dr3 to gaia_dr4" in sentence(back)
    gone = argelander("migrate", "--from", "rrlyrae", "--to", "nowhere", "--lake", place.path, check=False)
    assert "has no features of 'nowhere'" in sentence(gone)
