"""`argelander`, the command line. Heavy imports wait inside the commands that need them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from flows.command import LAKE, DataOption, Format, LakeOption, OutOption, local_path, one_sentence, screen
from flows.operating import operating
from schemas import TABLES, BadInput

if TYPE_CHECKING:
    from schemas.inputs import Source

app = typer.Typer(
    name="argelander",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Sky archives in, scored catalogues of variable stars out.",
)

releases = typer.Typer(no_args_is_help=True, help="Compare releases.")
app.add_typer(releases, name="release")
app.add_typer(operating)


def say_reading(source: Source) -> None:
    """Say on standard error how a folder is read, before anything is done with it."""
    from schemas.inputs import FolderSource
    from schemas.reading import describe_reading

    for line in describe_reading(source.folder, source.spec) if isinstance(source, FolderSource) else ():
        print(f"  {line}", file=sys.stderr, flush=True)


@app.command()
@one_sentence
def refresh(
    preset: Annotated[str, typer.Argument(help="What to run; `argelander presets` lists them.")],
    data: DataOption = None,
    lake: LakeOption = LAKE,
    release: Annotated[
        Path, typer.Option("--release", parser=local_path, metavar="DIR", help="Folder that receives releases.")
    ] = Path("release"),
    limit: Annotated[int | None, typer.Option("--limit", help="Take only this many objects.")] = None,
    models: Annotated[
        str | None, typer.Option("--models", help="Score with the models of this dataset, or LAKE/DATASET; train none.")
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Ask the real archives, not the replica (untested live).")
    ] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Use the answers stored in the lake alone.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Download however long it is reckoned to take.")] = False,
    ask_again: Annotated[
        list[str] | None,
        typer.Option("--ask-again", help="A service, or all answers older than an age (30d); repeatable."),
    ] = None,
    assignments: Annotated[list[str] | None, typer.Option("--set", help="A setting, key=value; repeatable.")] = None,
) -> None:
    """Run the whole catalogue: sample, clean, featurize, train, score, publish; do only what is not done yet."""
    from flows import environment
    from flows.presets import preset as resolve
    from flows.settings import override

    flags = {
        f"limit={limit}": limit is not None,
        "source.endpoint=live": live,
        "source.offline=true": offline,
        "source.budget_hours=null": yes,
        f"source.ask_again={json.dumps(ask_again)}": bool(ask_again),
    }
    assigned = (*(assignments or ()), *(flag for flag, is_set in flags.items() if is_set))
    settings = override(resolve(preset, data), assigned)
    if models is not None:  # refused before anything is started, where they cannot score these stars
        from flows.scoring import with_models
        from lakehouse.delta.store import Lake

        settings = with_models(settings.model_copy(update={"models": models}), Lake(lake, create=True))
    environment.prepare(lake)
    print(f"Refreshing {settings.dataset} in {lake}", file=sys.stderr, flush=True)
    say_reading(settings.source)
    from flows.server import own_server

    with own_server() as wait_for_it:
        from flows.refresh import run_refresh
        from flows.summary import show

        wait_for_it()
        outcome = run_refresh(settings, lake, release)
    show(outcome, lake, settings)


@app.command()
@one_sentence
def inspect(
    folder: Annotated[Path, typer.Argument(help="Folder of your light curves.")],
    preset: Annotated[str | None, typer.Option("--preset", help="Preset that says how to read it.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="File for the mapping, else dataset.toml in DIR.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a mapping that is there.")] = False,
) -> None:
    """Say how a folder is read and all that is wrong with it, and write a complete dataset.toml to correct."""
    from flows.inspection import inspect_folder

    if inspect_folder(folder, preset, out, overwrite, screen()):
        raise typer.Exit(2)


@app.command()
@one_sentence
def replica(
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")
    ] = 8765,
    n_objects: Annotated[int, typer.Option("--n-objects", min=100, help="Stars of the embedded sky.")] = 3000,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**32 - 1, help="Which sky.")] = 1,
    folder: Annotated[Path, typer.Option("--folder", help="Where the served tables are kept.")] = LAKE / "replica",
) -> None:
    """Serve the embedded sky over the archives' own protocols, until interrupted."""
    from tasks.replica.serve import serve

    serve(n_objects, seed, folder, port)


@app.command()
@one_sentence
def check(
    name: Annotated[str, typer.Argument(help="The data release, such as dr4.")],
    base_url: Annotated[str | None, typer.Option("--base-url", help="A replica to ask, not the real archives.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="File for what differs; NAME.toml where left out.")] = None,
    file: Annotated[str, typer.Option("--release-file", help="A release file to begin with.")] = "",
    bulk: Annotated[bool, typer.Option("--bulk", help="Look at the folder of bulk files too.")] = False,
) -> None:
    """Ask the real archives (untested live) whether a data release is there as this code expects it.

    Exit code 0: ready; 4: ready with the file that this writes; 3: not there yet; 5: something is missing.
    """
    from flows.check import check as run
    from tasks.stages.acquire.addresses import archives_at

    console = screen()

    def tell(test: str, line: Any) -> None:
        words = test if line is None else f"{test:<24}{line.status:<10}{line.seen}"
        advice = f" -> {line.advice}" if line is not None and line.advice else ""
        console.print(escape(f"{words}{advice}"), soft_wrap=True)

    verdict = run(name, archives_at(base_url), out or Path(f"{name}.toml"), tell, file, bulk)
    raise typer.Exit(int(verdict))


@app.command()
@one_sentence
def presets(lake: LakeOption = LAKE) -> None:
    """List the presets, and which of them the lake was refreshed with."""
    from flows.presets import PRESETS, describe
    from lakehouse.delta.store import Lake
    from lakehouse.manifest import read_manifests

    done = read_manifests(Lake(lake)) if (lake / "lake.json").exists() else []
    held = {manifest.settings.get("preset") for manifest in done if manifest.status == "done"}
    table = Table("preset", "in the lake", "what it runs", box=None)
    for name in PRESETS:
        table.add_row(name, "yes" if name in held else "", describe(name))
    screen().print(table)


@app.command()
@one_sentence
def tables(lake: LakeOption = LAKE) -> None:
    """List the tables of the lake: rows, newest version, meaning."""
    from lakehouse.delta.store import Lake

    place = Lake(lake)
    table = Table("table", "rows", "version", "what it holds", box=None)
    for name in place.tables():
        table.add_row(name, f"{place.count(name):,}", str(place.version(name)), TABLES[name].doc)
    screen().print(table)


@app.command()
@one_sentence
def describe(table: str, lake: LakeOption = LAKE) -> None:
    """Columns of a table with their units, UCDs and meaning."""
    from lakehouse.query import describe as described

    result = described(lake, table)
    console = screen()
    console.print(f"{result.name}, {result.rows:,} rows, version {result.version}: {result.doc}")
    listing = Table("column", "type", "unit", "UCD", "meaning", box=None)
    for column in result.columns:
        listing.add_row(escape(column.name), str(column.type), column.unit, column.ucd, escape(column.doc))
    console.print(listing)


@app.command()
@one_sentence
def query(
    sql: Annotated[str, typer.Argument(help="SQL; tables by name, an old version as out__catalogue@3.")],
    lake: LakeOption = LAKE,
    form: Annotated[
        Format | None, typer.Option("--format", help="How to write the answer; else the ending of --out says it.")
    ] = None,
    out: Annotated[Path | None, OutOption(help="File to write instead of standard output.")] = None,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Only SELECT, and of this lake alone: for SQL that somebody else wrote.")
    ] = False,
) -> None:
    """Ask the lake in SQL (DuckDB)."""
    from flows.answer import choose_form, write
    from lakehouse.query import run_sql

    chosen = choose_form(form and form.value, out)
    write(run_sql(lake, sql, read_only), chosen, out)


@app.command()
@one_sentence
def score(
    data: Annotated[
        Path,
        typer.Option(
            "--data", parser=local_path, metavar="DIR", help="Folder of light curves; labels are not looked at."
        ),
    ],
    out: Annotated[Path, OutOption(help="Parquet file that receives the scores.")],
    preset: Annotated[
        str, typer.Option("--preset", help="Preset (or dataset) whose models score, and how to read the folder.")
    ],
    lake: LakeOption = LAKE,
) -> None:
    """Score a folder of unlabelled light curves with the lake's current models."""
    from flows import environment
    from flows.presets import folder_of
    from lakehouse.delta.store import Lake

    dataset, source = folder_of(preset, data, lake)
    if out.is_dir() or out.suffix.lower() not in ("", ".parquet", ".pq"):
        raise BadInput(f"{out} is no Parquet file: name one to write the scores to, such as scores.parquet.")
    Lake(lake)
    environment.quiet()
    say_reading(source)
    from flows.scoring import score_folder

    score_folder(source, dataset, lake, out)


@app.command()
@one_sentence
def runs(lake: LakeOption = LAKE) -> None:
    """List the runs of the lake, newest first: what each did, or why it failed or was stopped."""
    from flows.run_list import list_runs
    from lakehouse.delta.store import Lake

    screen().print(list_runs(Lake(lake)))


@app.command()
@one_sentence
def train(
    preset: Annotated[str, typer.Argument(help="A preset, or a dataset, that the lake was refreshed with.")],
    recipes: Annotated[
        list[str] | None, typer.Option("--recipe", help="What is trained; repeatable. Else what the preset trains.")
    ] = None,
    folds: Annotated[int | None, typer.Option("--folds", help="Folds; one model is trained without each.")] = None,
    seeds: Annotated[int | None, typer.Option("--seeds", help="Models of a recipe in each fold.")] = None,
    budget: Annotated[
        float | None, typer.Option("--budget", help="Minutes on two cores; recipes come in as they are named.")
    ] = None,
    lake: LakeOption = LAKE,
) -> None:
    """Train recipes on what the lake holds; a model that is better out of fold scores at the next refresh."""
    from flows import environment

    environment.quiet()
    from flows.model_list import list_models
    from flows.training import train_recipes
    from lakehouse.delta.store import Lake

    given = {"recipes": recipes and json.dumps(recipes), "n_folds": folds, "n_seeds": seeds, "budget_minutes": budget}
    wanted = [f"training.{name}={value}" for name, value in given.items() if value is not None]
    settings = train_recipes(preset, lake, wanted)
    screen().print(list_models(Lake(lake), settings.dataset))


@app.command()
@one_sentence
def migrate(
    earlier: Annotated[str, typer.Option("--from", help="A dataset of the lake.")],
    later: Annotated[str, typer.Option("--to", help="The same sample in a later data release, refreshed before.")],
    lake: LakeOption = LAKE,
    offline: Annotated[bool, typer.Option("--offline", help="Use the answers stored in the lake alone.")] = False,
) -> None:
    """Have labels, models with their training stars, and scores follow the ids into a dataset of a later release."""
    from flows import environment

    environment.quiet()
    from flows.migration import migrate_dataset

    migrate_dataset(earlier, later, lake, offline)


@app.command()
@one_sentence
def models(
    dataset: Annotated[str | None, typer.Argument(help="Of this dataset alone.")] = None, lake: LakeOption = LAKE
) -> None:
    """List the trained models of the lake: how good each is out of fold, and which of them score."""
    from flows.model_list import list_models
    from lakehouse.delta.store import Lake

    screen().print(list_models(Lake(lake), dataset))


@releases.command()
@one_sentence
def diff(
    earlier: Annotated[str, typer.Argument(help="Folder of a release, or a dataset of the lake.")],
    later: Annotated[str, typer.Argument(help="The one to compare with it.")],
    lake: LakeOption = LAKE,
    out: Annotated[Path | None, OutOption(help="CSV, JSON or Parquet file for every difference.")] = None,
) -> None:
    """Say what differs: objects, classes, values beyond their intervals; across data releases after a migration."""
    from flows.release_diff import diff_releases

    diff_releases(earlier, later, lake, out, screen())


@app.command(context_settings={"ignore_unknown_options": True})
@one_sentence
def bench(
    name: Annotated[str | None, typer.Argument(help="Which one; without a name they are listed.")] = None,
    arguments: Annotated[list[str] | None, typer.Argument(help="What the benchmark itself takes.")] = None,
    data: Annotated[Path | None, typer.Option("--data", help="Folder of the real sets.")] = None,
) -> None:
    """Measure a part of the project against its peers (in a checkout)."""
    from flows.bench import questions, run

    if name is not None:
        raise typer.Exit(run(name, arguments or (), data))
    table = Table("benchmark", "what it asks", box=None)
    for known, question in questions().items():
        table.add_row(known, escape(question))
    screen().print(table)


if __name__ == "__main__":
    sys.exit(app())
