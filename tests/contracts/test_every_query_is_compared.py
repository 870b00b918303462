"""No ADQL leaves the project that was not compared with NumPy: COMPARED names the test of every question."""

import ast
import re
from functools import cache
from itertools import product
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.csv
import pytest

from schemas.inputs import Sample
from tasks.archives.counts import count_question
from tasks.archives.question import Question
from tasks.archives.upload import votable
from tasks.surveys import SURVEYS, id_lists, ps1, tic, truth, ztf
from tasks.surveys.columns import wide_question
from tasks.surveys.gaia_layouts import EPOCHS
from tasks.surveys.gaia_releases import RELEASES
from tasks.surveys.neighbours import gaia_neighbours, neighbours_question
from tasks.surveys.sample import sample_chunks, selections_of
from tasks.surveys.selections import TABLES, Cone, GaiaTable, RandomIndex, Tiles, VariableClasses
from tests.contracts.plain_gaia import ADQL_SITES, PlainGaia

ROOT = Path(__file__).parents[2]
RELEASE = RELEASES["dr3"]
BOTH = (False, True)
GAIA, OTHERS = "tests/contracts/test_gaia_queries.py", "tests/unit/surveys/test_ps1_ztf_tic_queries.py"


class Compared(NamedTuple):
    """The test that compares a question's answers with NumPy's, and the question in all its forms."""

    file: str
    test: str
    forms: list[Question]


# By who makes the question: module, class, function.
COMPARED = {
    "selections.VariableClasses.question": Compared(GAIA, "test_variable_classes", [
        VariableClasses(("RR",), score).question(RELEASE) for score in (0.0, 0.5)]),
    "selections.GaiaTable.question": Compared(GAIA, "test_whole_tables", [
        GaiaTable(name).question(RELEASE) for name in TABLES]),
    "selections.Cone.question": Compared(GAIA, "test_cones", [Cone(1, 2, 3, has).question(RELEASE) for has in BOTH]),
    "selections.Tiles.question": Compared(GAIA, "test_tiles", [Tiles(1, (2,), has).question(RELEASE) for has in BOTH]),
    "selections.RandomIndex.question": Compared(GAIA, "test_random_index", [
        RandomIndex(0, 9, has).question(RELEASE) for has in BOTH]),
    "id_lists.IdFile.question": Compared(GAIA, "test_lists_of_ids", [
        wide_question(RELEASE, "g.source_id IN {items}", key="source_id")]),
    "id_lists.neighbourhood_question": Compared(GAIA, "test_neighbours_of_dr2_ids", [
        id_lists.neighbourhood_question(RELEASE, RELEASE.chain[0])]),
    "neighbours.neighbours_question": Compared(GAIA, "test_neighbours", [neighbours_question(RELEASE, 5.0)]),
    "ps1.object_question": Compared(OTHERS, "test_ps1_objects_around_positions", [ps1.object_question(ps1.OPTIONS)]),
    "ps1.detection_question": Compared(OTHERS, "test_ps1_detections_by_object", [ps1.detection_question()]),
    "ztf.object_question": Compared(OTHERS, "test_ztf_objects_around_positions", [ztf.object_question(ztf.OPTIONS)]),
    "tic.tap_question": Compared(OTHERS, "test_tic_entries_by_id", [
        tic.tap_question(column) for column in ("gaia", "id")]),
}  # fmt: skip
# Questions in other words than ADQL, and who is asked.
IN_OTHER_WORDS = {
    "gaia.epochs_question": {"gaia_datalink"}, "gaia_flags.flags_question": {"gaia_datalink"},
    "bulk_gaia.list_question": {"gaia_cdn"}, "bulk_gaia.file_question": {"gaia_cdn"},
    "ztf.curve_question": {"irsa_lightcurves"},
    "tic.portal_question": {"mast_portal"}, "tic.position_question": {"cds_xmatch"}, "truth.question": {"truth"},
    "bulk.near_question": {"hats"}, "bulk.ids_question": {"hats"},
    "asking.product_question": {"gaia_datalink"}, "checks.list_bulk": {"gaia_cdn"},
}  # fmt: skip
# Questions of `argelander check`: what they bring is told and goes into no lake.
TOLD = {"asking.adql_question"}
# What those who are asked in other words know here: nothing.
NOTHING = {
    "gaia_datalink": EPOCHS, "mast_portal": pa.schema(list(tic.ENTRY.items())), "truth": pa.schema(truth.COLUMNS),
    "irsa_lightcurves": pa.schema(list(ztf.EPOCH.items())),
    "cds_xmatch": pa.schema([("source_id", pa.int64()), *tic.ENTRY.items()]),
}  # fmt: skip


def called(node: ast.AST) -> set[str]:
    """Last names of what is called anywhere inside."""
    return {last_name(part) for part in ast.walk(node) if isinstance(part, ast.Call)}


def last_name(call: ast.Call) -> str:
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def functions(tree: ast.Module) -> list[tuple[str, ast.AST]]:
    """Functions and methods of a module, by name; what stands outside of them as "<module>"."""
    parts = [
        (f"{owner.name}.{part.name}" if isinstance(part, ast.FunctionDef) else f"{owner.name}.<class>", part)
        for owner in tree.body
        if isinstance(owner, ast.ClassDef)
        for part in owner.body
    ]
    parts += [
        (part.name if isinstance(part, ast.FunctionDef) else "<module>", part)
        for part in tree.body
        if not isinstance(part, ast.ClassDef)
    ]
    return parts


def unwrap(value: ast.AST | None) -> ast.AST | None:
    """What `dataclasses.replace` changes, where it is called."""
    return value.args[0] if isinstance(value, ast.Call) and last_name(value) == "replace" else value


@cache
def makers() -> dict[str, ast.AST]:
    """Whoever makes a Question: calls it, or gives what such a function made; but those that others give on."""
    paths = [path for room in ("tasks", "lakehouse", "flows") for path in (ROOT / room).rglob("*.py")]
    paths = [path for path in paths if "replica" not in path.parts and path.name != "question.py"]
    every = [(f"{path.stem}.{name}", node) for path in paths for name, node in functions(ast.parse(path.read_text()))]
    found: dict[str, ast.AST] = {name: node for name, node in every if "Question" in called(node)}
    given_on: set[str] = set()
    while True:
        known = {name.rpartition(".")[2] for name in found} - {"question"}
        more = {}
        for name, node in every:
            returned = [unwrap(part.value) for part in ast.walk(node) if isinstance(part, ast.Return)]
            gives = {last_name(value) for value in returned if isinstance(value, ast.Call)} & known
            given_on |= gives
            if gives and name not in found:
                more[name] = node
        if not more:
            return {name: node for name, node in found.items() if name.rpartition(".")[2] not in given_on}
        found |= more


def services(node: ast.AST) -> set[str]:
    """Whom the Questions made inside are put to."""
    calls = [part for part in ast.walk(node) if isinstance(part, ast.Call) and last_name(part) == "Question"]
    values = [
        next((word.value for word in call.keywords if word.arg == "service"), (*call.args, None)[0]) for call in calls
    ]
    return {value.value for value in values}


def shape(question: Question) -> tuple[str, str]:
    """The service and the text with every literal left out: what two forms of one query share."""
    text = re.sub(r"'(?:[^']|'')*'", "''", question.text)
    text = re.sub(r"(?<![\w.])[-+]?\d+(\.\d*)?([eE][-+]?\d+)?", "0", text)
    return question.service, re.sub(r"\(''(, '')*\)", "('')", text)


def is_adql(question: Question) -> bool:
    return question.service in ADQL_SITES or question.text.lstrip().upper().startswith("SELECT")


def test_every_maker_of_a_question_is_registered():
    assert set(makers()) == {*COMPARED, *IN_OTHER_WORDS, *TOLD}


@pytest.mark.parametrize("name", IN_OTHER_WORDS)
def test_questions_in_other_words_go_to_services_without_adql(name):
    assert services(makers()[name]) == IN_OTHER_WORDS[name]
    assert IN_OTHER_WORDS[name].isdisjoint(ADQL_SITES)


@pytest.mark.parametrize("name", COMPARED)
def test_the_comparison_puts_the_question(name):
    file, test, forms = COMPARED[name]
    tests = {node.name: node for node in ast.parse((ROOT / file).read_text()).body if isinstance(node, ast.FunctionDef)}
    module, _, maker = name.removesuffix(".question").rpartition(".")
    assert test in tests, f"{file} has no {test}"
    assert re.search(rf"(?<![\w.])({module}\.)?{maker}\(", ast.unparse(tests[test])), f"{test} does not ask {name}"
    assert forms and all(is_adql(form) for form in forms)
    assert services(makers()[name]) <= {forms[0].service}


@pytest.fixture(scope="module")
def sent(tmp_path_factory):
    """Every question of small acquisitions that use every kind of selection, every survey and both ways to the TIC."""
    gaia, log, counted = PlainGaia(tmp_path_factory.mktemp("holdings")), [], []

    def ask(question, items):
        log.append(question)
        if question.service in NOTHING:
            return NOTHING[question.service].empty_table()
        step = 1 if question.key is None else min(question.chunk or 500, 500)
        parts = [items.slice(start, step) for start in range(0, items.num_rows, step)]
        uploads = [{"items": votable(part)} if question.is_upload else {} for part in parts]
        answers = [gaia.asked(question, *pair) for pair in zip(parts, uploads, strict=True)]
        counts = [gaia.asked(count_question(question), *pair) for pair in zip(parts, uploads, strict=True)]
        counted.extend(zip(answers, counts, strict=True))
        return pa.concat_tables(answers)

    for column, with_epochs in (("source_id", False), ("dr2_source_id", True)):
        file = tmp_path_factory.mktemp("ids") / "ids.csv"
        pyarrow.csv.write_csv(pa.table({column: gaia.column("source_id")[:5]}), file)
        sample = Sample(
            tables=tuple(TABLES),
            classes=("RR", "LPV"),
            min_score=0.5 * with_epochs,
            n_range=1,
            cones=((10.0, 20.0, 9.0),),
            tiles=(1, 5),
            ids=file,
            random_index=(0, 50),
            with_epochs=with_epochs,
        )
        unset = {name for name in Sample.model_fields if not getattr(sample, name)} - {"with_epochs", "min_score"}
        of_dr4 = {
            "min_stetson",
            "min_variable_score",
        }  # has such statistics alone; they have tests there
        assert unset == {"labels"} | of_dr4, "a sample has a setting that is not tried here"
        field = next(sample_chunks(ask, selections_of(sample), RELEASE, size=150))
        near = gaia_neighbours(ask, field.sources, RELEASE)
        asked = [survey for survey in SURVEYS.values() if not survey.only_with]
        for survey, via in product(asked, ("portal", "tap")):
            ways = {"via": via} if "via" in survey.options else {}
            survey.fetch(ask, field.sources, near, {**survey.options, **ways})
    return log, counted


def test_what_an_acquisition_sends_was_compared(sent):
    asked = {shape(question) for question in sent[0] if is_adql(question)}
    assert asked == {shape(form) for compared in COMPARED.values() for form in compared.forms}
    assert {question.service for question in sent[0]} == {*ADQL_SITES, *NOTHING}


def test_every_query_has_as_many_rows_as_its_count_says(sent):
    n_row = [(answer.num_rows, count["n_row"].to_pylist()) for answer, count in sent[1]]
    assert all([n] == counted for n, counted in n_row) and sum(n > 1 for n, _ in n_row) > 10


def test_another_form_of_a_query_is_seen():
    """Values do not matter, conditions do."""
    known = {shape(form) for compared in COMPARED.values() for form in compared.forms}
    assert shape(VariableClasses(("RR", "CEP", "LPV"), 0.25).question(RELEASE)) in known
    assert shape(Cone(359.5, -1e-9, 12.5, True).question(RELEASE)) in known
    assert shape(wide_question(RELEASE, "g.phot_g_mean_mag < 12 AND g.source_id BETWEEN {lo} AND {hi}")) not in known
    assert shape(wide_question(RELEASE, "g.source_id BETWEEN {lo} AND {hi}", "ap")) not in known
    assert len(known) == 20  # all but one are told apart: Tiles ask as the whole gaia_source does


def test_the_clients_add_no_query_of_their_own_but_the_count_of_another():
    paths = (ROOT / "tasks" / "archives").rglob("*.py")
    assert [path.name for path in paths if "SELECT" in path.read_text()] == ["counts.py"]
