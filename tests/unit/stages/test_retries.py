"""A stage that failed is tried once more, unless its input is at fault."""

import pytest
from prefect.states import Completed, Failed, State

from schemas import BadInput
from tasks import acquire, clean, featurize, publish, score, train
from tasks.stages.retries import is_transient


def failed(error: Exception) -> State:
    return Failed(data=error)


@pytest.mark.parametrize("error", [OSError("no route to host"), MemoryError(), ValueError("a fault of ours")])
def test_what_may_pass_is_tried_again(error):
    assert is_transient(None, None, failed(error))


def test_bad_input_stays_bad():
    class NoBand(BadInput):
        """A kind of bad input."""

    assert not is_transient(None, None, failed(BadInput("The folder has no band.")))
    assert not is_transient(None, None, failed(NoBand("The folder has no band.")))
    assert is_transient(None, None, Completed(data="BadInput"))


@pytest.mark.parametrize("door", [acquire, clean, featurize, train, score, publish])
def test_every_door_asks_it(door):
    task = getattr(door, door.__name__.rsplit(".", 1)[-1])
    assert task.retries == 1 and task.retry_condition_fn is is_transient
