"""Laws of the ragged batch: what must hold for any light curves."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.lightcurves import LightCurveBatch, concatenate
from tasks.lightcurves.batch import DTYPES
from tests.laws.curve_strategies import batches, shuffled

LAW = settings(max_examples=30, deadline=None)


def same(first: LightCurveBatch, second: LightCurveBatch) -> bool:
    names = ("source_id", "offsets", *DTYPES)
    return first.bands == second.bands and all(
        np.array_equal(getattr(first, name), getattr(second, name), equal_nan=True) for name in names
    )


@LAW
@given(batches(), st.integers(0, 99))
def test_selecting_objects_then_inverting_gives_them_back(batch, seed):
    order = np.random.default_rng(seed).permutation(len(batch))
    assert same(batch.select(order).select(np.argsort(order)), batch)


@LAW
@given(batches())
def test_one_by_one_concatenated_is_the_batch(batch):
    assert same(concatenate([batch.select([i]) for i in range(len(batch))]), batch)
    assert same(concatenate([batch.select(slice(0, 1)), batch.select(slice(1, None))]), batch)


@LAW
@given(batches())
def test_arrow_and_back_is_the_identity(batch):
    assert same(LightCurveBatch.from_arrow(batch.to_arrow(), batch.bands), batch)


@LAW
@given(batches(), st.integers(0, 99))
def test_keep_and_its_complement_share_out_the_epochs(batch, seed):
    mask = np.random.default_rng(seed).random(batch.time.size) < 0.5
    kept, left = batch.keep(mask), batch.keep(~mask)
    assert np.array_equal(kept.n_epoch + left.n_epoch, batch.n_epoch)
    assert np.array_equal(kept.time, batch.time[mask])
    assert np.array_equal(kept.source_id, batch.source_id)


@LAW
@given(batches())
def test_by_band_is_a_permutation_within_each_object(batch):
    ordered, offsets = batch.by_band()
    assert offsets[-1] == batch.time.size
    for i in range(len(batch)):
        epochs = slice(batch.offsets[i], batch.offsets[i + 1])
        assert np.array_equal(np.sort(ordered.time[epochs]), np.sort(batch.time[epochs]))
        for b in range(len(batch.bands)):
            piece = slice(*offsets[i * len(batch.bands) + b : i * len(batch.bands) + b + 2])
            assert np.all(ordered.band[piece] == b)
            assert np.all(np.diff(ordered.time[piece]) >= 0)


@LAW
@given(batches(), st.integers(0, 99))
def test_sorting_by_time_forgets_the_order(batch, seed):
    assert same(shuffled(batch, seed).sort_by_time(), batch.sort_by_time())


@LAW
@given(batches())
def test_splitting_an_object_and_merging_gives_it_back(batch):
    early = batch.time < 55_030
    both = concatenate([batch.keep(early), batch.keep(~early)])
    merged = both.select(np.argsort(both.source_id, kind="stable")).merge_rows().sort_by_time()
    assert same(merged, batch.select(np.argsort(batch.source_id)).sort_by_time())
