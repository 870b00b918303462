"""Which archives a run asks."""

import pytest

from flows.presets import preset
from flows.settings import override
from schemas import BadInput
from tasks.archives.endpoints import LIVE
from tasks.archives.services import PROFILES
from tasks.replica.serve import running
from tasks.stages.acquire.addresses import addresses, limits_of, name_of, surveys_of

N, SEED = 100, 3


def source(*assignments):
    return override(preset("demo"), assignments).source


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    with running(N, SEED, tmp_path_factory.mktemp("sky")) as url:
        yield url


def test_live_is_the_real_archives_with_their_limits_and_nobody_tells_the_truth(tmp_path):
    live = source("source.endpoint=live")
    with addresses(live, tmp_path) as asked:
        assert asked == LIVE
    assert limits_of(live) == PROFILES["live"]
    assert "truth" in surveys_of(source()) and surveys_of(live) == tuple(
        n for n in surveys_of(source()) if n != "truth"
    )


def test_live_and_the_address_of_a_replica_exclude_each_other(tmp_path):
    both = source("source.endpoint=live", "source.base_url=http://127.0.0.1:1")
    with pytest.raises(BadInput, match="leave one of them out"), addresses(both, tmp_path):
        pass


def test_a_running_replica_is_asked_where_it_serves_the_sky_of_the_settings(base, tmp_path):
    same = source(f"source.base_url={base}", f"source.replica.n_objects={N}", f"source.replica.seed={SEED}")
    with addresses(same, tmp_path) as asked:
        assert asked.name == name_of(same) and asked.addresses["gaia_tap"].startswith(base)
    other = source(f"source.base_url={base}", f"source.replica.n_objects={N + 1}", f"source.replica.seed={SEED}")
    with pytest.raises(BadInput, match=f"set source.replica.n_objects={N} and"), addresses(other, tmp_path):
        pass


def test_a_replica_that_does_not_answer_is_one_sentence(tmp_path):
    away = source("source.base_url=http://127.0.0.1:9")
    with pytest.raises(BadInput, match="no archive replica answers"), addresses(away, tmp_path):
        pass


def test_offline_asks_nobody(tmp_path):
    with addresses(source("source.offline=true", "source.base_url=http://127.0.0.1:9"), tmp_path) as asked:
        assert asked.name == name_of(source())
