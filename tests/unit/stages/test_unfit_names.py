"""Classes of any printable name come out in the catalogue and its report; others are refused before anything runs."""

from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.presets import preset
from flows.settings import override
from lakehouse.delta.store import Lake
from lakehouse.manifest import RunManifest
from lakehouse.query import run_sql
from lakehouse.run import Run
from schemas import BadInput
from tasks.stages.acquire.stage import acquire_sources
from tasks.stages.acquire.unfit_names import refuse_unfit_classes
from tasks.stages.publish.stage import publish_release
from tests.unit.stages.conftest import DATASET, SMALL, refresh, write_folder


def write_classes(folder, near, far):
    """The folder of the stages' tests with other names for its two classes."""
    write_folder(folder)
    objects = pq.read_table(folder / "objects.parquet")
    labels = [{"near": near, "far": far}[label] for label in objects["label"].to_pylist()]
    pq.write_table(objects.set_column(1, "label", pa.array(labels)), folder / "objects.parquet")
    return folder


def test_braces_and_other_signs_come_out_in_the_catalogue_and_the_report(tmp_path, scheduler):
    names = ("{x}", "$\\frac{1}[red]<b>%s'\"")
    folder = write_classes(tmp_path / "data", *names)
    settings = override(preset("folder", folder), SMALL)
    lake = Lake(tmp_path / "lake", create=True)
    manifest = RunManifest.start(lake, settings.model_dump(mode="json"))
    run = Run(manifest.run_id, str(lake.path), settings.dataset, scheduler, 25)
    refresh(run, settings)
    assert publish_release(run, tmp_path / "release", manifest).done == 60
    catalogue = pq.read_table(next((tmp_path / "release").glob("*/out__catalogue.parquet")))
    assert set(catalogue["class_pred"].to_pylist()) == set(names)
    assert {f"prob_{name}" for name in names} <= set(catalogue.column_names)
    assert run_sql(lake, 'SELECT "prob_{x}" FROM out__catalogue WHERE "prob_{x}" IS NOT NULL').num_rows == 60


@pytest.mark.parametrize("name", ["a\nb", "\x00", "tab\there", "\u200b"])
def test_what_cannot_be_printed_is_no_class(name):
    with pytest.raises(BadInput, match=r"holds a character that cannot be printed: .*\[label\]") as caught:
        refuse_unfit_classes(["RRab", name])
    assert "\n" not in str(caught.value) and repr(name) in str(caught.value)
    refuse_unfit_classes(["RRab", "δ Sct", "{x}", "a b"])


def test_it_is_refused_when_the_folder_is_read(tmp_path):
    folder = write_classes(tmp_path / "data", "near", "f\nar")
    settings = preset("folder", folder)
    run = Run("r", str(Lake(tmp_path / "lake", create=True).path), "tiny", "tcp://nowhere")
    with pytest.raises(BadInput, match="cannot be printed"):
        acquire_sources(run, settings.source, None)
    renamed = DATASET.replace('column = "label"', 'column = "label"\nrename = { "f\\nar" = "far" }')
    (folder / "dataset.toml").write_text(renamed)
    acquire_sources(replace(run, run_id="r2"), preset("folder", folder).source, None)
