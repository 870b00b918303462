"""BALD is nothing where members agree, ln C where each is sure of another class."""

import numpy as np
import pytest

from tasks.learning.uncertainty.disagreement import bald, entropy


def found(members) -> float:
    """BALD of one object from the probabilities of its members (M, C)."""
    members = np.asarray(members, float)
    return float(bald(members.mean(0)[None], np.array([entropy(members).mean()]))[0])


def test_members_that_agree_have_no_disagreement_however_unsure():
    assert found([[0.5, 0.5], [0.5, 0.5]]) == 0 and found([[1, 0], [1, 0]]) == 0


def test_sure_members_of_different_minds_disagree_the_most():
    assert found(np.eye(3)) == pytest.approx(np.log(3))
    assert 0 < found([[0.9, 0.1], [0.6, 0.4]]) < found([[0.9, 0.1], [0.1, 0.9]]) < np.log(2)


def test_of_a_single_member_there_is_none():
    assert np.isnan(bald(np.array([[0.7, 0.3]]), np.array([np.nan]))).all()
