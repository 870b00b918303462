"""What differs between two catalogues: by their own ids, and across a migration."""

import pyarrow as pa
import pyarrow.dataset
import pytest
from rich.console import Console

from flows.release_diff import diff_releases, read_links
from lakehouse.delta.store import Lake
from lakehouse.releases.diff import DIFFERENCES, LINKS, Catalogue, diff_catalogues, summarise
from lakehouse.releases.release import write_release
from schemas import TABLES, BadInput, Column

CATALOGUE = TABLES["out__catalogue"]
VALUES = tuple(f"feh'dex{end}" for end in ("", "_lo", "_hi"))


def row(source_id, name, value=None, half=0.1, period=None):
    ends = (None, None, None) if value is None else (value, value - half, value + half)
    return {"source_id": source_id, "class_pred": name, "period_day": period, "period_error_day": 0.001,
            **dict(zip(VALUES, ends, strict=True))}  # fmt: skip


def catalogue(dataset, *rows):
    own = pa.Table.from_pylist([{"dataset": dataset, **each} for each in rows])
    return Catalogue(dataset, pa.dataset.dataset(own))


BEFORE = catalogue(
    "old", row(1, "RRab", -1.0), row(2, "RRc", -1.0, period=0.3), row(3, "RRab"), row(4, None), row(5, "X")
)
AFTER = catalogue("new", row(1, "RRab", -1.15), row(2, "RRab", -1.3, period=0.45), row(4, None), row(9, "RRd"))


def short(rows):
    names = ("change", "name", "earlier_id", "source_id", "outcome", "class_before", "class_after")
    return [tuple(each[name] for name in names) for each in rows.to_pylist()]


def test_equal_ids_are_one_object_where_nothing_else_is_known():
    n_both, rows = diff_catalogues(BEFORE, AFTER)
    assert n_both == 3 and rows.schema.equals(DIFFERENCES)
    assert short(rows) == [
        ("added", None, None, 9, None, None, "RRd"),
        ("class", None, 2, 2, None, "RRc", "RRab"),
        ("removed", None, 3, None, None, "RRab", None),
        ("removed", None, 5, None, None, "X", None),
        ("value", "feh'dex", 2, 2, None, None, None),  # 1 moved within its intervals, and 4 has no value
        ("value", "period_day", 2, 2, None, None, None),
    ]
    value = rows.to_pylist()[-2]
    assert [round(value[f"{name}_{side}"], 3) for side in ("before", "after") for name in ("value", "lo", "hi")] == [
        -1.0, -1.1, -0.9, -1.3, -1.4, -1.2]  # fmt: skip
    assert [(each["change"], each["what"], each["n"]) for each in summarise(rows)] == [
        ("removed", "", 2), ("added", "", 1), ("class", "RRc -> RRab", 1), ("value", "feh'dex", 1),
        ("value", "period_day", 1)]  # fmt: skip
    assert diff_catalogues(BEFORE, BEFORE)[1].num_rows == 0


LINKED = [(1, 9, "renamed", True), (2, 2, "split", True), (2, 1, "split", False), (3, 4, "merged", False),
          (4, 4, "merged", True), (5, None, "lost", False)]  # fmt: skip


def test_ids_are_followed_across_a_migration():
    links = pa.Table.from_pylist([dict(zip(LINKS.names, each, strict=True)) for each in LINKED], LINKS)
    n_both, rows = diff_catalogues(BEFORE, AFTER, links)
    assert n_both == 3 and [each for each in short(rows) if each[0] != "value"] == [
        ("added", None, 2, 1, "split", None, "RRab"),
        ("class", None, 1, 9, "renamed", "RRab", "RRd"),
        ("class", None, 2, 2, "split", "RRc", "RRab"),
        ("removed", None, 3, 4, "merged", "RRab", None),
        ("removed", None, 5, None, "lost", "X", None),
    ]


def test_releases_and_datasets_by_name(tmp_path):
    place, spec = Lake(tmp_path / "lake", create=True), TABLES["assn_sample__successor"]
    bound = CATALOGUE.bind([Column("prob_A", pa.float32(), "P.", nullable=True)])
    names = [column.name for column in bound.columns]
    fixed = dict.fromkeys(names) | {"tile": 0, "object_id": "", "n_epoch": 1, "is_training": False, "model_id": "",
                                    "feature_hash": 0, "run_id": "r", "scored_at": 0}  # fmt: skip
    old, new = ([fixed | {"dataset": name, "source_id": i, "class_pred": "A"} for i in ids]
                for name, ids in (("old", (1, 2)), ("new", (1, 5))))  # fmt: skip
    place.append("r", bound, pa.Table.from_pylist(new, bound.arrow()))
    folder = write_release(tmp_path / "old-r", {CATALOGUE.name: (bound, pa.Table.from_pylist(old, bound.arrow()))}, {})
    console = Console(width=200)

    def said(*names, out=None):
        with console.capture() as capture:
            diff_releases(*names, place.path, out, console)
        return capture.get()

    assert "1 objects are in both, matched by source_id" in said(str(folder), "new")
    link = dict.fromkeys(spec.arrow().names) | {"dataset": "new", "earlier_dataset": "old", "outcome": "renamed",
                                                "is_carried": True}  # fmt: skip
    links = [link | {"earlier_id": before, "source_id": after} for before, after in ((1, 1), (2, 5))]
    place.append("r", spec, pa.Table.from_pylist(links, spec.arrow()))
    told = said(str(folder), "new", out=tmp_path / "differences.csv")
    assert "2 objects are in both" in told and "Nothing differs." in told
    assert (tmp_path / "differences.csv").read_text().startswith('"change","name","earlier_id"')
    backwards = read_links(place.path, "new", "old").select(["earlier_id", "source_id"])
    assert [tuple(each.values()) for each in backwards.to_pylist()] == [(1, 1), (5, 2)]
    with pytest.raises(BadInput, match="neither the folder of a release"):
        said("new", "nowhere")
