"""What goes to the server goes in order and beside the run, which no fault of the server reaches."""

import threading
import time

import pytest

from tasks.monitoring import post
from tasks.monitoring.post import clean_key, find_page, open_post
from tests.unit.monitoring.conftest import FLOW_RUN, TASK_RUN


def test_a_page_holds_lines_names_and_artifacts_of_its_run(server, capsys):
    assert find_page() is None
    with open_post() as page:
        page.log("first")
        page.log("second", is_error=True)
        page.tell("  third")
        change = page.put("progress", "demo-clean-progress", 1.0, "began")
        change(40.0, "goes on")
        find_page().rename("demo nothing new")
        page.refuse_retries()
    assert find_page() is None
    assert server.lines == [(20, "first"), (40, "second"), (20, "third")] and capsys.readouterr().err == "  third\n"
    assert (server.names, server.policies) == (["demo nothing new"], [0])
    (bar,) = server.artifacts.values()
    assert (bar["data"], bar["description"], bar["key"]) == (40.0, "goes on", "demo-clean-progress")
    assert (bar["flow_run_id"], bar["task_run_id"]) == (FLOW_RUN, TASK_RUN)


def test_a_lost_server_is_asked_no_more_than_a_few_times(server):
    server.is_lost = True
    with open_post() as page:
        change = page.put("progress", "k", 0.0)
        for n in range(50):
            page.log(f"line {n}")
            change(n, "moves")
    assert 0 < server.n_asked <= post.GIVEN_UP_AFTER and not server.lines


def test_a_fault_that_passes_costs_its_letter_alone(server):
    with open_post() as page:
        page._post.send(lambda client: 1 / 0)
        page.log("after it")
    assert server.lines == [(20, "after it")]


def test_a_server_that_hangs_holds_nobody(server, monkeypatch):
    monkeypatch.setattr(post, "DRAIN_S", 0.2)
    monkeypatch.setattr(post, "LONGEST_QUEUE", 5)
    hanging = threading.Event()
    began = time.monotonic()
    with open_post() as page:
        page._post.send(lambda client: hanging.wait(60))
        for n in range(100):
            page.log(f"line {n}")
    assert time.monotonic() - began < 10
    hanging.set()


def test_outside_of_a_run_nothing_is_sent(server, monkeypatch):
    monkeypatch.delenv("PREFECT__RUNTIME__FLOW_RUN__ID")
    monkeypatch.setattr(post, "get_client", None)  # no server is looked for: Prefect would start one
    with open_post() as page:
        page.log("of no run")
        page.rename("nobody")
        page.put("table", "k", "[]")
        page.refuse_retries()
    assert server.n_asked == 0


@pytest.mark.parametrize(
    ("text", "key"),
    [("demo-clean", "demo-clean"), ("My_stars.v2", "my-stars-v2"), ("_a é_", "a")],
    ids=lambda text: text,
)
def test_keys_are_what_prefect_takes(text, key):
    assert clean_key(text) == key
