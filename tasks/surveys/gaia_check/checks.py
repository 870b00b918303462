"""The tests of a release in their order, and how they are run: what one finds, the next asks by."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tasks.archives.errors import ArchiveError, BadQuestion
from tasks.archives.question import Question
from tasks.surveys.gaia_check import columns, epochs, flags, samples, schema
from tasks.surveys.gaia_check.asking import read_any
from tasks.surveys.gaia_check.findings import Ended, Findings, Line, Status, Verdict
from tasks.surveys.gaia_releases import FIRST


@dataclass(frozen=True)
class Check:
    """One test: its name, and the function that finds its lines.

    `is_needed`: a run asks the same. `is_first`: without an answer to it nothing else is asked. `is_bulk`: made where
    bulk files are asked about.
    """

    name: str
    find: Callable[[Findings], Iterator[Line]]
    is_needed: bool = False
    is_first: bool = False
    is_bulk: bool = False


def list_bulk(found: Findings) -> Iterator[Line]:
    """What the folder of bulk files says; it decides nothing."""
    folder = re.sub(rf"/g{FIRST}/.*", f"/g{found.release.release}/", found.ask.cdn)
    body = found.ask.put(Question("gaia_cdn", "", "check", read_any, {"address": folder}))
    yield Line(Status.OK, f"{folder}: {len(body):,} bytes")


CHECKS: tuple[Check, ...] = (
    Check("schemas", schema.find_schema, is_first=True),
    Check("tables", schema.find_tables),
    Check("columns", columns.find_columns, is_needed=True),
    Check("booleans", schema.find_true),
    Check("wide question, 10", samples.ask_few, is_needed=True),
    Check("wide question, 10,000", samples.ask_many),
    Check("class words", samples.count_words),
    Check("counts", samples.count_tables),
    Check("ids, epoch, parameters", samples.look_at_sources),
    Check("earlier releases", samples.follow_links),
    Check("Pan-STARRS1", samples.look_at_matches),
    Check("one product", epochs.ask_one),
    Check("20 products", epochs.ask_some, is_needed=True),
    Check("times", epochs.compare_times),
    Check("flags of photometry", flags.prove_flags),
    Check("flags of variability", flags.ask_flags),
    Check("no product", epochs.ask_without),
    Check("neighbours", samples.ask_neighbours),
    Check("bulk files", list_bulk, is_bulk=True),
)
WORST_FIRST = (Verdict.UNREACHABLE, Verdict.LACKING, Verdict.OVERRIDDEN, Verdict.READY)


def check_release(
    found: Findings, tell: Callable[[str, Line], None], checks: tuple[Check, ...] = CHECKS, has_bulk: bool = False
) -> Verdict:
    """Run the tests, tell each line by the test's name, and give the verdict.

    A test that ends with a fault is UNKNOWN, and the rest goes on. Where a run asks the same, the release lacks what it
    asks for, or the archive is unreachable if it was not the question that was at fault.
    """
    verdicts = {Verdict.READY}
    for test in (each for each in checks if has_bulk or not each.is_bulk):
        try:
            for line in test.find(found):
                tell(test.name, line)
                verdicts |= {Verdict.LACKING} if line.is_needed else set()
        except Ended as end:
            tell(test.name, end.line)
            return end.verdict
        except Exception as error:  # what an archive of tomorrow answers is not known: the other tests are worth making
            tell(test.name, Line(Status.UNKNOWN, _words(error)))
            if test.is_needed or test.is_first:
                verdicts.add(Verdict.LACKING if isinstance(error, BadQuestion) else Verdict.UNREACHABLE)
            if test.is_first:
                break
    verdicts |= {Verdict.OVERRIDDEN} if found.changes else set()
    return next(verdict for verdict in WORST_FIRST if verdict in verdicts)


def _words(error: Exception) -> str:
    return str(error) if isinstance(error, ArchiveError) else f"{type(error).__name__}: {error}"
