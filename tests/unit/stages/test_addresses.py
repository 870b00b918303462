"""Which archives a run asks."""

import time

import pytest

from flows.presets import preset
from flows.settings import override
from schemas import BadInput
from tasks.archives.endpoints import LIVE
from tasks.archives.services import PROFILES, SERVICES
from tasks.replica.serve import running
from tasks.stages.acquire.addresses import addresses, limits_of, name_of, times_of_asking
from tasks.surveys import surveys_of

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


def test_what_is_asked_again_is_a_service_an_age_or_both():
    now = time.time()
    assert times_of_asking(source()) == {}
    assert times_of_asking(source("source.ask_again=[irsa_tap]"))["irsa_tap"] == pytest.approx(now, abs=5)
    aged = times_of_asking(source("source.ask_again=[30d]"))
    assert aged == dict.fromkeys(SERVICES, pytest.approx(now - 30 * 86_400, abs=5))
    both = times_of_asking(source("source.ask_again=[irsa_tap, gaia_tap, 1.5d]"))
    assert both == {name: pytest.approx(now - 1.5 * 86_400, abs=5) for name in ("irsa_tap", "gaia_tap")}


def test_what_cannot_be_asked_again_is_one_sentence():
    with pytest.raises(BadInput, match=r"'irsa' is no service and no age \(30d\).* Did you mean 'irsa_tap'\?"):
        times_of_asking(source("source.ask_again=[irsa]"))
    with pytest.raises(BadInput, match="--ask-again asks and --offline does not"):
        times_of_asking(source("source.ask_again=[irsa_tap]", "source.offline=true"))
