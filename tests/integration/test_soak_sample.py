"""The first trials of the long campaign (`make soak`): none may end in anything but an answer or one sentence."""

import pytest

from tests.soak.campaign import prepare
from tests.soak.trial import FAULT

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_server")]
SEED = 20261130
SAMPLE = {"folders": 24, "settings": 40, "queries": 40, "lakes": 8}


@pytest.fixture(scope="module")
def campaign(tmp_path_factory, one_server):
    with prepare(tmp_path_factory.mktemp("soak"), SEED) as campaign:
        yield campaign


@pytest.mark.parametrize("part", SAMPLE)
def test_no_trial_ends_in_a_fault(part, campaign):
    faults = {}
    for number in range(SAMPLE[part]):
        verdict = campaign.run(part, number)
        if verdict.outcome == FAULT:
            faults[number] = verdict.words[-1500:]
    assert not faults, "\n".join(f"{part} {number} of seed {SEED}: {words}" for number, words in faults.items())
