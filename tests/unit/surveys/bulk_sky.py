"""A small sky behind a replica of its own, asked through the exchange, and the same holdings as HATS catalogues."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.answers.raw import RawStore
from tasks.archives.clients import open_clients
from tasks.archives.endpoints import replica
from tasks.archives.hats import Hats
from tasks.archives.question import Question
from tasks.archives.services import PROFILES
from tasks.replica.holdings import Holdings, build
from tasks.replica.serve import running
from tasks.stages.acquire.exchange import Exchange
from tasks.surveys.gaia_releases import RELEASES
from tasks.surveys.neighbours import gaia_neighbours
from tasks.surveys.sample import RandomIndex, sample_chunks
from tasks.surveys.survey import SurveyResult
from tests.unit.crossmatch.hats_by_hand import write_hats

N, SEED = 320, 5
RELEASE = RELEASES["dr3"]


@dataclass(frozen=True, eq=False)
class BulkSky:
    """The sky's holdings, the exchange with its replica, and its sources with their neighbours."""

    holdings: Holdings
    exchange: Exchange
    sources: pa.Table
    neighbours: pa.Table

    @cache  # noqa: B019 (there is one sky)
    def served(self, survey: ModuleType, **options: str) -> SurveyResult:
        """What a survey gives by its services."""
        return survey.fetch(self.exchange, self.sources, self.neighbours, {**survey.OPTIONS, **options})

    def table(self, service: str, name: str) -> pa.Table:
        """A served table, whole."""
        return table_of(self.holdings, service, name)


@contextmanager
def bulk_sky(folder: Path) -> Iterator[BulkSky]:
    """The sky, for as long as the block lasts."""
    with running(N, SEED, folder / "sky") as base, exchange_with(base, folder) as exchange:
        field = next(sample_chunks(exchange, [RandomIndex(0, 2 * N, with_epochs=False)], RELEASE, size=10**6))
        near = gaia_neighbours(exchange, field.sources, RELEASE)
        yield BulkSky(Holdings(build(folder / "sky", N, SEED)), exchange, field.sources, near)


def exchange_with(base: str, folder: Path, offline: bool = False) -> Exchange:
    """An exchange with the replica at `base`, and a store below `folder`."""
    endpoints = replica(base, "sky")
    clients = {} if offline else open_clients(endpoints, PROFILES["fast"])
    store, limits = RawStore(folder / "lake"), PROFILES["fast"]
    return Exchange(store, clients, limits, folder / "gates", endpoints.name, "r1", offline, endpoints.addresses)


def read_alone(question: Question, items: pa.Table) -> pa.Table:
    """What a question about catalogues gives without an exchange, in one request; nobody else is asked."""
    assert question.service == "hats", f"the bulk path asked {question.service}"
    return question.read(Hats("hats", "", PROFILES["fast"]["hats"]).send(question, items, None))


def table_of(holdings: Holdings, service: str, name: str) -> pa.Table:
    """A served table, whole."""
    relation = holdings.tables(service)[name].relation
    with holdings.connect() as connection:
        return connection.execute(f'SELECT * FROM "{relation}"').to_arrow_table()


def ztf_curves(holdings: Holdings) -> pa.Table:
    """Light curves in the layout of IRSA's HATS catalogue: one row an object, epochs nested, floats short."""
    objects = table_of(holdings, "irsa", "ztf_objects_dr24").sort_by("oid")
    epochs = holdings.ztf_epochs(objects["oid"].to_numpy())
    row = np.searchsorted(objects["oid"].to_numpy(), epochs["oid"].to_numpy())
    offsets = pa.array(np.searchsorted(row, np.arange(objects.num_rows + 1)), pa.int32())
    flat = {"hmjd": pc.subtract(epochs["hjd"], 2_400_000.5), "mag": epochs["mag"], "magerr": epochs["magerr"],
            "clrcoeff": epochs["clrcoeff"], "catflags": epochs["catflags"]}  # fmt: skip
    lists = [pa.ListArray.from_arrays(offsets, values.combine_chunks()) for values in flat.values()]
    return pa.table({
        "objectid": objects["oid"], "filterid": objects["fid"].cast(pa.int8()), "nepochs": np.diff(offsets),
        "objra": objects["ra"].cast(pa.float32()), "objdec": objects["dec"].cast(pa.float32()),
        "lightcurve": pa.StructArray.from_arrays(lists, list(flat)),
    })  # fmt: skip


def same_curves(one, other, time_day: float = 0.0) -> None:
    """Both are the same light curves; times within `time_day`."""
    assert one.batch.bands == other.batch.bands
    np.testing.assert_array_equal(one.objid, other.objid)
    for name in ("source_id", "offsets", "mag", "mag_err", "band", "flags"):
        np.testing.assert_array_equal(getattr(one.batch, name), getattr(other.batch, name), name)
    np.testing.assert_allclose(one.batch.time, other.batch.time, rtol=0, atol=time_day)


__all__ = [
    "BulkSky", "bulk_sky", "exchange_with", "read_alone", "same_curves", "table_of", "write_hats", "ztf_curves",
]  # fmt: skip
