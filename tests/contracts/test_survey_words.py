"""Rooms that every survey shares do not know one by name: what a survey is, it declares in its own file."""

import ast
import re
from pathlib import Path

import pytest

from schemas import TABLES
from tasks.features import FEATURES
from tasks.lightcurves.flags import COMMON_FLAGS
from tasks.surveys import SURVEYS, list_label_origins, list_passbands

ROOT = Path(__file__).parents[2]
NEUTRAL = (
    "tasks/lightcurves", "tasks/features", "tasks/learning", "tasks/reporting", "tasks/crossmatch", "tasks/folder",
    "tasks/stages", "lakehouse", "flows", "schemas",
)  # fmt: skip
MAY_SAY = ("schemas/tables/",)  # declares the tables of surveys too
# Words of surveys that mean something else in these rooms: a family of features whose name is stored in every row of
# features, and the tables whose columns features say they were made of; a column that folders of light curves have,
# downloaded as they are; the truth that scores are measured against, and its table. Presets are data: they may name the
# surveys, bands and tables of their samples.
OTHER_MEANING = {
    "tasks/features/__init__.py": {"gaia"},
    "tasks/features/gaia.py": {"gaia", "core_gaia__source", "core_tic__source"},
    "tasks/features/reddening.py": {"core_tic__source"},
    "schemas/recognition.py": {"catflags"},
    "tasks/reporting": {"truth"},
    "tasks/learning": {"truth"},
    "tasks/stages/publish": {"truth", "label_truth__source"},
    "flows/summary.py": {"truth"},
    "flows/presets.py": {"G", "BP", "RP"},
}


def words() -> set[str]:
    """Names of surveys, bands, flags, cuts, label origins and tables of surveys."""
    flags = {flag.name for survey in SURVEYS.values() for flag in survey.flags}
    cuts = {cut.name for survey in SURVEYS.values() for cut in survey.cuts}
    tables = {spec.name for survey in SURVEYS.values() for spec in survey.tables}
    return {*SURVEYS, *list_passbands(), *list_label_origins(), *flags, *cuts, *tables}


def strings(tree: ast.AST) -> set[str]:
    """String literals of code, docstrings left out."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
    }


def survey_words(tree: ast.AST, also_means: set[str] = frozenset()) -> list[str]:
    """The survey words among the literals: whole, or behind an underscore as in "mean_mag_G"."""
    ends = re.compile(rf"_({'|'.join(map(re.escape, sorted(SURVEYS)))})$")
    found = {text for text in strings(tree) if text in words() or ends.search(text)}
    return sorted(found - also_means)


@pytest.mark.parametrize("room", NEUTRAL)
def test_no_survey_is_named(room):
    found = {}
    for path in sorted((ROOT / room).rglob("*.py")):
        name = str(path.relative_to(ROOT))
        allowed = set().union(*(means for where, means in OTHER_MEANING.items() if name.startswith(where)))
        if not name.startswith(MAY_SAY) and (said := survey_words(ast.parse(path.read_text()), allowed)):
            found[name] = said
    assert found == {}


@pytest.mark.parametrize("code", ["BAND = 'G'", "if survey == 'ztf': pass", "x['mean_mag_gaia']", "CUTS = ['catflags']",
                                  "origin = ('tic', 'gaia_dr3')", "read('core_ztf__object')",
                                  "_configure('gaia', source)"])  # fmt: skip
def test_the_search_finds_a_name(code):
    assert survey_words(ast.parse(code))


def test_the_search_leaves_prose_alone():
    assert not survey_words(ast.parse('"""gaia"""\ndef f():\n    "ztf"\n    return "flagged"'))


def test_what_surveys_declare_is_theirs_alone():
    bits = [flag.bit for flag in (*COMMON_FLAGS, *(f for survey in SURVEYS.values() for f in survey.flags))]
    assert len(set(bits)) == len(bits) and all(bit.bit_count() == 1 and bit < 1 << 31 for bit in bits)
    assert all(set(cut.flags) <= set(survey.flags) for survey in SURVEYS.values() for cut in survey.cuts)
    assert all(TABLES[spec.name] is spec for survey in SURVEYS.values() for spec in survey.tables)
    assert sum(band.is_reference for band in list_passbands().values()) == 1
    assert FEATURES["gaia"].name in SURVEYS  # the exception above is needed


def test_bits_that_lakes_hold_keep_their_meaning():
    held = {flag.name: flag.bit for survey in SURVEYS.values() for flag in survey.flags}
    names = ("rejected_by_photometry", "rejected_by_variability", "other_flags", "psf_quality", "info_flag")
    words = (*names, "info_flag2", "info_flag3", "catflags")
    assert held == {name: 1 << 6 + i for i, name in enumerate(words)} | {"few_ccds": 1 << 15}
    assert [flag.bit for flag in COMMON_FLAGS] == [1, 2, 4, 8, 16, 32]
