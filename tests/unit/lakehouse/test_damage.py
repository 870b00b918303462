"""A table, manifest or lake that is damaged is one sentence, and its advice works."""

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pytest

from lakehouse.delta.damage import SAMPLE, damage
from lakehouse.delta.staging import commit_staged, stage_rows
from lakehouse.delta.store import Lake
from lakehouse.manifest import RunManifest, read_manifests
from lakehouse.models import explain_damaged_model, read_current, set_current, write_model
from lakehouse.query import run_sql
from schemas import TABLES, BadInput

SOURCE, EPOCH = TABLES["core_sample__source"], TABLES["raw_sample__epoch"]
WORDS = r"^raw_sample__epoch is damaged \(.*\): put back a copy of .*raw_sample__epoch, or remove .*epoch and "


@pytest.fixture
def full(lake, epochs, sources):
    lake.append("r1", EPOCH, epochs(range(8), length=40))
    lake.append("r1", SOURCE, sources(range(8)))
    return lake


def file_of(lake: Lake, pattern: str) -> Path:
    """The largest file of the table of epochs that has such a name."""
    return max(lake.folder(EPOCH).rglob(pattern), key=lambda path: path.stat().st_size)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def garble(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:20] + b"\x00\xff" * 20 + data[60:-60] + b"\xff" * 60)


@pytest.mark.parametrize("spoil", [cut, empty, garble, Path.unlink])
@pytest.mark.parametrize("pattern", ["*.parquet", "00000000000000000001.json"])
def test_a_damaged_table_is_one_sentence_however_it_is_read(full, pattern, spoil):
    if (pattern, spoil) == ("00000000000000000001.json", Path.unlink):
        pytest.skip("the table is then whole, as it was before its last commit")
    spoil(file_of(full, pattern))
    readers = (
        lambda: full.read(EPOCH),
        lambda: full.scan(EPOCH).read_all(),
        lambda: run_sql(full, "select sum(len(time)) from raw_sample__epoch"),
    )
    for read in readers:
        with pytest.raises(BadInput, match=WORDS) as caught:
            read()
        assert "\n" not in str(caught.value) and "Traceback" not in str(caught.value)


def test_the_advice_works(full, epochs):
    cut(file_of(full, "*.parquet"))
    with pytest.raises(BadInput) as caught:
        full.read(EPOCH)
    folders = [Path(word.rstrip(",")) for word in str(caught.value).split() if word.startswith("/")]
    assert full.folder(EPOCH) in folders and full.folder(SAMPLE) in folders
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    assert full.tables() == []
    full.append("r2", EPOCH, epochs(range(8)))
    assert full.read(EPOCH).num_rows == 8


def test_the_sample_itself_is_named_once(tmp_path):
    text = str(damage(tmp_path / SAMPLE, OSError("cut\nhere.")))
    assert text.count(f"{tmp_path}/{SAMPLE}") == 2 and " (cut): " in text and "\n" not in text


def test_a_wrong_question_is_no_damage(full):
    with pytest.raises(pa.ArrowInvalid, match="No match for FieldRef"):
        full.read(EPOCH, where={"no_column": 1})


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"format": "1", "tile_order": 0}', '{"format": 1}', "\x00"])
def test_a_damaged_lake_json_says_what_to_write(lake, text):
    about = lake.path / "lake.json"
    whole = about.read_text()
    about.write_text(text)
    with pytest.raises(BadInput, match=r"lake\.json is damaged") as caught:
        Lake(lake.path)
    if "write {" in str(caught.value):
        about.write_text(str(caught.value).partition("write ")[2].partition(" into it")[0])
    else:
        about.unlink()
        Lake(lake.path, create=True)
    assert json.loads(about.read_text()) == json.loads(whole) and Lake(lake.path).tile_order == lake.tile_order


@pytest.mark.parametrize("text", ["{", "[]", "{}", "\x00", '{"run_id": "r1"}'])
def test_a_damaged_manifest_says_what_to_remove(lake, text):
    RunManifest.start(lake, {}, run_id="r1")
    RunManifest.start(lake, {}, run_id="r2")
    (lake.path / "runs" / "r1.json").write_text(text)
    with pytest.raises(BadInput, match=r"runs/r1\.json is damaged \(.*\); remove it and run again"):
        read_manifests(lake)
    (lake.path / "runs" / "r1.json").unlink()
    assert [manifest.run_id for manifest in read_manifests(lake)] == ["r2"]


def test_a_model_that_was_removed_is_none(lake):
    for target in ("class", "teff_k"):
        with write_model(lake.path, "demo", target, "m1", {}):
            pass
        set_current(lake.path, "demo", target, "m1")
    shutil.rmtree(lake.path / "models" / "demo" / "class" / "m1")
    assert read_current(lake.path, "demo") == {"teff_k": "m1"}


@pytest.mark.parametrize("name", ["a%20b", "a\\b", "new\nline", "what?", "a#b"])
def test_a_path_that_tables_cannot_have_is_refused(tmp_path, name):
    with pytest.raises(BadInput, match=r"The path of the lake .* holds .*: choose a folder") as caught:
        Lake(tmp_path / name, create=True)
    assert "\n" not in str(caught.value) and not (tmp_path / name).exists()


@pytest.mark.parametrize("name", ["0.json", "*.parquet"])
def test_a_damaged_staged_part_says_what_to_remove(lake, sources, name):
    stage_rows(lake.path, SOURCE, sources(range(40)), "k1", 0)
    (staged,) = (lake.path / "staging" / SOURCE.name / "k1").glob(name)
    for spoil in (cut, lambda path: path.write_text("{}")):
        spoil(staged)
        with pytest.raises(BadInput, match=r"damaged .*[:;] remove (it|.*/k1) and run again"):
            commit_staged(lake, "r1", SOURCE, "k1")


def test_a_damaged_model_says_what_to_remove(tmp_path):
    for error in (KeyError("classes"), OSError("cut"), pa.ArrowInvalid("no magic bytes"), ValueError("x\ny")):
        words = rf"^The model m1 is damaged \(.*\): remove {tmp_path}/m1 and refresh again"
        with pytest.raises(BadInput, match=words), explain_damaged_model(tmp_path / "m1"):
            raise error
