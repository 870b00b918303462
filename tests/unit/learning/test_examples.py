"""What a model is given: feature columns and light curves of the same objects, whatever is selected of them."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.learning.data import Examples, examples_from_table
from tasks.learning.inputs.matrix import feature_matrix
from tests.unit.learning.synthetic_stars import stars

LAW = settings(max_examples=40, deadline=None, derandomize=True)
EXAMPLES = stars(12, seed=2)[0]
NAMES = EXAMPLES.feature_names
INDEX = st.lists(st.integers(0, 11), max_size=20)


@LAW
@given(INDEX, INDEX)
def test_rows_features_and_curves_are_selected_together(first, second):
    some = EXAMPLES.select(first)
    assert np.array_equal(some.source_id, EXAMPLES.source_id[first])
    assert np.array_equal(some.features, EXAMPLES.features[first], equal_nan=True)
    assert np.array_equal(some.batch.n_epoch, EXAMPLES.batch.n_epoch[first])
    again = [each for each in second if each < len(first)]
    twice, once = some.select(again), EXAMPLES.select(np.array(first, int)[again])
    assert np.array_equal(twice.batch.mag, once.batch.mag) and np.array_equal(twice.source_id, once.source_id)


@LAW
@given(st.lists(st.booleans(), min_size=12, max_size=12))
def test_a_mask_selects_as_its_indices(mask):
    one, other = EXAMPLES.select(mask), EXAMPLES.select(np.flatnonzero(mask))
    assert np.array_equal(one.source_id, other.source_id) and np.array_equal(one.batch.time, other.batch.time)
    assert len(one) == sum(mask)


@LAW
@given(st.permutations(NAMES), st.integers(0, 3))
def test_columns_come_in_the_order_asked_for(order, n):
    wanted = tuple(order[:n])
    expected = EXAMPLES.features[:, [NAMES.index(name) for name in wanted]]
    found = EXAMPLES.only(wanted)
    assert found.feature_names == wanted and np.array_equal(found.features, expected, equal_nan=True)
    assert np.array_equal(feature_matrix(EXAMPLES.features, NAMES, wanted), expected, equal_nan=True)
    assert found.matrix(wanted).flags.c_contiguous and found.matrix(wanted).dtype == np.float32
    assert found.batch is EXAMPLES.batch


def test_infinite_features_are_missing():
    features = np.array([[1.0, np.inf], [-np.inf, 2.0]])
    found = Examples([1, 2], features, ["a", "b"]).features
    assert found.dtype == np.float32 and np.array_equal(np.isnan(found), [[False, True], [True, False]])


def test_what_does_not_belong_together_is_refused():
    with pytest.raises(ValueError, match=r"features have shape \(12, 3\), but the ids and names give \(12, 2\)"):
        Examples(EXAMPLES.source_id, EXAMPLES.features, NAMES[:2])
    with pytest.raises(ValueError, match=r"features have shape \(12, 3\), but the ids and names give \(11, 3\)"):
        Examples(EXAMPLES.source_id[1:], EXAMPLES.features, NAMES)
    with pytest.raises(ValueError, match="the 12 light curves are not those of the 12 source_ids in the same order"):
        Examples(EXAMPLES.source_id[::-1], EXAMPLES.features, NAMES, EXAMPLES.batch)
    with pytest.raises(ValueError, match=r"2 of the 3 columns .* are absent \(first: x\)"):
        EXAMPLES.only(("x", NAMES[0], "y"))


def test_a_table_of_features_gives_the_columns_asked_for_with_nan_for_null():
    chunks = [pa.table({"source_id": [i, i + 1], "a": [0.5, None], "b": [1, 2], "c": ["x", "y"]}) for i in (10, 20)]
    found = examples_from_table(pa.concat_tables(chunks), ("b", "a"))
    assert found.source_id.tolist() == [10, 11, 20, 21] and found.feature_names == ("b", "a")
    assert np.array_equal(found.features, [[1, 0.5], [2, np.nan]] * 2, equal_nan=True)
    assert examples_from_table(chunks[0], ()).features.shape == (2, 0) and found.batch is None
