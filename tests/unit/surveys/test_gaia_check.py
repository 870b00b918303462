"""The check of DR4 against the replica's: its verdict in every state of the switches, and the file that it writes."""

import tomllib
from pathlib import Path

import pytest
import requests

from flows.check import check
from schemas import BadInput
from tasks.replica import cdn, datalink, tap
from tasks.stages.acquire.addresses import archives_at
from tasks.surveys.gaia_check import Line, Status, Verdict
from tasks.surveys.gaia_check.asking import MOST_REQUESTS
from tasks.surveys.gaia_releases import gaia_release
from tests.unit.replica.dr4_sky import reset
from tests.unit.replica.served_sky import Server, serving

# As the release file of the code expects DR4, where the replica serves something else by itself.
EXPECTED = {"vari_flags": []}


@pytest.fixture(scope="module")
def served():
    with serving(tap, datalink, cdn) as server:
        yield server


@pytest.fixture
def server(served: Server):
    reset(served)
    yield served
    reset(served)


class Checked:
    """A check of the server's DR4 with switches: its verdict, its lines by test, its file."""

    def __init__(self, server: Server, folder: Path, file: str = "", has_bulk: bool = False) -> None:
        self.lines: list[tuple[str, Line]] = []
        self.said: list[str] = []
        self.out = folder / ("again.toml" if file else "dr4.toml")
        self.verdict = check("dr4", archives_at(server.url), self.out, self.tell, file, has_bulk)

    def tell(self, test: str, line: Line | None) -> None:
        if line is None:
            self.said.append(test)
        else:
            self.lines.append((test, line))

    def of(self, test: str) -> list[Line]:
        return [line for name, line in self.lines if name == test]

    @property
    def tree(self) -> dict:
        return tomllib.loads(self.out.read_text())


def limits(server: Server, dr4: dict | None = None, **others) -> None:
    answer = requests.post(f"{server.url}/_limits", json={"dr4": {**EXPECTED, **(dr4 or {})}, **others}, timeout=20)
    assert answer.status_code == 200, answer.text


def again(server: Server, first: Checked, folder: Path) -> Checked:
    """The check once more, with the file that the first one wrote: the archive is as the file says."""
    second = Checked(server, folder, str(first.out))
    assert second.verdict == Verdict.READY and not second.out.exists(), second.lines
    return second


def test_a_release_that_is_as_expected_is_ready(server, tmp_path):
    limits(server)
    server.state.log.clear()
    checked = Checked(server, tmp_path, has_bulk=True)
    bad = [(test, line) for test, line in checked.lines if line.status not in (Status.OK, Status.SKIPPED)]
    assert checked.verdict == Verdict.READY and not bad and not checked.out.exists()
    asked = [entry for entry in server.state.log.entries() if entry["path"].endswith(("/sync", "/async", "/data"))]
    assert 20 < len(asked) < MOST_REQUESTS
    (times,) = checked.of("times")
    assert "100% of" in times.seen and "differ by 0 s and 0.005 mag" in times.seen
    assert "gaia_dr4 is there as this code expects it" in checked.said[-1]


def test_what_differs_is_written_and_the_next_check_is_ready(server, tmp_path):
    """The variability flags as a product of their own, other names, arrays, another word for true, times in ns."""
    limits(
        server,
        {
            "renamed": {"vari_rrlyrae.pf": "period_fundamental", "ap_xp": "ap_xp_main", "gaia_source.ruwe": "renorm"},
            "array_columns": ["vari_long_period_variable.frequency"],
            "vari_flags": [["g_kept", "g", "use"], ["bp_kept", "bp", "use"], ["rp_kept", "rp", "use"]],
            "flags": [["is_g_good", "g", "use"], ["mask", "bp", "bits"], ["is_rp_bad", "rp", "reject"]],
            "time_unit": "ns",
        },
        boolean_words=["t", "f"],
    )
    checked = Checked(server, tmp_path)
    tree = checked.tree
    assert checked.verdict == Verdict.OVERRIDDEN and tree["release"] == "dr4"
    assert tree["columns"] == {"rr_pf": "rr.period_fundamental", "ruwe": "g.renorm", "lpv_frequency": ""}
    assert tree["tables"] == {"ap": "ap_xp_main"} and tree["true_literal"] == "'t'"
    assert tree["datalink"] == {"flags_type": "EPOCH_FLAGS_VARI"}
    assert tree["epochs"]["G"]["reject"] == [{"column": "is_g_good", "when": False}]
    assert tree["epochs"]["BP"]["reject"] == [{"column": "mask", "when": True, "bit": 15}]
    assert tree["epochs"]["RP"]["variability"] == [{"column": "rp_kept", "when": False}]
    said = {line.seen for _, line in checked.lines}
    assert "gaiadr4.gaia_source against the draft: new renorm; gone ruwe" in said
    assert any("rr.pf is not there" in one and "rr.period_fundamental" in one for one in said)
    assert "--set source.options.gaia.release_file=" in checked.said[-1]
    assert gaia_release("dr4", str(checked.out)).tables["ap"] == "gaiadr4.ap_xp_main"
    again(server, checked, tmp_path)


def test_a_release_that_is_not_there_yet(server, tmp_path):
    limits(server, {"is_released": False})
    checked = Checked(server, tmp_path)
    assert checked.verdict == Verdict.NOT_RELEASED and not checked.out.exists()
    ((test, line),) = checked.lines
    assert test == "schemas" and "Unknown release: 'Gaia DR4'" in line.seen
    assert "2 December 2026" in checked.said[-1]


def test_a_release_without_its_light_curves_lacks_something(server, tmp_path):
    limits(server, {"has_products": False})
    checked = Checked(server, tmp_path)
    assert checked.verdict == Verdict.LACKING
    (line,) = checked.of("one product")
    assert line.status == Status.MISSING and "Unknown retrieval type: 'EPOCH_PHOTOMETRY'" in line.seen


def test_a_column_that_no_run_can_do_without(server, tmp_path):
    limits(server, {"array_columns": ["gaia_source.phot_g_mean_mag"]})
    checked = Checked(server, tmp_path)
    assert checked.verdict == Verdict.LACKING
    (needed,) = (line.seen for line in checked.of("columns") if line.is_needed)
    assert needed.startswith("g.phot_g_mean_mag is an array")


def test_a_queue_that_stands_still_is_gone_around(server, tmp_path, monkeypatch):
    monkeypatch.setattr("tasks.stages.acquire.direct.JOB_S", 0.3)
    limits(server, queue_seconds=5.0)
    checked = Checked(server, tmp_path)
    assert checked.verdict == Verdict.OVERRIDDEN and checked.tree["limits"] == {"tap_sync": True}
    assert checked.of("wide question, 10")[0].status == Status.OK
    assert checked.of("wide question, 10,000")[0].status == Status.SKIPPED


def test_an_archive_that_fails_in_between_leaves_a_test_unknown(server, tmp_path):
    limits(server)
    server.state.faults.add([{"service": "gaia_datalink", "kind": "status", "status": 503, "count": 3}])
    checked = Checked(server, tmp_path)
    assert checked.of("one product")[0].status == Status.UNKNOWN
    assert checked.of("20 products")[0].status == Status.OK and checked.verdict == Verdict.READY


def test_no_archive_is_no_release(server, tmp_path):
    limits(server)
    server.state.faults.add([{"service": "gaia_tap", "kind": "status", "status": 503, "count": 100}])
    assert Checked(server, tmp_path).verdict == Verdict.UNREACHABLE
    with pytest.raises(BadInput, match="no archive replica answers"):
        archives_at("http://127.0.0.1:9")


def test_without_an_address_the_real_archives_are_asked():
    assert archives_at(None).endpoint == "live" and archives_at(None).base_url is None


def test_bad_input_is_one_sentence(server, tmp_path):
    with pytest.raises(BadInput, match="is a folder"):
        check("dr4", archives_at(server.url), tmp_path, print)
    with pytest.raises(BadInput, match="no Gaia release 'dr9'"):
        check("dr9", archives_at(server.url), tmp_path / "x.toml", print)
