"""The DataLink client: zip files verbatim and whole, and the two spellings of a structure."""

import io
import zipfile
from dataclasses import replace

import pyarrow as pa
import pytest

from tasks.archives.errors import BadQuestion, Retryable, TooMuch
from tasks.archives.gaia_datalink import OTHER_SPELLING, SPELLINGS, GaiaDatalink
from tasks.archives.question import Question
from tasks.archives.services import PROFILES
from tests.unit.archives.wire_server import PAGE, KeptJob, Reply, wire_server

LIMITS = replace(PROFILES["fast"]["gaia_datalink"], timeout_s=5.0)
ITEMS = pa.table({"source_id": pa.array([4, 2**62], pa.int64())})
QUESTION = Question(
    "gaia_datalink", "EPOCH_PHOTOMETRY", "Gaia DR3", len, {"DATA_STRUCTURE": "INDIVIDUAL"}, key="source_id"
)


def zip_files(**files):
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(f"{name}.csv", text)
    return body.getvalue()


ZIP = zip_files(a="source_id,mag\n4,12.5\n" * 100)


@pytest.fixture
def server():
    with wire_server() as running:
        running.answer = lambda asked: Reply(200, ZIP, {"Content-Type": "application/zip"})
        yield running


@pytest.fixture
def client(server):
    return GaiaDatalink("gaia_datalink", server.url + "/data-server", LIMITS)


def knows(*structures):
    def answer(asked):
        if asked.form["DATA_STRUCTURE"] in structures:
            return Reply(200, ZIP)
        valid = ", ".join(structures)
        text = f"Invalid Data Structure parameter: '{asked.form['DATA_STRUCTURE']}', valid ones are: {valid}"
        return Reply(500, f"<html><body><ul><li><b>Message: </b>{text}</li></ul></body></html>".encode())

    return answer


def test_the_zip_comes_verbatim_for_one_request(server, client):
    assert client.send(QUESTION, ITEMS, KeptJob()) == ZIP
    assert [(asked.method, asked.path) for asked in server.asked] == [("POST", "/data-server/data")]
    assert server.asked[0].form == {
        "VALID_DATA": "false",
        "ID": f"4,{2**62}",
        "RELEASE": "Gaia DR3",
        "FORMAT": "csv",
        "DATA_STRUCTURE": "INDIVIDUAL",
        "RETRIEVAL_TYPE": "EPOCH_PHOTOMETRY",
        "USE_ZIP_ALWAYS": "true",
    }


def test_parameters_of_the_question_prevail(server, client):
    parameters = {"data_structure": "RAW", "release": "Gaia DR2", "format": "votable"}
    client.send(replace(QUESTION, parameters=parameters), ITEMS, KeptJob())
    form = server.asked[0].form
    assert (form["DATA_STRUCTURE"], form["RELEASE"], form["FORMAT"]) == ("RAW", "Gaia DR2", "votable")


@pytest.mark.parametrize("body", [zip_files(), zip_files(a="source_id,mag\n")], ids=["no members", "no rows"])
def test_a_zip_without_products_is_whole(server, client, body):
    """Whether that can be is for the question to say."""
    server.answer = lambda asked: Reply(200, body)
    assert client.send(QUESTION, ITEMS, KeptJob()) == body


@pytest.mark.parametrize(
    "body",
    [b"", ZIP[:-1], ZIP[: len(ZIP) // 2], ZIP[:40] + bytes(8) + ZIP[48:], PAGE, b"source_id,mag\n4,12.5\n"],
    ids=["nothing", "last byte", "half", "garbled", "page", "csv"],
)
def test_what_is_no_whole_zip_is_asked_again(server, client, body):
    server.answer = lambda asked: Reply(200, body)
    with pytest.raises(Retryable, match="gaia_datalink"):
        client.send(QUESTION, ITEMS, KeptJob())


@pytest.mark.parametrize("asked", [*SPELLINGS, *SPELLINGS.values()])
def test_the_other_spelling_is_tried_once_and_remembered(server, client, asked):
    server.answer = knows(OTHER_SPELLING[asked])
    question = replace(QUESTION, parameters={"DATA_STRUCTURE": asked})
    for n_request in (2, 3):  # both spellings the first time, the right one from then on
        assert client.send(question, ITEMS, KeptJob()) == ZIP
        assert len(server.asked) == n_request
    server.answer = knows(asked)  # the server changes its mind
    assert client.send(question, ITEMS, KeptJob()) == ZIP


@pytest.mark.parametrize("old", SPELLINGS)
def test_the_spelling_that_the_question_prefers_is_sent_first(server, client, old):
    question = replace(QUESTION, parameters={"DATA_STRUCTURE": old}, spelling={old: SPELLINGS[old]})
    for known, sent in ((SPELLINGS[old], [SPELLINGS[old]]), (old, [SPELLINGS[old], old]), (old, [old])):
        server.asked.clear()
        server.answer = knows(known)
        assert client.send(question, ITEMS, KeptJob()) == ZIP
        assert [asked.form["DATA_STRUCTURE"] for asked in server.asked] == sent


def test_a_structure_that_the_server_knows_by_no_name_is_a_bad_question(server, client):
    server.answer = knows("SOMETHING_ELSE")
    for structure, n_request in (("INDIVIDUAL", 2), ("COMBINED", 1)):
        server.asked.clear()
        with pytest.raises(BadQuestion, match="SOMETHING_ELSE"):
            client.send(replace(QUESTION, parameters={"DATA_STRUCTURE": structure}), ITEMS, KeptJob())
        assert len(server.asked) == n_request


def test_another_parameter_that_the_server_does_not_know_is_a_bad_question(server, client):
    server.answer = lambda asked: Reply(500, b"Invalid Release parameter: 'Gaia DR9', valid ones are: Gaia DR3")
    with pytest.raises(BadQuestion, match="Gaia DR9"):
        client.send(QUESTION, ITEMS, KeptJob())
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "words",
    ["Unknown retrieval type: 'EPOCH_PHOTOMETRY'", "Unknown release: 'Gaia DR4'", "Unknown data structure: 'X'"],
)
def test_what_the_server_does_not_serve_yet_is_final(server, client, words):
    """A retry of it cost 32 requests and 21 minutes of pauses."""
    server.answer = lambda asked: Reply(500, f"<li><b>Message: </b>{words}</li>".encode())
    question = replace(QUESTION, parameters={"DATA_STRUCTURE": "COMBINED", "RELEASE": "Gaia DR4"})
    with pytest.raises(BadQuestion, match=f"does not serve EPOCH_PHOTOMETRY of Gaia DR4 as COMBINED: {words}"):
        client.send(question, ITEMS, KeptJob())
    assert len(server.asked) == 1


@pytest.mark.parametrize("words", ["unknown error", "The release of memory failed", "Structure unavailable"])
def test_a_fault_with_like_words_passes(server, client, words):
    server.answer = lambda asked: Reply(500, words.encode())
    with pytest.raises(Retryable):
        client.send(QUESTION, ITEMS, KeptJob())


def test_the_spelling_is_remembered_for_each_release(server, client):
    """DR3 takes the old names and DR4 the new ones: questions about both in turn cost one request each."""
    knowing = {"Gaia DR3": knows("INDIVIDUAL"), "Gaia DR4": knows("DATAMODEL_STANDARD")}
    server.answer = lambda asked: knowing[asked.form["RELEASE"]](asked)
    both = [replace(QUESTION, parameters={"DATA_STRUCTURE": "INDIVIDUAL", "RELEASE": name}) for name in knowing]
    for n_request in (3, 5, 7):
        assert [client.send(question, ITEMS, KeptJob()) for question in both] == [ZIP, ZIP]
        assert len(server.asked) == n_request


def test_a_question_may_wait_for_longer_than_the_limits_say(server):
    hasty = GaiaDatalink("gaia_datalink", server.url + "/data-server", replace(LIMITS, timeout_s=0.2))
    server.answer = lambda asked: Reply(hang_s=1.0)
    with pytest.raises(Retryable, match=r"within 0\.2 s"):
        hasty.send(QUESTION, ITEMS, KeptJob())
    with pytest.raises(Retryable, match=r"cannot be reached or broke off"):
        hasty.send(replace(QUESTION, timeout_s=9.0), ITEMS, KeptJob())


def test_another_fault_of_the_second_spelling_is_what_it_is(server, client):
    replies = [knows("X"), lambda asked: Reply(503, b"busy")]
    server.answer = lambda asked: replies.pop(0)(asked)
    with pytest.raises(Retryable, match=r"503.*busy"):
        client.send(QUESTION, ITEMS, KeptJob())


def test_too_many_ids_are_to_be_split(server, client):
    server.answer = lambda asked: Reply(500, b"Maximum number of Source Ids reached (max: 5000, found: 6000)")
    with pytest.raises(TooMuch, match="max: 5000"):
        client.send(QUESTION, ITEMS, KeptJob())


@pytest.mark.parametrize(
    ("question", "items"),
    [(replace(QUESTION, parameters={}), ITEMS), (QUESTION, ITEMS.slice(0, 0)), (replace(QUESTION, key=None), ITEMS)],
)
def test_half_a_question_is_not_sent(server, client, question, items):
    with pytest.raises(BadQuestion):
        client.send(question, items, KeptJob())
    assert not server.asked


def test_a_zip_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(server, client):
    """By the sizes that it declares: asked for in halves, which a single giant file does not survive."""
    server.answer = lambda asked: Reply(200, zip_files(a="0" * 2_000_000, b="1" * 1_000_000))
    small = GaiaDatalink("gaia_datalink", server.url + "/data-server", replace(LIMITS, unpacked_bytes=2_999_999))
    with pytest.raises(TooMuch, match="unpacks to 3,000,000 bytes, above the limit of 2,999,999"):
        small.send(QUESTION, ITEMS, KeptJob())
    assert client.send(QUESTION, ITEMS, KeptJob()).startswith(b"PK")
