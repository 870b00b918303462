"""A new quantity is one line in QUANTITIES: every place that names it asks there. A folder's own goes the same way."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lakehouse.delta.store import Lake
from lakehouse.quantities import OWN, quantity_rows, read_quantity
from schemas import quantities
from schemas.mapping import load_spec
from schemas.quantities import Quantity
from tasks.folder.local import read_objects
from tasks.learning.calibration import ConformalInterval
from tasks.learning.targets import Regression, target_from_json
from tasks.reporting.data import HeldOutQuantity
from tasks.reporting.figures.quantities import quantity_figure
from tasks.reporting.notation import target_label, unit_of

LINE = Quantity("vrot_kms", "Rotation velocity", "$v_r$", "km.s**-1", "phys.veloc.rotat", (0.1, 900), True, "km/s")
TOML = """
name = "toy"
[[parameters]]
quantity = "vrot_kms"
column = "v"
{}
"""


@pytest.fixture
def added(monkeypatch):
    """The new line."""
    monkeypatch.setitem(quantities.QUANTITIES, LINE.name, LINE)


def folder_of(tmp_path, more=""):
    """A folder with three values of the quantity, of which one is a sentinel."""
    curves = {"object_id": ["a", "b", "c"], "mjd": [1.0, 2.0, 3.0], "mag": [1.0, 2.0, 3.0]}
    pq.write_table(pa.table(curves), tmp_path / "lightcurves.parquet")
    pq.write_table(pa.table({"object_id": ["a", "b", "c"], "v": [3.0, -999.0, 40.0]}), tmp_path / "objects.parquet")
    (tmp_path / "dataset.toml").write_text(TOML.format(more))
    return tmp_path


def catalogue(target):
    """Columns of the catalogue of a target, by name, after the target was on a model's card."""
    calibration = ConformalInterval.fit(np.zeros(50), np.linspace(-1, 1, 50), np.ones(50), 0.68)
    return {column.name: column for column in target_from_json(target.to_json()).columns(calibration)}


def test_its_range_refuses_what_cannot_be(added, tmp_path):
    folder = folder_of(tmp_path)
    objects = read_objects(folder, load_spec(folder))
    assert objects.parameter_labels["value"].to_pylist() == [3.0, 40.0]
    assert [(row["column"], row["check"], row["value"]) for row in objects.rejected.to_pylist()] == [
        ("v", "range", "-999")
    ]


def test_the_catalogue_has_its_unit_and_ucd(added, tmp_path):
    lake = Lake(tmp_path / "lake", create=True)
    target = Regression.of(read_quantity(lake, "toy", "vrot_kms"))
    columns = catalogue(target)
    assert {name: (c.unit, c.ucd) for name, c in columns.items()} == {
        "vrot_kms": ("km.s**-1", "phys.veloc.rotat"),
        "vrot_kms_lo": ("km.s**-1", "phys.veloc.rotat;stat.min"),
        "vrot_kms_hi": ("km.s**-1", "phys.veloc.rotat;stat.max"),
        "vrot_kms_lo95": ("km.s**-1", "phys.veloc.rotat;stat.min"),
        "vrot_kms_hi95": ("km.s**-1", "phys.veloc.rotat;stat.max"),
    }
    assert target.is_log and target.is_usable(np.array([1.0, 0.0, np.nan])).tolist() == [True, False, False]


def test_the_report_has_its_words(added):
    assert (target_label("vrot_kms"), unit_of("vrot_kms")) == ("Rotation velocity", "km/s")
    y = np.linspace(1, 9, 40)
    drawing = quantity_figure(HeldOutQuantity("vrot_kms", "km/s", y, y + 0.1, y - 1, y + 1, 0.68))
    assert "Rotation velocity" in drawing.caption


def test_before_the_line_it_has_none_of_these(tmp_path):
    folder = folder_of(tmp_path)
    objects = read_objects(folder, load_spec(folder))
    assert objects.parameter_labels["value"].to_pylist() == [3.0, -999.0, 40.0]
    assert (target_label("vrot_kms"), unit_of("vrot_kms")) == ("Vrot kms", "")
    assert {column.unit for column in catalogue(Regression.of(quantities.quantity("vrot_kms"))).values()} == {""}


def test_a_folder_describes_a_quantity_of_its_own_as_far_as_the_catalogue(tmp_path):
    more = 'unit = "km.s**-1"\nucd = "phys.veloc.rotat"\nis_log = true'
    spec = load_spec(folder_of(tmp_path, more))
    lake = Lake(tmp_path / "lake", create=True)
    lake.overwrite("r1", OWN, quantity_rows("toy", spec.own_quantities), {"dataset": "toy"}, stage="acquire")
    target = Regression.of(read_quantity(lake, "toy", "vrot_kms"))
    column = catalogue(target)["vrot_kms"]
    assert (column.unit, column.ucd, target.is_log) == ("km.s**-1", "phys.veloc.rotat", True)
    assert target.about.shown_unit == "km.s**-1"
