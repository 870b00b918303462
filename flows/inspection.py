"""Look at a folder before anything runs: how it is read, what is wrong, what it counts, and a mapping to correct."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.text_plot import plot_light_curve
from lakehouse.disk import whole_file
from schemas import BadInput
from schemas.dataset import DATASET_FILE, DatasetSpec
from schemas.dataset_file import write_toml
from schemas.errors import Problems
from schemas.mapping import load_spec
from schemas.reading import describe_epochs, describe_objects
from schemas.sniff import BAND_KEY
from tasks.folder.overview import Overview, look_over


def inspect_folder(folder: Path, preset: str | None, out: Path | None, overwrite: bool, console: Console) -> Problems:
    """Print what there is to know about `folder`, write a complete mapping of it, and return what is wrong.

    The mapping goes to `out`, else into the folder as dataset.toml; a file that is there stays unless `overwrite`.
    """
    problems = Problems()
    spec: DatasetSpec | None = None
    with problems.collect():
        spec = load_spec(folder, preset, problems.collect)
    if spec is not None:
        console.print(f"Dataset {spec.name}", markup=False)
        _print_reading(folder, spec, problems, console)
        _print_overview(look_over(folder, spec, problems), spec, console)
    for problem in problems:
        console.print("[bold red]Wrong:[/]", escape(problem), soft_wrap=True)
    if spec is not None:
        kept = _keep(spec, problems, out or folder / DATASET_FILE, overwrite)
        console.print(kept if preset is None else f"{kept} The preset folder reads it.", markup=False, soft_wrap=True)
    return problems


def _print_reading(folder: Path, spec: DatasetSpec, problems: Problems, console: Console) -> None:
    """A line for each file that is there with the columns that are needed."""
    files = {"objects": describe_objects, **({"lightcurves": describe_epochs} if spec.has_light_curves else {})}
    for name, describe in files.items():
        if not any(key.startswith(f"{name}.") and key != BAND_KEY for key in problems.keys):
            with problems.collect():
                console.print(f"  {describe(folder, spec)}", markup=False, soft_wrap=True)


def _print_overview(overview: Overview, spec: DatasetSpec, console: Console) -> None:
    """Counts per band and class, what is odd, and one light curve."""
    console.print(f"{overview.n_object:,} objects")
    n_labelled = sum(overview.n_class.values())
    if overview.n_epoch:
        console.print(_counts("band", "epochs" if spec.has_light_curves else "objects", overview.n_epoch))
    if spec.label and overview.n_object:
        without = {"(no label)": overview.n_object - n_labelled} if n_labelled < overview.n_object else {}
        console.print(_counts("class", "objects", {**overview.n_class, **without}))
    for check, count in overview.refused.items():
        console.print(f"{count:,} values of {spec.objects.file} are refused ({check}).", markup=False)
    for note in overview.notes:
        console.print(note, markup=False, soft_wrap=True)
    if (curve := overview.example) is not None:
        console.print(f"Object {overview.example_id}, {curve.time.size:,} epochs", markup=False)
        for line in plot_light_curve(curve.time, curve.mag, curve.band, curve.bands):
            console.print(line, markup=False, soft_wrap=True)


def _counts(what: str, of: str, counts: Mapping[str, int]) -> Table:
    table = Table(what, of, box=None)
    for name, count in counts.items():
        table.add_row(escape(name), f"{count:,}")
    return table


def _keep(spec: DatasetSpec, problems: Problems, path: Path, overwrite: bool) -> str:
    """Write the mapping to `path` unless something is there; returns a sentence on what was done."""
    if path.exists() and not overwrite:
        return f"{path} is there and stays as it is; --overwrite replaces it by the complete mapping."
    try:
        with whole_file(path) as draft:
            draft.write_text(write_toml(spec, problems.keys), encoding="utf-8")
    except (OSError, BadInput) as error:
        return f"The mapping was not written ({error}): name a file elsewhere with --out."
    return f"{path} holds the complete mapping: correct it where the folder is read wrongly."
