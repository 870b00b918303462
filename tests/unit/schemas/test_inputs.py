"""What a run takes in: the limits of every field, and the two kinds of source."""

import pytest
from pydantic import TypeAdapter, ValidationError

from schemas.dataset import DatasetSpec
from schemas.inputs import ArchiveSource, FolderSource, ReplicaSky, Sample, Source, is_synthetic
from schemas.mapping import load_preset, preset_names

EITHER = TypeAdapter(Source)


@pytest.mark.parametrize("field, wrong", [
    ("min_score", 1.1), ("min_score", -0.1), ("tile_order", 13), ("n_range", 0), ("n_range", 3073),
    ("cones", ((1.0, 2.0),)), ("random_index", (1,)), ("stars", ()),
])  # fmt: skip
def test_a_sample_refuses_what_cannot_be(field, wrong):
    with pytest.raises(ValidationError, match=field):
        Sample(**{field: wrong})


@pytest.mark.parametrize("field, wrong", [("n_objects", 99), ("seed", -1)])
def test_a_sky_refuses_what_cannot_be(field, wrong):
    with pytest.raises(ValidationError, match=field):
        ReplicaSky(**{field: wrong})


def test_the_kind_tells_the_sources_apart():
    assert isinstance(EITHER.validate_python({"kind": "archives"}), ArchiveSource)
    folder = EITHER.validate_python({"kind": "folder", "folder": "x", "spec": load_preset("eros_br").model_dump()})
    assert isinstance(folder, FolderSource) and folder.spec == load_preset("eros_br")
    with pytest.raises(ValidationError, match="kind"):
        EITHER.validate_python({"kind": "tape"})


@pytest.mark.parametrize("source", [ArchiveSource(), ArchiveSource(sample=Sample(tables=("vari_rrlyrae",)), bulk=True)])
def test_a_source_survives_a_manifest(source):
    assert EITHER.validate_json(source.model_dump_json()) == source


def test_a_source_is_frozen_and_describes_every_field():
    with pytest.raises(ValidationError, match="frozen"):
        ArchiveSource().bulk = True
    for model in (ArchiveSource, FolderSource, Sample, ReplicaSky):
        assert all(field.description for field in model.model_fields.values()), model


@pytest.mark.parametrize("name", preset_names())
def test_a_folder_has_what_its_mapping_says(tmp_path, name):
    spec = load_preset(name)
    source = FolderSource(folder=tmp_path, spec=spec)
    assert source.has_time == (spec.kind == "time") and source.has_errors == spec.has_errors
    assert source.errors_by_band


def test_archives_have_times_and_errors():
    assert ArchiveSource().has_time and ArchiveSource().has_errors and not ArchiveSource().errors_by_band


def test_a_replica_serves_a_synthetic_sky_and_a_folder_says_so_itself(tmp_path):
    assert ArchiveSource().is_synthetic and not ArchiveSource(endpoint="live").is_synthetic
    spec = DatasetSpec(name="mine", bands=({"name": "V"},))
    observed = FolderSource(folder=tmp_path, spec=spec)
    simulated = FolderSource(folder=tmp_path, spec=spec.model_copy(update={"is_synthetic": True}))
    assert simulated.is_synthetic and not observed.is_synthetic
    assert "is_synthetic" not in spec.model_dump_json()  # the mark of a folder that does not say it stays what it was


def test_a_manifest_tells_the_sky_in_plain_values(tmp_path):
    folder = FolderSource(folder=tmp_path, spec=DatasetSpec(name="mine", bands=({"name": "V"},), is_synthetic=True))
    for source in (ArchiveSource(), ArchiveSource(endpoint="live"), folder):
        assert is_synthetic(source.model_dump(mode="json")) == source.is_synthetic
    assert not is_synthetic({})
