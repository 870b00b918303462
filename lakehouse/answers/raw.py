"""Verbatim answers of archives: kept once, addressed by content, with a record of every request.

`raw/blobs/<ab>/<hash>.zst` holds an answer, `raw/<service>/<question>/<request>.json` what was asked and how it went.
The answer is written before its record: a record that says "done" has its answer, whenever the writer is killed.
"""

from __future__ import annotations

import base64
import logging
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import zstandard
from numpy.typing import NDArray

from lakehouse.disk import read_json, refuse_full_disk, whole_file, write_json

RAW_FOLDER = "raw"
BLOBS, REFUSED = "blobs", "refused"
SENT, DONE, SPLIT, FAILED, LOST = "sent", "done", "split", "failed", "lost"
DEAD_S = 3600.0  # a draft of a file lives for moments: an older one has lost its writer
LEVEL = 3  # of zstd, as in the files of the tables
LOG = logging.getLogger(__name__)


@dataclass
class Record:
    """One request: what was asked, how often it was tried, and where its answer is.

    `items` are int64 hashes of what it is about (the ids themselves where an item is no more than its id, else a hash
    of its row), packed by `packed`; `left_out` those of which the answer said nothing and which are to be asked about
    once more: they are not among the items of a request that is done. `item` spells out the item of a request that has
    but one. `state` is sent, done, split (`children` hold the answers), failed, or lost (its
    answer was damaged). Times are ISO 8601 in UTC; `content` is the hash of the answer; of a request that is sent, it
    is that of an answer whose rows are still to be counted.
    """

    key: str
    identity: str
    service: str
    endpoint: str
    release: str
    text: str
    parameters: dict[str, str] = field(default_factory=dict)
    n_item: int = 0
    items: str = ""
    left_out: str = ""
    item: dict[str, Any] | None = None
    state: str = SENT
    job_url: str | None = None
    attempts: list[dict[str, Any]] = field(default_factory=list)  # at, seconds, error (None: it went well)
    rows: int | None = None
    bytes: int | None = None
    content: str | None = None
    first_sent: str | None = None
    answered: str | None = None
    run_id: str = ""
    children: list[str] = field(default_factory=list)

    @property
    def item_hashes(self) -> NDArray[np.int64]:
        """Hashes of the items, (N,)."""
        return unpack(self.items)

    @property
    def answered_at(self) -> float:
        """When the answer came, Unix time; 0 where that is not on record."""
        return datetime.fromisoformat(self.answered).timestamp() if self.answered else 0.0

    @property
    def last_error(self) -> str | None:
        """What went wrong last, if anything did."""
        return next((a["error"] for a in reversed(self.attempts) if a["error"]), None)


NAMES = {f.name for f in fields(Record)}


def pack(item_hashes: NDArray[np.int64]) -> str:
    """Hashes of items, (N,), as text for a record."""
    return base64.b64encode(zlib.compress(np.asarray(item_hashes, "<i8").tobytes(), 6)).decode()


def unpack(text: str) -> NDArray[np.int64]:
    """Hashes of items, (N,), from the text of a record; none from an empty one."""
    return np.frombuffer(zlib.decompress(base64.b64decode(text)) if text else b"", "<i8")


def now() -> str:
    """The time as records write it."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


class RawStore:
    """The verbatim answers of one lake. Any number of threads and processes of one machine may use it at a time."""

    def __init__(self, lake_path: str | Path) -> None:
        self.folder = Path(lake_path) / RAW_FOLDER

    def question(self, service: str, identity: str) -> Path:
        """Folder of the records of one question."""
        return self.folder / service / identity

    def record(self, service: str, identity: str, key: str) -> Record | None:
        """The record of a request, if there is one."""
        return self._read(self.question(service, identity) / f"{key}.json")

    def records(self, service: str, identity: str) -> Iterator[Record]:
        """All records of a question, by key."""
        for path in sorted(self.question(service, identity).glob("*.json")):
            if (record := self._read(path)) is not None:
                yield record

    def records_since(self, when: float = 0.0) -> Iterator[Record]:
        """The records of all services that were written at or after `when` (Unix time), in the order of their paths."""
        for path in sorted(self.folder.glob("*/*/*.json")):
            is_new = path.parts[-3] not in (BLOBS, REFUSED) and path.stat().st_mtime >= when
            if is_new and (record := self._read(path)) is not None:
                yield record

    def write(self, record: Record) -> None:
        """Writes a record: readers see the old one or the new one. BadInput on a full disk."""
        path = self.question(record.service, record.identity) / f"{record.key}.json"
        with refuse_full_disk(f"the record of a request to {record.service}"):
            write_json(path, asdict(record))

    def note(self, record: Record) -> None:
        """Writes a record without an answer, unless the request has one already: that stays until a newer one came."""
        old = self.record(record.service, record.identity, record.key)
        if old is None or old.state != DONE:
            self.write(record)

    def keep(self, answer: bytes) -> str:
        """Keeps an answer and returns its hash; one that is kept already is written again only where it is damaged."""
        content = blake2b(answer, digest_size=20).hexdigest()
        path = self._blob(content)
        if not path.exists() or self._intact(content) is None:
            with refuse_full_disk("the answer of an archive"), whole_file(path) as draft:
                draft.write_bytes(zstandard.ZstdCompressor(level=LEVEL).compress(answer))
        return content

    def answer(self, content: str) -> bytes | None:
        """The answer with this hash; None, and a warning, where it is missing or damaged."""
        found = self._intact(content)
        if found is None:
            LOG.warning("The stored answer %s is missing or damaged: it counts as not answered.", self._blob(content))
        return found

    def set_aside(self, record: Record, answer: bytes) -> Path:
        """Puts an answer that nobody can read where the user may look at it; it counts as no answer."""
        path = self.folder / REFUSED / f"{record.service}-{record.key}"
        with refuse_full_disk(f"an answer of {record.service}"), whole_file(path) as draft:
            draft.write_bytes(answer)
        return path

    def clear_abandoned_drafts(self) -> None:
        """Removes what writers left that were killed, an hour after."""
        for draft in self.folder.glob("*/*/.*.tmp"):
            with suppress(FileNotFoundError):  # another program clears away too, or the writer lives and has renamed it
                if draft.stat().st_mtime < time.time() - DEAD_S:
                    draft.unlink()

    def _blob(self, content: str) -> Path:
        return self.folder / BLOBS / content[:2] / f"{content}.zst"

    def _intact(self, content: str) -> bytes | None:
        try:
            answer = zstandard.ZstdDecompressor().decompress(self._blob(content).read_bytes())
        except (FileNotFoundError, zstandard.ZstdError, MemoryError):  # a damaged header may claim any size
            return None
        return answer if blake2b(answer, digest_size=20).hexdigest() == content else None

    def _read(self, path: Path) -> Record | None:
        try:
            values = read_json(path)
        except FileNotFoundError:
            return None
        except (ValueError, OSError) as error:  # records are written whole: this is a damaged disk
            LOG.warning("The record %s cannot be read (%s): its request counts as not answered.", path, error)
            return None
        return Record(**{name: value for name, value in values.items() if name in NAMES})
