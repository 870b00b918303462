"""The day on which DR4 opens, on the replica: check, read the file, refresh with it; by the command line alone."""

import pyarrow.compute as pc
import pytest
import requests

from lakehouse.delta.store import Lake
from tasks.replica.serve import running
from tests.integration.conftest import FOREST_ONLY, SMALL, argelander, sentence

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_server")]
N, SEED = 500, 11
SETTINGS = (*SMALL, "training.min_labels=10", FOREST_ONLY, f"source.replica.n_objects={N}",
            f"source.replica.seed={SEED}", "source.options.gaia.release=dr4")  # fmt: skip
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


def refresh(lake, base, *more, check=True):
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
    limits(replica, SWITCHES, boolean_words=["t", "f"])
    checked = argelander("check", "dr4", "--base-url", replica, "--out", tmp_path / "day.toml", check=False)
    assert checked.returncode == 4, checked.stdout + checked.stderr
    lake = tmp_path / "lake"
    refresh(lake, replica, f"source.options.gaia.release_file={tmp_path / 'day.toml'}")
    place = Lake(lake)
    sources = place.read("core_sample__source")
    n = sources.num_rows
    assert n == place.count("out__catalogue") > 80
    assert set(place.read("core_dataset__band", columns=["dataset"])["dataset"].to_pylist()) == {"rrlyrae_dr4"}
    labels = place.read("label_sample__class")
    assert set(labels["origin"].to_pylist()) == {"gaia_dr4"} and set(labels["class"].to_pylist()) == {
        "RRab",
        "RRc",
        "RRd",
    }
    quantities = place.read("label_sample__parameter")
    assert {"period_day", "feh_dex", "teff_k"} <= set(quantities["quantity"].to_pylist())
    gaia = place.read("raw_sample__epoch").filter(pc.field("survey") == "gaia")
    times = pc.list_flatten(gaia["time"])
    assert pc.max(times).as_py() > 58_500 and len(times) > 100 * n
    assert place.count("core_tic__source") > 0.5 * n
    removed = place.read("core_cut__ledger").to_pandas().groupby("cut")["n_removed"].sum()
    assert removed["rejected_by_photometry"] > 0 and removed["rejected_by_variability"] > 0
