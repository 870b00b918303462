"""What differs between two releases, or between two datasets of a lake."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.answer import choose_form, write
from lakehouse.delta.store import Lake
from lakehouse.releases.diff import LINKS, Catalogue, diff_catalogues, summarise
from schemas import TABLES, BadInput

CATALOGUE, SUCCESSOR = TABLES["out__catalogue"], TABLES["assn_sample__successor"]


def diff_releases(earlier: str, later: str, lake: Path, out: Path | None, console: Console) -> None:
    """Say how the catalogue `later` differs from `earlier`, each a folder of a release or a dataset of the lake.

    Ids that a migration in the lake leads from one to the other are followed. Every difference is a row of `out`.
    """
    form = choose_form(None, out) if out else None
    before, after = (open_catalogue(name, lake) for name in (earlier, later))
    links = read_links(lake, before.dataset, after.dataset)
    n_both, rows = diff_catalogues(before, after, links)
    by = "source_id" if links is None else f"what became of the ids of {before.dataset} in {after.dataset}"
    console.print(escape(f"{n_both:,} objects are in both, matched by {by}."), soft_wrap=True)
    table = Table("change", "of", "objects", box=None)
    for entry in summarise(rows):
        table.add_row(entry["change"], escape(entry["what"]), f"{entry['n']:,}")
    console.print(table if rows.num_rows else "Nothing differs.")
    if out and form:
        write(rows, form, out)
        console.print(escape(f"{rows.num_rows:,} differences written to {out}."), soft_wrap=True)


def open_catalogue(name: str, lake: Path) -> Catalogue:
    """The catalogue in the release folder `name`, or of the dataset `name` of the lake; BadInput where neither is."""
    from pyarrow.dataset import dataset

    file = Path(name) / f"{CATALOGUE.name}.parquet"
    if file.is_file():
        try:
            rows = dataset(file, format="parquet")
            return Catalogue(rows.head(1, columns=["dataset"])["dataset"][0].as_py(), rows)
        except (pa.ArrowException, IndexError, OSError) as error:
            raise BadInput(f"{file} is no catalogue of a release: {str(error).splitlines()[0]}.") from None
    place = Lake(lake) if (lake / "lake.json").exists() else None
    if place is None or not place.exists(CATALOGUE) or not place.count(CATALOGUE, dataset=name):
        raise BadInput(
            f"{name} is neither the folder of a release, with {file.name} in it, nor a dataset with a catalogue in the "
            f"lake at {lake}."
        )
    return Catalogue(name, place.dataset(CATALOGUE))


def read_links(lake: Path, earlier: str, later: str) -> pa.Table | None:
    """What became of the ids of one dataset in the other (LINKS), or the same read backwards; None where it is not
    known: then equal ids are one object."""
    place = Lake(lake) if (lake / "lake.json").exists() else None
    if place is None or not place.exists(SUCCESSOR):
        return None
    rows = place.read(SUCCESSOR, LINKS.names, where={"dataset": later, "earlier_dataset": earlier})
    if rows.num_rows:
        return rows
    rows = place.read(SUCCESSOR, LINKS.names, where={"dataset": earlier, "earlier_dataset": later})
    rows = rows.filter(pc.is_valid(rows["source_id"]))
    names = {"earlier_id": "source_id", "source_id": "earlier_id"}
    return rows.rename_columns([names.get(name, name) for name in rows.column_names]) if rows.num_rows else None
