"""Cleaning: each object of a survey is cut by itself, then those of one star become one light curve."""

import numpy as np
import pyarrow as pa

from tasks.lightcurves import flags
from tasks.lightcurves.batch import LightCurveBatch
from tasks.lightcurves.cuts import cut_by_survey
from tasks.surveys.cuts import CutConfig
from tasks.surveys.ztf import CATFLAGS

CUTS = CutConfig(has_error=True)
OUTLIER = CUTS.names.index("outlier")


def curve(start, level, source_id=1, survey="ztf", n=40, **changed):
    """A quiet row of raw_sample__epoch in one band, 0.01 mag of noise about `level`; `changed` epochs by number."""
    mag = level + 0.01 * np.random.default_rng(3).standard_normal(n)
    for epoch, value in changed.get("mag", {}).items():
        mag[epoch] = value
    return {"source_id": source_id, "survey": survey, "time": start + np.arange(n), "mag": mag,
            "mag_err": np.full(n, 0.01), "band": np.full(n, int(survey == "ps1")),
            "flags": changed.get("flags", np.zeros(n, int))}  # fmt: skip


def rows(*curves):
    lists = {"time": pa.float64(), "mag": pa.float32(), "mag_err": pa.float32(), "band": pa.int8(),
             "flags": pa.int32()}  # fmt: skip
    schema = pa.schema(
        [("source_id", pa.int64()), ("survey", pa.string()), *((k, pa.list_(v)) for k, v in lists.items())]
    )
    return pa.Table.from_pylist([{**c, **{k: c[k].tolist() for k in lists}} for c in curves], schema=schema)


def cut_curves(table, names, cuts):
    survey = table["survey"].combine_chunks().dictionary_encode().indices.to_numpy()
    return cut_by_survey(LightCurveBatch.from_arrow(table, names), survey, cuts)


def test_objects_with_different_zero_points_are_not_each_others_outliers():
    """The second object is 0.3 mag brighter: among all its epochs would be far out, in itself none is."""
    many, few = curve(0.0, 17.0, n=80), curve(0.5, 16.7, n=12)
    kept, removed, first = cut_curves(rows(many, few), ("g",), CUTS)
    assert kept.n_epoch.tolist() == [92] and removed.sum() == 0 and first.tolist() == [0]
    assert (np.diff(kept.time) > 0).all()


def test_an_outlier_of_one_object_that_another_would_hide_goes():
    """17.3 mag among epochs of 17.0 is far out, although the star's other object lies at 17.3."""
    spoilt, other = curve(0.0, 17.0, mag={5: 17.3}), curve(0.5, 17.3)
    kept, removed, _ = cut_curves(rows(spoilt, other), ("g",), CUTS)
    assert removed[:, OUTLIER].tolist() == [1] and kept.n_epoch.tolist() == [79]
    assert 5.0 not in kept.time


def test_the_ledger_counts_by_source_and_survey_over_its_objects():
    flagged = np.zeros(40, int)
    flagged[:3] = CATFLAGS.bit | flags.BAD_QUALITY
    table = rows(curve(0.0, 17.0, flags=flagged), curve(0.5, 17.1, flags=flagged), curve(0.0, 17.0, survey="ps1"),
                 curve(0.0, 17.0, source_id=2, flags=flagged))  # fmt: skip
    kept, removed, first = cut_curves(table, ("g_ztf", "g_ps1"), CUTS)
    assert removed[:, CUTS.names.index("catflags")].tolist() == [6, 0, 3] and removed.sum() == 9
    assert (
        kept.source_id.tolist() == [1, 1, 2] and kept.n_epoch.tolist() == [74, 40, 37] and first.tolist() == [0, 2, 3]
    )


def test_an_epoch_that_two_objects_hold_stays_once():
    kept, removed, _ = cut_curves(rows(curve(0.0, 17.0), curve(0.0, 17.0)), ("g",), CUTS)
    assert kept.n_epoch.tolist() == [40] and removed[:, CUTS.names.index("duplicate_time")].tolist() == [40]


def test_no_rows_give_no_curves():
    kept, removed, first = cut_curves(rows(), ("g",), CUTS)
    assert len(kept) == 0 and removed.shape == (0, len(CUTS.names)) and first.size == 0
