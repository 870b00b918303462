"""Tests of what the archive calls things: schema and tables, and how booleans are compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher

import pyarrow as pa
import pyarrow.compute as pc

from tasks.archives.adql import literal
from tasks.archives.errors import ArchiveError, BadQuestion, Retryable
from tasks.surveys.gaia_check.findings import Ended, Findings, Line, Status, Verdict
from tasks.surveys.gaia_release import ChainStep
from tasks.surveys.gaia_releases import FIRST, RELEASES

SOME_ID = 5937083312263887616  # a source of every release since DR2; whether it has a product does not matter
ALIKE = 0.6  # of two names, by difflib, for one to be taken for the other
WORDS_OF_TRUE = ("'true'", "'t'", "true", "1", "")


def find_schema(found: Findings) -> Iterator[Line]:
    """The one schema of the release; without one the release is not there, if DataLink knows nothing of it either."""
    release = found.release
    names = _texts(pc.unique(_patiently(found, "SELECT schema_name FROM TAP_SCHEMA.schemas")["schema_name"]))
    like = [name for name in names if release.release in name.lower()]
    if not like:
        yield _no_schema(found, names)
    elif release.schema_name in like:
        yield Line(Status.OK, f"{release.schema_name}, of {len(names)} schemas")
    elif len(like) == 1 and found.change(("schema",), like[0], f"{release.schema_name} is not there"):
        yield Line(Status.DIFFERENT, f"{release.schema_name} is called {like[0]}", f'schema = "{like[0]}"')
    else:
        raise Ended(
            Verdict.LACKING,
            Line(Status.MISSING, f"{release.schema_name} is not there; alike are {', '.join(like)}", 'schema = "..."'),
        )


def _patiently(found: Findings, text: str) -> pa.Table:
    """The rows of the first query; where the archive's queue stands still, it is asked without from here on."""
    try:
        return found.ask.rows(text, attempts=1)
    except Retryable as error:
        is_stalled = "did not finish a job" in str(error)
    found.ask.is_sync |= is_stalled
    rows = found.ask.schema_rows(text)
    if is_stalled:
        found.change(("limits", "tap_sync"), True, "the queue of TAP stood still")
    return rows


def _no_schema(found: Findings, names: Sequence[str]) -> Line:
    release, first = found.release, RELEASES[FIRST]
    if first.schema_name not in names:
        raise Ended(
            Verdict.UNREACHABLE, Line(Status.UNKNOWN, f"an archive without {first.schema_name}: {', '.join(names)}")
        )
    try:
        found.ask.products([SOME_ID], release.datalink.retrieval_type, release.datalink.release)
    except BadQuestion as error:
        raise Ended(Verdict.NOT_RELEASED, Line(Status.MISSING, f"no schema {release.schema_name}; {error}")) from None
    raise Ended(
        Verdict.LACKING,
        Line(Status.MISSING, f"DataLink knows the release, but of {', '.join(names)} no schema is its own", "schema"),
    )


def find_tables(found: Findings) -> Iterator[Line]:
    """A table for each alias: the first candidate that is there, else the one with the name most alike."""
    release = found.release
    query = f"SELECT table_name FROM TAP_SCHEMA.tables WHERE schema_name = {literal(release.schema_name)}"
    listed = _texts(pc.unique(found.ask.schema_rows(query)["table_name"]))
    of_others = [name for name in listed if "." in name and not name.startswith(f"{release.schema_name}.")]
    names = [name.rpartition(".")[2].lower() for name in listed if name not in of_others]
    wanted = {name for names_of in release.candidates.values() for name in names_of}
    wanted |= {step.table for step in release.chain}
    free = [name for name in names if name not in wanted]
    for alias, candidates in release.candidates.items():
        here = [name for name in candidates if name in names]
        if candidates and here[:1] != [candidates[0]]:
            other = here[0] if here else most_alike(candidates[0], free)
            yield _other_table(found, alias, candidates[0], other)
    for index, step in enumerate(release.chain):
        if "." not in step.table and step.table not in names:
            yield _other_step(found, index, step, most_alike(step.table, free))
    yield Line(Status.OK, f"{len(names)} tables; not asked for: {', '.join(sorted(set(free))) or 'none'}")


def _other_table(found: Findings, alias: str, name: str, other: str) -> Line:
    if found.change(("tables", alias), other, f"{name} is not there" + (f", {other} is" if other else "")):
        if other:
            return Line(Status.DIFFERENT, f"{name} is called {other}", f'tables.{alias} = "{other}"')
        return Line(Status.MISSING, f"{name} is not there: its columns are null", f'tables.{alias} = ""')
    return Line(Status.MISSING, f"{name} is not there, nor a table of a name like it", f"tables.{alias}", True)


def _other_step(found: Findings, index: int, step: ChainStep, other: str) -> Line:
    steps = [one.model_dump() for one in found.release.chain]
    steps = [*steps[:index], steps[index] | {"table": other}, *steps[index + 1 :]] if other else steps[:index]
    found.change(("chain",), steps, f"{step.table} is not there")
    if other:
        return Line(Status.DIFFERENT, f"{step.table} is called {other}", "chain")
    return Line(Status.MISSING, f"{step.table} is not there: no id of an earlier release, no TIC by id", "chain")


def find_true(found: Findings) -> Iterator[Line]:
    """The literal that a true flag equals: the first that the service takes."""
    release = found.release
    alias, column = release.asked_columns["has_epoch_photometry"]
    words = dict.fromkeys((release.true_literal, *WORDS_OF_TRUE))
    refused: list[ArchiveError] = []
    for word in words:
        equals = f" = {word}" if word else ""
        text = f"SELECT TOP 1 source_id FROM {release.tables[alias]} WHERE {column}{equals}"
        try:
            found.ask.rows(text)
        except ArchiveError as error:  # services do not all say that it is the literal that they mean
            refused.append(error)
            continue
        if word == release.true_literal:
            yield Line(Status.OK, f"{column} = {word}")
        else:
            found.change(("true_literal",), word, f"{release.true_literal} is refused")
            yield Line(Status.DIFFERENT, str(refused[0]), f'true_literal = "{word}"')
        return
    raise refused[0]


def most_alike(name: str, others: Iterable[str]) -> str:
    """The name most alike, "" where none is enough."""
    ranked = sorted((SequenceMatcher(None, name, other).ratio(), other) for other in others)
    return ranked[-1][1] if ranked and ranked[-1][0] >= ALIKE else ""


def _texts(column: pa.ChunkedArray | pa.Array) -> list[str]:
    return [str(one) for one in column.to_pylist() if one is not None]
