"""What Gaia DR3 is asked, and how its lakes are marked, stays as it was before there was another release: to the byte.

A lake finds its answers by what was asked, and takes them in anew where its mark changes. The file holds the questions
(services, texts, parameters, identities, hashes of their items) and the marks as they were in November 2026. It is
never written again: a difference is a fault of the code.
"""

import json
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pyarrow.csv
import pytest

from flows.presets import preset
from flows.settings import override
from lakehouse.run import Run
from tasks.archives.request import hash_items
from tasks.stages.acquire.surveys import survey_archive
from tasks.surveys import bulk_gaia
from tasks.surveys.gaia import epochs_question
from tasks.surveys.gaia_releases import RELEASES
from tasks.surveys.id_lists import IdFile, neighbourhood_question
from tasks.surveys.neighbours import neighbours_question
from tasks.surveys.selections import TABLES, Cone, GaiaTable, RandomIndex, Tiles, VariableClasses

HELD = json.loads((Path(__file__).parents[1] / "data" / "gaia_dr3_questions.json").read_text())
RELEASE = RELEASES["dr3"]
SELECTIONS = {
    "classes": VariableClasses(("RR", "DSCT|GDOR|SXPHE")),
    "classes with a score": VariableClasses(("CEP", "LPV"), 0.5, 5),
    **{f"table {name}": GaiaTable(name, 7) for name in TABLES},
    "cone": Cone(56.75, 24.1, 2.0),
    "cone with epochs": Cone(0.1, -89.5, 10.0, True, 3),
    "tiles": Tiles(3, (17, 18, 767), False),
    "tiles with epochs": Tiles(0, (0, 11), True),
    "random index": RandomIndex(0, 250_000),
    "random index with epochs": RandomIndex(0, 9_000_000, True),
}
MARKS = {
    "demo": (), "rrlyrae": (), "cepheids": (), "pulsators": (),
    "rrlyrae by cone": ("source.sample.tables=[]", "source.sample.cones=[[56.75, 24.1, 2.0]]", "limit=100"),
    "rrlyrae raw": ("source.options.gaia.structure=RAW", "source.options.gaia.zero_point_error=true"),
    "rrlyrae in bulk": ("source.bulk=true", "source.options.gaia.hats_source=/data/gaia_source"),
}  # fmt: skip


def ids_file(folder, column):
    path = folder / f"{column}.csv"
    pyarrow.csv.write_csv(pyarrow.table({column: np.arange(2**62 + 1, 2**62 + 90, 11)}), path)
    return IdFile(str(path))


def described(question, items=None):
    """Everything that tells a question from another, and its items from others."""
    found = {name: getattr(question, name) for name in ("service", "text", "release", "key", "is_upload")}
    found |= {"parameters": dict(question.parameters), "identity": question.identity("live")}
    if items is not None:
        hashes = hash_items(items, question.key).astype("<i8").tobytes()
        found["items"] = blake2b(hashes, digest_size=16).hexdigest()
    return found


def questions(folder):
    """Every question to Gaia DR3, by what it is about."""
    found = {name: described(each.question(RELEASE), each.items(RELEASE)) for name, each in SELECTIONS.items()}
    for column in ("source_id", "dr2_source_id"):
        selection = ids_file(folder, column)
        found[f"ids by {column}"] = described(selection.question(RELEASE)) | {"content": selection.content}
    found["neighbours"] = described(neighbours_question(RELEASE, 5.0))
    found["dr2 ids"] = described(neighbourhood_question(RELEASE, RELEASE.chain[0]))
    for structure in ("INDIVIDUAL", "RAW", "DATAMODEL_STANDARD"):
        found[f"epochs {structure}"] = described(epochs_question(RELEASE, structure))
    found["list of files"] = described(bulk_gaia.list_question(RELEASE))
    found["file"] = described(bulk_gaia.file_question(RELEASE, bulk_gaia.FILES.empty_table(), np.array([1])))
    return found


def mark(name, endpoint="source.endpoint=live"):
    """The mark of a lake of Gaia alone, made with a preset and what differs from it."""
    settings = override(preset(name.split()[0]), (endpoint, "source.surveys=[gaia]", *MARKS[name]))
    return survey_archive(Run("run", "nowhere", settings.dataset, ""), settings.source, settings.limit).fingerprint


def test_every_question_is_the_same_to_the_byte(tmp_path):
    found = questions(tmp_path)
    assert found.keys() == HELD["questions"].keys()
    for name, question in found.items():
        assert question == HELD["questions"][name], name


@pytest.mark.parametrize("name", MARKS)
def test_the_mark_of_a_lake_is_the_same(name):
    assert mark(name) == HELD["marks"][name]


def test_datasets_keep_their_names():
    assert preset("rrlyrae").dataset == "rrlyrae" and override(preset("demo"), ()).dataset == "demo"
