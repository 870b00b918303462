"""What a sample costs is reckoned from what surveys declare, and refused beyond a budget."""

import pytest

from schemas import BadInput
from tasks.archives.limits import Pace
from tasks.archives.services import PROFILES, SERVICES
from tasks.surveys import SURVEYS
from tasks.surveys.cost import Cost, by_chunks, describe, hours_by_service, reckon, refuse_beyond

LIVE = PROFILES["live"]
REAL = [survey for survey in SURVEYS.values() if not survey.is_simulated and not survey.only_with]


def test_every_real_survey_says_what_it_asks_of_services_with_a_pace():
    for survey in REAL:
        assert survey.loads, survey.name
        assert all(SERVICES[load.service].pace and load.items > 0 for load in survey.loads), survey.name
    paces = {name for name, service in SERVICES.items() if service.pace}
    assert paces - {load.service for survey in REAL for load in survey.loads} <= {
        "mast_portal"
    }  # the predecessor of MAST's TAP


def test_costs_grow_with_the_sample_and_the_slowest_service_counts():
    few, many = (reckon(n, REAL, LIVE) for n in (2_500, 250_000))
    assert {service: round(cost.requests / few[service].requests) for service, cost in many.items()} == dict.fromkeys(
        few, 100
    )
    hours = hours_by_service(many, LIVE)
    assert hours["gaia_datalink"] == pytest.approx(250_000 * (0.215 + 2.4 / 200 + 0.142 * 4.5) / 2 / 3600, rel=0.05)
    lines = describe(250_000, many, hours)
    assert len(lines) == len(hours) + 2 and f"{max(hours.values()):9.1f} hours" in lines[-1]


def test_a_limit_of_requests_a_second_may_be_what_takes_the_time():
    cost, pace = Cost(requests=7200), Pace(0.1, 0.0, 0.0, "")
    assert cost.hours(pace, LIVE["gaia_datalink"]) == 2.0  # one a second
    assert cost.hours(pace, LIVE["mast_tic"]) == pytest.approx(7200 * 0.1 / 4 / 3600)


def test_no_request_goes_beyond_a_chunk_of_the_sample():
    assert by_chunks(1.0, 1_000_000, 2500, 1000) == 1200
    assert by_chunks(1.0, 1_000_000, 2500, 20_000) == 400
    assert by_chunks(1.0, 10_100, 2500, 1000) == 13
    assert by_chunks(2e-4, 1_000_000, 2500, 500) == pytest.approx(200)  # one item in every second chunk


def test_a_budget_is_held():
    refuse_beyond(48.0, 10, {"gaia_tap": 47.9})
    refuse_beyond(None, 10, {"gaia_tap": 1e9})
    refuse_beyond(48.0, 0, {})
    with pytest.raises(BadInput, match=r"2,000 sources .* gaia_tap 49 hours, more than source\.budget"):
        refuse_beyond(48.0, 2000, {"mast_ps1": 3.0, "gaia_tap": 49.0})
