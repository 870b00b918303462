"""Faults of the services that only other settings ask: MAST's portal for the TIC, and the files of Gaia's CDN."""

import pytest

from schemas import BadInput
from tests.integration.acquisition import acquire_into, asked, clear_log, set_faults, source_of, tables, understood
from tests.integration.faulty import (
    OTHER_WAYS,
    OTHERWISE,
    Undisturbed,
    assert_complete,
    assert_nothing_to_see,
    at,
    everywhere,
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("calm")]
LIST = "_MD5SUM.txt$"


def otherwise(base):
    return source_of(base, options=OTHERWISE)


@pytest.fixture(scope="module")
def undisturbed(replica, acquired, tmp_path_factory):
    """A run by the other ways without a fault; it is before `calm`, so it clears the log itself."""
    place = tmp_path_factory.mktemp("otherwise")
    set_faults(replica)
    clear_log(replica)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARGELANDER_LIMITS", str(place / "limits"))
        acquire_into(place / "lake", otherwise(replica))
    assert set(OTHER_WAYS) <= set(asked(replica)) and not {"mast_tic", "gaia_datalink"} & set(asked(replica))
    assert asked(replica)["gaia_cdn"] > 2 and set(understood(replica).values()) == {1}
    return Undisturbed(place / "lake", tables(place / "lake"), asked(replica), understood(replica))


@pytest.fixture(autouse=True)
def cleared(undisturbed, calm):
    """`undisturbed` first, then a calm replica with an empty log."""


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 429, "retry_after": 0.2}, {"kind": "status", "status": 503}, {"kind": "html"},
        {"kind": "drop", "bytes": -1},
    ],
    ids=["429", "503", "html", "closed"],
)  # fmt: skip
def test_a_fault_that_passes_costs_one_request_more(fault, replica, undisturbed, tmp_path):
    set_faults(replica, *everywhere(OTHER_WAYS, **fault), at("gaia_cdn", LIST, **fault))
    acquire_into(tmp_path / "lake", otherwise(replica))
    assert_complete(replica, undisturbed, tmp_path / "lake", {"mast_portal": 1, "gaia_cdn": 2})


@pytest.mark.parametrize("kind", ["drop", "truncated_zip"])
def test_a_file_that_breaks_off_is_fetched_again(kind, replica, undisturbed, tmp_path):
    """truncated_zip: the connection ends as it should, and the checksum alone tells that the file is not whole."""
    set_faults(replica, at("gaia_cdn", OTHER_WAYS["gaia_cdn"], kind=kind, bytes=300))
    acquire_into(tmp_path / "lake", otherwise(replica))
    assert_complete(replica, undisturbed, tmp_path / "lake", {"gaia_cdn": 1})


@pytest.mark.parametrize(
    ("service", "path"), [*OTHER_WAYS.items(), ("gaia_cdn", LIST)], ids=[*OTHER_WAYS, "gaia_cdn-list"]
)
def test_a_refusal_stops_at_once_and_the_next_run_completes(service, path, replica, undisturbed, tmp_path):
    set_faults(replica, at(service, path, kind="status", status=403))
    with pytest.raises(BadInput, match=f"^{service} refuses all requests .*403.*nothing is lost"):
        acquire_into(tmp_path / "lake", otherwise(replica))
    assert_nothing_to_see(tmp_path / "lake")
    acquire_into(tmp_path / "lake", otherwise(replica), run_id="r2")
    assert_complete(replica, undisturbed, tmp_path / "lake", {service: 1})
