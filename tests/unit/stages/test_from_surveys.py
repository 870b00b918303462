"""Results of several surveys become whole sources: every epoch once, by time, with the object it belongs to."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from schemas import BadInput
from schemas.dataset_nodes import Band
from tasks.lightcurves.batch import LightCurveBatch
from tasks.lightcurves.cuts import cut_by_survey
from tasks.stages.acquire.surveys import _advice, _configure, _join_results, _keep_labelled
from tasks.stages.rows import epoch_rows
from tasks.surveys import SURVEYS as SURVEYS_OF_ALL
from tasks.surveys.cuts import CutConfig
from tasks.surveys.gaia import neighbours_uri, release_of
from tasks.surveys.survey import (
    CLASS_LABELS,
    PARAMETER_LABELS,
    REJECTED,
    SOURCES,
    Curves,
    SampleChunk,
    Survey,
    SurveyResult,
)

IDS = [10, 20, 30, 40]
BANDS = (Band(name="G", survey="gaia"), Band(name="r", survey="ztf"), Band(name="g", survey="ztf"))
SURVEYS = (Survey("gaia", lambda *_: SurveyResult(), BANDS[:1]), Survey("ztf", lambda *_: SurveyResult(), BANDS[1:]),
           Survey("tic", lambda *_: SurveyResult()))  # fmt: skip


def curves(source_id, objid, times, band, names) -> Curves:
    offsets = np.cumsum([0, *map(len, times)])
    flat = np.concatenate([np.asarray(t, float) for t in times])
    code = np.concatenate([np.full(len(t), b) for t, b in zip(times, band, strict=True)]).astype(np.int8)
    batch = LightCurveBatch(np.array(source_id), offsets, flat, flat.astype(np.float32), np.full(flat.size, 0.1),
                            code, np.zeros(flat.size), names)  # fmt: skip
    return Curves(batch, np.array(objid, np.int64))


GAIA = SurveyResult(curves([10, 30], [10, 30], [[3.0, 1.0], [2.0]], [0, 0], ("G",)))
# Source 10 has two objects in ZTF, in two fields; 20 has one; 40 has none anywhere.
ZTF = SurveyResult(curves([20, 10, 10], [7, 9, 8], [[5.0, 4.0], [2.5, 0.5], [2.0]], [1, 1, 0], ("r", "g")))


@pytest.fixture
def chunk():
    sources = pa.table({**{f.name: pa.nulls(4, f.type) for f in SOURCES}, "source_id": pa.array(IDS, pa.int64()),
                        "ra": [1.0, 2.0, 3.0, 4.0], "dec": [0.0] * 4}).cast(SOURCES)  # fmt: skip
    labels = pa.table({"source_id": [10, 40], "origin": ["x", "x"], "class": ["A", "B"], "score": [0.5, 0.5],
                       "is_photometric": [True, True]}).cast(CLASS_LABELS)  # fmt: skip
    field = SampleChunk(sources, labels, PARAMETER_LABELS.empty_table(), REJECTED.empty_table())
    return _join_results(field, [GAIA, ZTF, SurveyResult()], SURVEYS)


def test_every_epoch_arrives_once_by_time_with_its_object(chunk):
    batch = chunk.epochs
    assert batch.source_id.tolist() == [10, 20, 30] == chunk.sources["source_id"].to_pylist()
    assert batch.bands == ("G", "r", "g")
    assert batch.time.tolist() == [0.5, 1.0, 2.0, 2.5, 3.0, 4.0, 5.0, 2.0]
    assert [batch.bands[code] for code in batch.band] == ["g", "G", "r", "g", "G", "g", "g", "G"]
    assert chunk.objid.tolist() == [9, 10, 8, 9, 10, 7, 7, 30]


def test_a_source_without_an_epoch_is_set_aside_with_the_reason(chunk):
    assert chunk.rejected.select(["object_id", "column", "check"]).to_pylist() == [
        {"object_id": "40", "column": "n_epoch", "check": "no_epoch"}
    ]
    assert all(40 not in rows["source_id"].to_pylist() for rows in chunk.beside.values())
    assert chunk.beside["label_sample__class"]["source_id"].to_pylist() == [10]


def test_the_lake_keeps_objects_apart_and_cleaning_joins_them(chunk):
    new = np.array([True, True, False])
    sources = pa.table({"dataset": ["d"] * 3, "tile": pa.array([0, 1, 2], pa.int32()),
                        "source_id": chunk.sources["source_id"], "content_hash": [1, 2, 3]})  # fmt: skip
    rows = epoch_rows(chunk.epochs, chunk.objid, [band.survey for band in BANDS], sources, new)
    assert [(r["source_id"], r["survey"], r["objid"], r["time"]) for r in rows.to_pylist()] == [
        (10, "gaia", 10, [1.0, 3.0]), (10, "ztf", 8, [2.0]), (10, "ztf", 9, [0.5, 2.5]), (20, "ztf", 7, [4.0, 5.0]),
    ]  # fmt: skip
    assert rows["content_hash"].to_pylist() == [1, 1, 1, 2]
    survey = rows["survey"].combine_chunks().dictionary_encode().indices.to_numpy()
    batch = LightCurveBatch.from_arrow(rows, chunk.epochs.bands)
    joined, _, first = cut_by_survey(batch, survey, CutConfig(names=()))
    assert joined.source_id.tolist() == [10, 10, 20] and first.tolist() == [0, 1, 3]
    assert [joined.time[a:b].tolist() for a, b in zip(joined.offsets[:-1], joined.offsets[1:], strict=True)] == [
        [1.0, 3.0], [0.5, 2.0, 2.5], [4.0, 5.0]
    ]  # fmt: skip


def test_a_sample_by_label_keeps_those_sources_alone():
    labels = pa.table({"source_id": [10, 20], "origin": ["x", "x"], "class": ["A", "B"], "score": [0.5, 0.5],
                       "is_photometric": [True, True]}).cast(CLASS_LABELS)  # fmt: skip
    sources = pa.table({f.name: pa.array(IDS) if f.name == "source_id" else pa.nulls(4, f.type) for f in SOURCES})
    field = SampleChunk(sources, labels, PARAMETER_LABELS.empty_table(), REJECTED.empty_table())
    assert _keep_labelled(field, ()) is field
    kept = _keep_labelled(field, ["B", "C"])
    assert kept.sources["source_id"].to_pylist() == [20] == kept.class_labels["source_id"].to_pylist()


def test_an_unknown_survey_or_option_is_one_sentence():
    source = SimpleNamespace(options={"ztf": {"releese": "dr24"}}, bulk=False, endpoint="replica", offline=False)
    with pytest.raises(BadInput, match="no survey 'sdss'; there are gaia"):
        _configure("sdss", source)
    with pytest.raises(BadInput, match="The survey ztf has no option 'releese'; it has release"):
        _configure("ztf", source)


def test_bulk_is_one_setting_for_all_surveys_that_have_bulk_files():
    source = SimpleNamespace(options={}, bulk=True, endpoint="live", offline=False)
    assert all(_configure(name, source).options["route"] == "bulk" for name in ("gaia", "ps1", "ztf", "tic"))
    assert "route" not in _configure("truth", source).options


class TestBulkCatalogues:
    """A bulk route reads the catalogues of the archives asked, or those that the settings name."""

    @staticmethod
    def source(*assignments):
        from flows.presets import preset
        from flows.settings import override

        return override(preset("demo"), ("source.bulk=true", *assignments)).source

    def chosen(self, *assignments):
        return _configure("tic", self.source(*assignments)).options["hats"]

    def test_a_replica_never_stands_beside_real_catalogues(self):
        with pytest.raises(BadInput, match="serves no HATS catalogues"):
            self.chosen()
        assert self.chosen("source.options.tic.hats=/here/tic") == "/here/tic"
        assert self.chosen("source.endpoint=live").startswith("s3://")

    def test_neighbours_come_from_a_catalogue_where_gaia_goes_the_bulk_route_and_has_one(self):
        def uri(*assignments):
            options = _configure("gaia", self.source(*assignments)).options
            return neighbours_uri(options, release_of(options))

        assert uri("source.endpoint=live").startswith("s3://")
        assert uri() == "" == uri("source.bulk=false")
        here = "source.options.gaia.hats_source=/here/gaia"
        assert uri(here) == "/here/gaia"
        assert uri(here, "source.bulk=false") == ""


def test_many_sources_of_the_services_are_worth_a_word():
    ways = {"gaia": {"route": "service"}, "ps1": {"route": "bulk"}, "ztf": {"route": "service"}, "truth": {}}
    surveys = [replace(SURVEYS_OF_ALL[name], options=options) for name, options in ways.items()]
    (said,) = _advice(200_001, surveys)
    assert said.startswith("200,001 sources were asked of the services of gaia, ztf: ")
    assert "--set source.bulk=true" in said
    assert _advice(200_000, surveys) == [] == _advice(10**6, [surveys[1], surveys[3]])
