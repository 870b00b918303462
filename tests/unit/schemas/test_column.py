"""A column: its Arrow field, its families, its sources; a table: its path, its families, its Arrow schema."""

from dataclasses import replace

import pyarrow as pa
import pytest

from schemas import TABLES, Column
from schemas.errors import nearest

EVERY = [(spec, column) for spec in TABLES.values() for column in spec.columns]
every_table = pytest.mark.parametrize("spec", TABLES.values(), ids=TABLES)
MASS = Column("mass", pa.float64(), "Mass.", "solMass", "phys.mass", True, (0, 150), ("core_tic__source.tmag",))


def test_a_field_carries_unit_ucd_and_meaning():
    field = MASS.field()
    assert (field.name, field.type, field.nullable) == ("mass", pa.float64(), True)
    assert field.metadata == {b"unit": b"solMass", b"ucd": b"phys.mass", b"description": b"Mass."}


def test_another_name_changes_nothing_else():
    other = MASS.rename("mass_b", "Mass of the second.")
    assert other == replace(MASS, name="mass_b", doc="Mass of the second.")
    assert MASS.rename("mass_b").doc == "Mass."


def test_a_column_shares_a_source_where_one_value_is_the_same():
    assert MASS.shares_source(["core_gaia__source.ruwe", "core_tic__source.tmag"])
    assert not MASS.shares_source(["core_gaia__source.tmag", "tmag"])
    assert not MASS.shares_source([])
    assert not replace(MASS, derived_from=()).shares_source(["core_tic__source.tmag"])


@pytest.mark.parametrize("name, is_family", [("prob_{class}", True), ("{quantity}_lo", True), ("mag", False)])
def test_a_name_with_a_placeholder_is_a_family(name, is_family):
    assert replace(MASS, name=name).is_family is is_family


@pytest.mark.parametrize(
    "kind, is_list",
    [(pa.list_(pa.float64()), True), (pa.large_list(pa.int8()), True), (pa.float64(), False), (pa.string(), False)],
)
def test_ragged_columns_are_lists(kind, is_list):
    assert replace(MASS, type=kind).is_list is is_list


@pytest.mark.parametrize("spec, column", EVERY, ids=[f"{spec.name}-{column.name}" for spec, column in EVERY])
def test_declarations_agree_with_themselves(spec, column):
    low, high = column.range or (None, None)
    assert low is None or high is None or low < high
    assert column.range is None or not (pa.types.is_string(column.type) or pa.types.is_boolean(column.type))
    # A survey may have no object of its own, and a lost star no successor.
    may_be_null = column.name == "objid" or spec.name == "assn_sample__successor"
    assert column.name not in spec.key or not column.nullable or may_be_null
    if not column.is_family:
        assert spec.path_of(column.name) == f"{spec.name}.{column.name}"


@every_table
def test_suffixes_of_names_say_what_the_unit_is(spec):
    units = {"_day": "d", "_arcsec": "arcsec", "_pc": "pc", "_k": "K", "_rsun": "solRad", "_nm": "nm", "_mag": "mag"}
    for column in spec.columns:
        for suffix, unit in units.items():
            assert not column.name.endswith(suffix) or column.unit == unit, column.name


@every_table
def test_columns_have_names_of_their_own(spec):
    assert len(spec.columns_by_name) == len(spec.columns)


@every_table
def test_the_arrow_schema_has_the_concrete_columns_in_order(spec):
    schema = spec.arrow()
    assert schema.names == [column.name for column in spec.columns if not column.is_family]
    assert schema.metadata[b"table"].decode() == spec.name and schema.metadata[b"version"].decode() == str(spec.version)
    assert spec.empty().num_rows == 0 and spec.empty().schema.equals(schema, check_metadata=True)


@every_table
def test_a_path_needs_a_column(spec):
    with pytest.raises(KeyError):
        spec.path_of("no_such_column")


def test_a_family_takes_every_name_that_fits_and_loses_its_template():
    spec = TABLES["feature_sample__source"]
    bound = spec.bind([MASS, MASS.rename("two words")])
    assert bound.columns[-2:] == (MASS, MASS.rename("two words")) and not bound.families
    assert bound.arrow().names[-2:] == ["mass", "two words"]
    assert spec.families, "binding changed the declaration itself"


@pytest.mark.parametrize("name, hint", [
    ("teff", " Did you mean 'teff_k'?"), ("TEFF_K", " Did you mean 'teff_k'?"), ("xyz", ""), ("", ""),
])  # fmt: skip
def test_the_nearest_name_is_offered_where_one_is_near(name, hint):
    assert nearest(name, ("teff_k", "radius_rsun")) == hint
