"""A release beside the one before it: figures of the models with intervals, and the shares of the classes."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from flows.settings import Settings
from flows.summary import METRIC, chosen_figures, with_interval
from lakehouse.delta.store import Lake
from lakehouse.models import ModelPlace

CATALOGUE = "out__catalogue"
FIGURE = ["target", "split", "metric", "value", "lo", "hi", "n"]


def find_previous(release: Path, dataset: str) -> Path | None:
    """The release of `dataset` before `release`, in the same folder; None for the first."""
    before = [path for path in release.parent.glob(f"{dataset}-[0-9]*") if path.name < release.name]
    return max((path for path in before if (path / "report.html").exists()), default=None, key=lambda path: path.name)


def describe_figures(lake: Lake, settings: Settings, release: Path | None) -> list[str]:
    """Markdown: how good each target's model is, and how good that of the release before was."""
    models = ModelPlace.parse(settings.models, str(lake.path), settings.dataset)
    figures = chosen_figures(Lake(models.lake), models.dataset)
    if not figures:
        return []
    before = {_key(row): row for row in _read_figures(release and find_previous(release, settings.dataset))}
    rows = [
        f"| {row['target']} | {row['recipe']} | {row['metric']}, {row['split']} | {with_interval(row)} "
        f"| {with_interval(before.get(_key(row)))} |"
        for row in figures
    ]
    return [
        "## Models",
        "\n".join(["| target | recipe | figure | now | release before |", "|---|---|---|---|---|", *rows]),
    ]


def _key(row: dict) -> tuple[str, str, str]:
    return row["target"], row["split"], row["metric"]


def _read_figures(release: Path | None) -> list[dict]:
    """Rows of the metrics of a release that are of all objects and of the models that scored."""
    if release is None or not (path := release / f"{METRIC}.parquet").exists():
        return []
    return pq.read_table(path, columns=FIGURE, filters=[("class", "=", "all"), ("is_chosen", "=", True)]).to_pylist()


def describe_drift(dataset: str, release: Path | None) -> list[str]:
    """Markdown: how the shares of the classes differ between a release and the one before it."""
    before = release and find_previous(release, dataset)
    if release is None or not before:
        return []
    now, then = _shares(release), _shares(before)
    if not now or not then:
        return []
    names = sorted({*now, *then}, key=lambda name: -abs(now.get(name, 0.0) - then.get(name, 0.0)))
    distance = sum(abs(now.get(name, 0.0) - then.get(name, 0.0)) for name in names) / 2
    rows = [f"| {name} | {now.get(name, 0.0):.1%} | {then.get(name, 0.0):.1%} |" for name in names]
    return [
        f"## Drift\n\n{distance:.1%} of the stars would have to change class to have the shares of {before.name}.",
        "\n".join(["| class | now | release before |", "|---|---|---|", *rows]),
    ]


def _shares(release: Path) -> dict[str, float]:
    """Share of each class among the stars of a release that have one."""
    path = release / f"{CATALOGUE}.parquet"
    if not path.exists() or "class_pred" not in pq.read_schema(path).names:
        return {}
    counts: pa.StructArray = pq.read_table(path, columns=["class_pred"])["class_pred"].drop_null().value_counts()
    total = sum(counts.field("counts").to_pylist())
    return {row["values"]: row["counts"] / total for row in counts.to_pylist()}
