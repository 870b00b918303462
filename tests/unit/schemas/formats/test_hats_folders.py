"""A folder of HATS is the table of its catalogue, without the margin and the index that lie beside it."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.formats.files import list_files


def write(folder, kind, name="hats.properties"):
    """A catalogue of one part, with the list, the map and the thumbnail that HATS writes beside it."""
    part = folder / "dataset" / "Norder=0" / "Dir=0" / "Npix=1.parquet"
    part.parent.mkdir(parents=True)
    pq.write_table(pa.table({"objectid": [1]}), part)
    pq.write_table(pa.table({"objectid": [1]}), folder / "dataset" / "data_thumbnail.parquet")
    (folder / "partition_info.csv").write_text("Norder,Npix\n0,1\n")
    (folder / "point_map.fits").write_bytes(b"SIMPLE")
    (folder / name).write_text(f"#HATS catalog\nobs_collection=x\ndataproduct_type = {kind}\nhats_nrows=1\n")
    return part


@pytest.mark.parametrize("name", ["hats.properties", "properties"])
@pytest.mark.parametrize("kind", ["margin", "index", "association"])
def test_what_lies_beside_a_catalogue_is_left_out(tmp_path, kind, name):
    part = write(tmp_path / "ztf", "object", name)
    write(tmp_path / "ztf_10arcs", kind, name)
    assert list_files(tmp_path) == [part]


def test_a_catalogue_that_is_named_itself_is_read_whatever_it_is(tmp_path):
    assert list_files(tmp_path / "margin") == [tmp_path / "margin"]
    part = write(tmp_path / "margin", "margin")
    assert list_files(tmp_path / "margin") == [part]
