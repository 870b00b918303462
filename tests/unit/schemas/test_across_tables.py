"""What the tables say together: a name means one thing, the tables that belong together can be joined."""

import itertools
from collections import defaultdict

import pyarrow as pa
import pytest

from schemas import DATASET, SOURCE_ID, TABLES, TILE
from schemas.quantities import QUANTITIES
from schemas.tables.catalogue import find_collision

PREFIXES = ("raw", "core", "assn", "feature", "label", "score", "run", "out")
# A band is a code in the tables of epochs and a name where people read it; an answer is known by a longer hash.
SEVERAL_TYPES = {"band", "value", "content_hash"}
every_table = pytest.mark.parametrize("spec", TABLES.values(), ids=TABLES)
by_name = defaultdict(list)
for _spec, _column in ((spec, column) for spec in TABLES.values() for column in spec.columns):
    by_name[_column.name].append((_spec.name, _column))
shared = {name: columns for name, columns in by_name.items() if len(columns) > 1 and name not in SEVERAL_TYPES}


@pytest.mark.parametrize("name", shared)
def test_a_name_has_one_type_and_one_unit_in_all_tables(name):
    columns = [column for table, column in shared[name] if not table.startswith("out__")]
    kinds = {(str(column.type.value_type if column.is_list else column.type), column.unit) for column in columns}
    assert len(kinds) == 1, shared[name]


@pytest.mark.parametrize("name", shared)
def test_the_catalogue_names_what_the_other_tables_hold(name):
    units = {column.unit for _, column in shared[name]}
    assert len(units) == 1, shared[name]


@every_table
def test_the_name_of_a_table_says_what_it_is(spec):
    kind, _, rest = spec.name.partition("_")
    assert kind in PREFIXES and "__" in spec.name and rest
    assert spec.name == spec.name.lower() and spec.version >= 1 and spec.doc.endswith(".")


@every_table
def test_tables_of_sources_lie_in_tiles_and_the_others_by_dataset_or_service(spec):
    if "source_id" in spec.key and SOURCE_ID in spec.columns:
        assert spec.partition == ("dataset", "tile")
        assert spec.columns[:3] == (DATASET, TILE, SOURCE_ID)
    else:  # what tells of two datasets lies by both
        assert "tile" not in spec.partition
        assert len(spec.partition) <= 1 or spec.partition == ("dataset", "earlier_dataset")


@every_table
def test_ids_are_whole_numbers_and_never_floats(spec):
    ids = [column for column in spec.columns if column.name.endswith(("_id", "objid", "oid")) or column.name == "tile"]
    assert all(pa.types.is_integer(c.type) or pa.types.is_string(c.type) for c in ids)


@every_table
def test_times_and_coordinates_are_doubles(spec):
    for column in spec.columns:
        kind = column.type.value_type if column.is_list else column.type
        if column.name in ("ra", "dec", "time", "ref_epoch") or column.name == "period_day":
            assert kind == pa.float64(), column.name


@every_table
def test_an_error_has_the_unit_of_its_value_and_is_not_negative(spec):
    columns = spec.columns_by_name
    for value, error in itertools.product(columns, columns):
        if error in (f"{value}_error", f"{value}_err"):
            assert columns[error].unit == columns[value].unit and "stat.error" in columns[error].ucd
            assert columns[error].is_list or columns[error].range[0] == 0


@every_table
def test_yes_and_no_are_called_so(spec):
    for column in spec.columns:
        assert pa.types.is_boolean(column.type) == column.name.startswith(("is_", "has_")), column.name


@pytest.mark.parametrize("name", [name for name in QUANTITIES if name in by_name])
def test_a_quantity_is_the_same_in_every_table(name):
    for table, column in by_name[name]:
        assert (column.unit, column.ucd) == (QUANTITIES[name].unit, QUANTITIES[name].ucd), table


def test_every_quantity_that_is_a_column_somewhere_is_found():
    assert {"teff_k", "radius_rsun", "feh_dex", "period_day"} <= set(QUANTITIES) & set(by_name)


@pytest.mark.parametrize("name", ["ra", "period_day", "run_id", "source_id", "class", "fold", "prob_rrab", "model_id"])
def test_a_quantity_that_would_share_a_column_is_found(name):
    assert find_collision(["teff_k", name]) == name


def test_quantities_that_share_columns_with_each_other_are_found():
    assert find_collision(["age", "age_lo"]) == "age_lo" and find_collision(["age_hi", "age"]) == "age"
    assert find_collision(["teff_k", "teff_k"]) == "teff_k"


def test_every_other_quantity_can_be_learnt():
    assert find_collision(name for name in QUANTITIES if name != "period_day") is None
    assert find_collision(["age", "amplitude", "colour_excess"]) is None
