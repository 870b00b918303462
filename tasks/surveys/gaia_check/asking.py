"""Questions of a check: put straight to the services, few, small, and read whatever they answer."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from tasks.archives.csv import FALSE, NULLS, TRUE
from tasks.archives.errors import Retryable
from tasks.archives.question import Question
from tasks.surveys.gaia_files import group_by_header, join_files, list_members

Send = Callable[[Question, pa.Table, int], bytes]
ATTEMPTS = 3
NOTHING = pa.table({})
MOST_REQUESTS = 40


@dataclass
class Asking:
    """Puts questions with `send`, in so many attempts, and counts them; `seconds` is how long the last one took.

    `is_sync`: Gaia's TAP is asked without its queue, which was seen to stand still. `cdn` is the folder of the bulk
    files of all releases. `describe` gives the columns of all tables of Gaia's TAP as its TAP_SCHEMA would, without a
    query.
    """

    send: Send
    cdn: str = ""
    describe: Callable[[], pa.Table] | None = None
    is_sync: bool = False
    n_request: int = 0
    seconds: float = 0.0
    log: list[str] = field(default_factory=list)
    _described: pa.Table | None = None

    def put(self, question: Question, items: pa.Table = NOTHING, attempts: int = ATTEMPTS) -> bytes:
        """The verbatim answer; raises what the clients raise, and Retryable beyond MOST_REQUESTS."""
        if self.n_request >= MOST_REQUESTS:
            raise Retryable(f"The check has asked {MOST_REQUESTS} times, which is all that it may.")
        self.n_request += 1
        began = time.monotonic()
        try:
            return self.send(replace(question, is_sync=self.is_sync), items, attempts)
        finally:
            self.seconds = time.monotonic() - began

    def rows(self, text: str, service: str = "gaia_tap", attempts: int = ATTEMPTS) -> pa.Table:
        """The rows of an ADQL query, types as their text looks."""
        return read_any(self.put(adql_question(text, service), attempts=attempts))

    def schema_rows(self, text: str, attempts: int = ATTEMPTS) -> pa.Table:
        """The rows of a query to TAP_SCHEMA; of all columns by VOSI where it fails, as it does on busy days."""
        try:
            return self.rows(text, attempts=attempts)
        except Retryable:
            if self.describe is None or self.n_request >= MOST_REQUESTS:
                raise
        self.n_request += 1
        if self._described is None:
            self._described = self.describe()
        schema = pc.replace_substring_regex(self._described["table_name"], r"\.[^.]*$", "")
        return self._described.append_column("schema_name", schema)

    def products(self, ids: Sequence[int], kind: str, release: str, structure: str = "INDIVIDUAL") -> bytes:
        """DataLink's zip about sources by their ids."""
        return self.put(product_question(kind, release, structure), pa.table({"source_id": pa.array(ids, pa.int64())}))


def adql_question(text: str, service: str) -> Question:
    """An ADQL question of a check."""
    return Question(service, text, "check", read_any)


def product_question(kind: str, release: str, structure: str) -> Question:
    """A question about a product of DataLink."""
    parameters = {"RELEASE": release, "DATA_STRUCTURE": structure}
    return Question("gaia_datalink", kind, "check", read_any, parameters, key="source_id")


def read_any(body: bytes) -> pa.Table:
    """A CSV document with whatever columns it has, their names in lower case."""
    if b"\n" not in body.strip():
        return pa.table({name: pa.nulls(0) for name in body.decode().strip().lower().split(",")})
    options = pacsv.ConvertOptions(
        null_values=NULLS, true_values=TRUE[:-1], false_values=FALSE[:-1], strings_can_be_null=True
    )
    table = pacsv.read_csv(io.BytesIO(body), pacsv.ReadOptions(use_threads=False), None, options)
    return table.rename_columns([name.lower() for name in table.column_names])


def read_product(answer: bytes, kind: str) -> pa.Table:
    """All rows of the files of a product in DataLink's zip, with every column that they have, and source_id."""
    parts = []
    for header, files in group_by_header(list_members(answer, kind)).items():
        body, source_id = join_files(header, files)
        rows = read_any(body)
        parts.append(rows if source_id is None else rows.append_column("source_id", pa.array(source_id)))
    return pa.concat_tables(parts, promote_options="permissive") if parts else NOTHING


def word_counts(rows: pa.Table) -> Mapping[str, int]:
    """Counts by word, of rows with the columns word and n; null is left out."""
    pairs = zip(rows["word"].to_pylist(), rows["n"].to_pylist(), strict=True)
    return {str(word): int(n) for word, n in pairs if word is not None}
