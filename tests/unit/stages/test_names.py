"""Bands whose names another dataset of the lake has in other letters: renamed wherever they stand, and known again."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.presets import preset
from lakehouse.bands import read_bands
from lakehouse.column_names import BAND, NAME, name_rows
from lakehouse.delta.store import Lake
from lakehouse.run import Run
from schemas.dataset_nodes import Band
from tasks.features import FeatureConfig
from tasks.lightcurves.batch import LightCurveBatch
from tasks.stages.acquire.stage import acquire_sources
from tasks.stages.archive import Archive, ObjectChunk
from tasks.stages.inputs import complete_config
from tasks.stages.names import call_bands_apart
from tasks.stages.train.labels import name_bands

PHOTOMETRY = 'kind = "photometry"\n[[parameters]]\nquantity = "feh_dex"\ncolumn = "feh"\n'


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "lake", create=True)


def acquire(lake, folder, name, *bands):
    """Takes in a folder of mean photometry of two stars in these bands."""
    folder.mkdir()
    columns = {band: [15.0 + k, 16.0 + k] for k, band in enumerate(bands)}
    pq.write_table(pa.table({"object_id": ["a", "b"], "feh": [-1.0, -2.0], **columns}), folder / "objects.parquet")
    listed = "".join(f'[[bands]]\nname = "{band}"\nmag = "{band}"\n' for band in bands)
    (folder / "dataset.toml").write_text(f'name = "{name}"\n{PHOTOMETRY}{listed}')
    return acquire_sources(Run("r1", str(lake.path), name, ""), preset("folder", folder).source, None)


def test_mean_magnitudes_are_in_the_bands_of_the_lake(lake, tmp_path):
    acquire(lake, tmp_path / "one", "one", "g")
    acquire(lake, tmp_path / "two", "two", "G", "r", "g")
    assert read_bands(lake, "one").names == ("g",) and read_bands(lake, "two").names == ("G_two", "r", "g")
    rows = lake.read("core_sample__photometry", where={"dataset": "two"}).to_pylist()
    assert {(row["band"], row["mag"]) for row in rows} == {
        ("G_two", 15.0), ("G_two", 16.0), ("r", 16.0), ("r", 17.0), ("g", 17.0), ("g", 18.0),
    }  # fmt: skip
    assert lake.read(NAME).to_pylist() == [{"dataset": "two", "kind": "band", "name": "G", "column_name": "G_two"}]


def test_light_curves_have_the_names_and_an_archive_without_twins_stays_what_it_is(lake, tmp_path):
    acquire(lake, tmp_path / "one", "one", "g")
    curves = LightCurveBatch.from_epochs(np.ones(2, np.int64), np.arange(2.0), np.full(2, 15.0), None,
                                         np.array([0, 1]), None, ("G", "BP"))  # fmt: skip
    chunk = ObjectChunk(pa.table({"source_id": [1]}), curves)
    bands = tuple(Band(name=name, survey="gaia") for name in curves.bands)
    apart = call_bands_apart(lake, "demo", Archive(bands, "mark", 1, iter([chunk])))
    assert [band.name for band in apart.bands] == ["G_gaia", "BP"] and apart.renamed_bands == {"G": "G_gaia"}
    (renamed,) = apart.object_chunks
    assert renamed.epochs.bands == ("G_gaia", "BP") and renamed.epochs.mag is curves.mag
    plain = Archive(bands[1:], "mark", 1, iter([chunk]))
    assert call_bands_apart(lake, "demo", plain) is plain


def test_passbands_are_known_by_the_names_of_the_lake(lake, tmp_path):
    acquire(lake, tmp_path / "one", "one", "g")
    config = FeatureConfig()
    assert complete_config(config, lake, "demo").passbands == config.passbands
    name = config.reference.name
    lake.overwrite("r", NAME, name_rows("demo", {BAND: {name: f"{name}_gaia"}}), {"dataset": "demo"})
    found = complete_config(config, lake, "demo")
    assert found.reference.name == f"{name}_gaia" and name not in found.passbands
    assert found.extinctions([f"{name}_gaia"]) == config.extinctions([name])
    assert len(found.passbands) == len(config.passbands)


def test_options_name_bands_as_the_archive_does():
    options = {"lstm": {"bands": ["G", "BP"], "max_passes": 20}, "forest": {"trees": 150}}
    assert name_bands(options, {"G": "G_gaia"}) == {
        "lstm": {"bands": ["G_gaia", "BP"], "max_passes": 20}, "forest": {"trees": 150},
    }  # fmt: skip
    assert name_bands(options, {}) == options
