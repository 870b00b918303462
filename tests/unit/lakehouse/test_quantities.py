"""The quantities of a dataset as the lake holds them."""

from lakehouse.quantities import OWN, quantity_rows, read_quantity
from schemas.quantities import QUANTITIES, Quantity, quantity

SPIN = Quantity("spin_deg", "spin deg", unit="deg", ucd="pos.posAng", is_log=True, doc="Angle of the spin.")


def test_a_lake_without_the_table_knows_the_declared_quantities_alone(lake):
    assert read_quantity(lake, "own", "teff_k") is QUANTITIES["teff_k"]
    assert read_quantity(lake, "own", "spin_deg") == quantity("spin_deg") and quantity("spin_deg").unit == ""


def test_what_a_dataset_describes_comes_back_for_this_dataset_alone(lake):
    lake.overwrite("r1", OWN, quantity_rows("own", (SPIN,)), {"dataset": "own"}, stage="acquire")
    assert read_quantity(lake, "own", "spin_deg") == SPIN
    assert read_quantity(lake, "other", "spin_deg").unit == ""
    assert read_quantity(lake, "own", "another").unit == ""


def test_a_dataset_cannot_change_what_is_declared(lake):
    lake.overwrite(
        "r1", OWN, quantity_rows("own", (Quantity("teff_k", "T", unit="eV"),)), {"dataset": "own"}, stage="a"
    )
    assert read_quantity(lake, "own", "teff_k").unit == "K"


def test_what_is_described_no_longer_is_forgotten(lake):
    for own in ((SPIN,), ()):
        lake.overwrite("r1", OWN, quantity_rows("own", own), {"dataset": "own"}, stage="acquire")
    assert read_quantity(lake, "own", "spin_deg") == quantity("spin_deg")
