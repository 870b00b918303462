"""The table of objects: ids, positions, labels, and mean photometry where there are no light curves."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas import BadInput
from schemas.dataset import DatasetSpec
from schemas.dataset_nodes import Parameter
from schemas.errors import Guard, Problems
from schemas.quantities import quantity
from schemas.rejections import REJECTED, join_reports, number_repeats, reject
from schemas.values import NOTHING
from tasks.folder.checks import as_text
from tasks.folder.columns import as_floats, check_schema, read_columns, require_id, require_number
from tasks.folder.derived import open_objects
from tasks.folder.folds import FOLDS, read_folds
from tasks.folder.inputs import input_roles, read_inputs
from tasks.folder.means import read_means

MAX_DUPLICATES = 0.5  # share of repeated ids above which the id column must be the wrong one

CLASS_LABELS = pa.schema([("object_id", pa.string()), ("origin", pa.string()), ("class", pa.string())])
PARAMETER_LABELS = pa.schema([
    ("object_id", pa.string()), ("origin", pa.string()), ("quantity", pa.string()),
    ("value", pa.float64()), ("err", pa.float64()), ("is_photometric", pa.bool_()),
])  # fmt: skip


@dataclass(frozen=True)
class Objects:
    """What a folder says about its objects.

    table: object_id, ra, dec (deg, null without a position), in the order of the file, each object once.
    class_labels: object_id, origin, class. parameter_labels: object_id, origin, quantity, value, err, is_photometric.
    inputs: object_id and each declared value of a catalogue, null where there is none.
    folds: object_id and fold of the objects that were published in one.
    photometry: object_id, band, mag, mag_err (null: none quoted), or None for a folder of light curves.
    rejected: refused rows (see schemas.rejections.REJECTED); notes: sentences about what is odd but no error.
    """

    table: pa.Table
    class_labels: pa.Table
    parameter_labels: pa.Table
    inputs: pa.Table
    folds: pa.Table
    photometry: pa.Table | None
    rejected: pa.Table
    notes: list[str]


def read_objects(
    folder: Path | str, spec: DatasetSpec, need_labels: bool = True, guard: Guard = nullcontext
) -> Objects:
    """Objects of `folder`, read as `spec` says. Without `need_labels` no label is touched.

    A second row of an object, a position outside the sky and an impossible value go to `rejected`, and the rest of
    the row stays. Raises BadInput for a missing file or column, for no rows, and where most ids are repeated; for
    columns that are missing or of a wrong type each inside `guard`.
    """
    file = open_objects(Path(folder), spec)
    words, numbers = _choose_columns(file, spec, need_labels, guard)
    raw = read_columns(file, ids={"objects.id": spec.objects.id}, words=words, numbers=numbers, guard=guard)
    raw, refused = _with_unique_ids(raw, file, spec)
    ids = raw["objects.id"].combine_chunks()
    notes = []
    if spec.objects.ra and "objects.ra" not in numbers:
        notes.append(f"{file.name} lacks {spec.objects.ra} or {spec.objects.dec}: its objects have no position.")
    table, outside = _positions(raw, ids, file.name)
    inputs, impossible_inputs = read_inputs(raw, ids, spec, file.name)
    refused += [outside, *impossible_inputs]
    classes, parameters, folds = CLASS_LABELS.empty_table(), PARAMETER_LABELS.empty_table(), FOLDS.empty_table()
    if need_labels:
        folds = read_folds(raw, ids, file.name) if spec.objects.fold else folds
        classes = _classes(raw, ids, spec)
        parameters, impossible = _parameters(raw, ids, spec, file.name)
        refused += impossible
    photometry = None
    if not spec.has_light_curves:
        photometry, unusable, empty = read_means(raw, ids, spec, file.name)
        refused += unusable
        notes += empty
    return Objects(table, classes, parameters, inputs, folds, photometry, join_reports(*refused), notes)


def read_ids(folder: Path | str, spec: DatasetSpec) -> pa.Array:
    """Every object id of the table of objects as text, null where it is missing, repetitions included."""
    file = open_objects(Path(folder), spec)
    return read_columns(file, ids={"objects.id": spec.objects.id})["objects.id"].combine_chunks()


def _choose_columns(
    file: Path, spec: DatasetSpec, need_labels: bool, guard: Guard
) -> tuple[dict[str, str], dict[str, str]]:
    """The columns of words and of numbers by role (a path in the mapping, so that an error can name it).

    Checks their types, and that of the id.
    """
    wanted = {"objects.id": spec.objects.id}
    words: dict[str, str] = {}
    number: dict[str, str] = {}
    if spec.objects.ra and spec.objects.dec:
        number |= {"objects.ra": spec.objects.ra, "objects.dec": spec.objects.dec}
    # A folder that is only scored needs no position; one that trains must not lose it to a misspelt name.
    if not need_labels and not set(number.values()) <= set(check_schema(file, wanted).names):
        number = {}
    number |= input_roles(spec)
    if not spec.has_light_curves:
        number |= {
            f"bands.{b.name}.{key}": name
            for b in spec.bands
            for key, name in (("mag", b.mag), ("mag_err", b.mag_err))
            if name
        }
    if need_labels:
        number |= {"objects.fold": spec.objects.fold} if spec.objects.fold else {}
        number |= {
            f"{p.quantity} of {p.origin}.{key}": name
            for p in (*spec.parameters, *spec.references)
            for key, name in (("column", p.column), ("err", p.err))
            if name
        }
        words = {"label.column": spec.label.column} if spec.label else {}
    schema = check_schema(file, wanted | words | number, guard)
    wrong = Problems()
    with wrong.collect():
        require_id(schema.field(spec.objects.id).type, f"{file}: column {spec.objects.id!r}")
    for name in number.values():
        with wrong.collect():
            require_number(schema.field(name).type, f"{file}: column {name!r}")
    wrong.raise_each(guard)
    return words, number


def _with_unique_ids(raw: pa.Table, file: Path, spec: DatasetSpec) -> tuple[pa.Table, list[pa.Table]]:
    """Rows that name an object for the first time, and reports of the others."""
    if raw.num_rows == 0:
        raise BadInput(f"{file} has no rows: there is no object to read.")
    ids = raw["objects.id"].combine_chunks()
    named = ids.is_valid().to_numpy(zero_copy_only=False)
    code = pc.fill_null(ids.dictionary_encode().indices, -1).to_numpy(zero_copy_only=False)
    _, first = np.unique(code, return_index=True)
    is_first = np.zeros(len(ids), bool)
    is_first[first] = True
    repeated = named & ~is_first
    if repeated.sum() > MAX_DUPLICATES * len(ids) or not named.any():
        raise BadInput(
            f"{file}: {repeated.sum():,} of {len(ids):,} rows repeat an id in column {spec.objects.id!r} "
            f"and {np.count_nonzero(~named):,} have none: it cannot be the object id, set objects.id."
        )
    column, row = spec.objects.id, pa.array(np.flatnonzero(~named))
    missing = ids.filter(pa.array(~named))
    return raw.filter(pa.array(named & is_first)), [
        reject(file.name, missing, column, "null_id", missing, pc.binary_join_element_wise("row", as_text(row), " ")),
        _duplicates(file.name, ids.filter(pa.array(repeated)), column),
    ]


def _duplicates(table: str, ids: pa.Array, column: str) -> pa.Table:
    return reject(table, ids, column, "duplicate", ids, number_repeats(ids))


def _positions(raw: pa.Table, ids: pa.Array, table: str) -> tuple[pa.Table, pa.Table]:
    """The ids with their positions (deg); one that is outside the sky, or is half given, becomes null.

    Right ascensions from -180 to 0, and 360, are those of the circle from 0 on.
    """
    if "objects.ra" not in raw.column_names:
        nothing = pa.nulls(len(ids), pa.float64())
        return pa.table({"object_id": ids, "ra": nothing, "dec": nothing}), REJECTED.empty_table()
    ra, dec = as_floats(raw["objects.ra"]), as_floats(raw["objects.dec"])
    good = (ra >= -180) & (ra <= 360) & (np.abs(dec) <= 90)
    bad = ~good & ~(np.isnan(ra) & np.isnan(dec))
    value = pc.binary_join_element_wise(as_text(ra[bad]), as_text(dec[bad]), " ")
    refused = reject(table, ids.filter(pa.array(bad)), "ra dec", "range", value)
    ra = np.mod(np.mod(ra, 360.0), 360.0)  # twice: a little less than 0 gives 360 first
    return pa.table({"object_id": ids, "ra": pa.array(ra, mask=~good), "dec": pa.array(dec, mask=~good)}), refused


def _classes(raw: pa.Table, ids: pa.Array, spec: DatasetSpec) -> pa.Table:
    """Labels of the objects that have one: null and words that say nothing are none, unless `rename` names them."""
    if spec.label is None:
        return CLASS_LABELS.empty_table()
    label = raw["label.column"].combine_chunks()
    says_nothing = pc.is_in(pc.utf8_lower(label), pa.array(NOTHING, pa.string()))
    found = pc.index_in(label, pa.array(list(spec.label.rename), pa.string()))
    label = pc.coalesce(pa.array(list(spec.label.rename.values()), pa.string()).take(found), label)
    has_one = pc.and_(label.is_valid(), pc.or_(pc.invert(says_nothing), found.is_valid()))
    label, ids = label.filter(has_one), ids.filter(has_one)
    return pa.table([ids, pa.repeat(pa.scalar(spec.label.origin), len(ids)), label], schema=CLASS_LABELS)


def _parameters(raw: pa.Table, ids: pa.Array, spec: DatasetSpec, table: str) -> tuple[pa.Table, list[pa.Table]]:
    """Published quantities, one row per value, parameters before references; and reports of the impossible ones."""
    labels, refused = [PARAMETER_LABELS.empty_table()], []
    for parameter in (*spec.parameters, *spec.references):
        found, bad = _parameter(raw, ids, parameter, table)
        labels.append(found)
        refused += bad
    return pa.concat_tables(labels).combine_chunks(), refused


def _parameter(raw: pa.Table, ids: pa.Array, published: Parameter, table: str) -> tuple[pa.Table, list[pa.Table]]:
    role = f"{published.quantity} of {published.origin}"
    value = as_floats(raw[f"{role}.column"])
    err = as_floats(raw[f"{role}.err"]) if published.err else np.full(value.size, np.nan)
    outside = quantity(published.quantity).is_outside(value) | np.isinf(value)
    negative = ~np.isnan(value) & ~outside & ((err <= 0) | np.isinf(err))
    good = ~np.isnan(value) & ~outside & ~negative
    refused = [
        reject(table, ids.filter(pa.array(outside)), published.column, "range", as_text(value[outside])),
        reject(table, ids.filter(pa.array(negative)), published.err or "", "positive", as_text(err[negative])),
    ]
    n = int(good.sum())
    columns = [
        ids.filter(pa.array(good)),
        pa.repeat(pa.scalar(published.origin), n),
        pa.repeat(pa.scalar(published.quantity), n),
        pa.array(value[good]),
        pa.array(err[good], mask=np.isnan(err[good])),
        pa.repeat(pa.scalar(published.is_photometric), n),
    ]
    return pa.table(columns, schema=PARAMETER_LABELS), refused
