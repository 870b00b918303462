"""How fast is a match of 1e6 positions with 1e7 within 1 arcsec? Ours, LSDB and astropy in one run, on one core.

    OMP_NUM_THREADS=1 python -m benchmarks.crossmatch [--n 10000000]

A field of 20 x 20 deg; the sample is a tenth of the catalogue, scattered by 0.2 arcsec. All times are processor seconds
of this process, of the match alone: drawing, sorting and writing come before. Included are
- in memory: both sets sorted already; finding all pairs, their separations, and giving them in the sample's order;
- from disk (ours and LSDB, the same HATS files): also reading, and joining the catalogue's id to each match;
- astropy: building its tree and the nearest neighbour of each position, which is less than all pairs.
LSDB is a peer to compare with, not needed otherwise; its rows are left out where it is not installed.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from tasks.crossmatch.catalogue import open_catalogue
from tasks.crossmatch.neighbours import SortedPositions, pairs
from tasks.crossmatch.partitions import crossmatch

RADIUS = 1.0  # arcsec
TARGET = 1.0  # s of processor time, in memory, at full size


def draw(n: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sample (n / 10) and catalogue (n) of one field."""
    generator = np.random.default_rng(1)
    edge = np.sin(np.radians(10))
    catalogue = pd.DataFrame(
        {
            "id": np.arange(n),
            "ra": generator.uniform(170, 190, n),
            "dec": np.degrees(np.arcsin(generator.uniform(-edge, edge, n))),
        }
    )
    sample = catalogue.iloc[generator.choice(n, n // 10, replace=False)].reset_index(drop=True)
    sample["ra"] += generator.normal(0, 0.2, len(sample)) / 3600 / np.cos(np.radians(sample.dec))
    sample["dec"] += generator.normal(0, 0.2, len(sample)) / 3600
    return sample, catalogue


def timed(call: Callable[[], Any], repeats: int = 1) -> tuple[list[float], Any]:
    """Processor seconds of each call, and what the last one gave."""
    spent = []
    for _ in range(repeats):
        began = time.process_time()
        result = call()
        spent.append(time.process_time() - began)
    return spent, result


def by_astropy(sample: pd.DataFrame, catalogue: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """(row of the sample, id) of the nearest within the radius."""
    import astropy.units as u
    from astropy.coordinates import SkyCoord

    first, second = (
        SkyCoord(table.ra.to_numpy() * u.deg, table.dec.to_numpy() * u.deg) for table in (sample, catalogue)
    )
    at, apart, _ = first.match_to_catalog_sky(second)
    near = np.flatnonzero(apart.arcsec <= RADIUS)
    return near, catalogue.id.to_numpy()[at[near]]


def from_disk(sample: pa.Table, uri: str) -> tuple[np.ndarray, np.ndarray]:
    """The same by our crossmatch of HATS files, of which all candidates are found."""
    found = pa.concat_tables(list(crossmatch(sample, open_catalogue(uri), RADIUS, ["id"])))
    found = found.filter(pa.array(found["rank"].to_numpy() == 1)).sort_by("row")
    return found["row"].to_numpy(), found["id"].to_numpy()


def by_lsdb(sample: Path, catalogue: Path) -> tuple[np.ndarray, np.ndarray]:
    """The same by LSDB, with both tables in HATS."""
    import lsdb

    first = lsdb.open_catalog(sample, columns=["row", "ra", "dec"], margin_cache=None)
    second = lsdb.open_catalog(catalogue, columns=["id", "ra", "dec"])
    found = first.crossmatch(
        second, radius_arcsec=RADIUS, n_neighbors=1, suffixes=("_sample", "_catalogue"), suffix_method="all_columns"
    ).compute(progress_bar=False)
    found = found.sort_values("row_sample")
    return found["row_sample"].to_numpy(), found["id_catalogue"].to_numpy()


def write_hats(table: pd.DataFrame, folder: Path, margin: float | None) -> Path:
    """`table` as LSDB writes it: partitions of at most 400,000 rows, in the order of their cells as in public ones."""
    import lsdb

    warnings.filterwarnings("ignore", message="from_dataframe is not intended")  # it only takes longer
    order = SortedPositions.of(table.ra.to_numpy(), table.dec.to_numpy()).row
    lsdb.from_dataframe(
        table.iloc[order], ra_column="ra", dec_column="dec", partition_rows=400_000, margin_threshold=margin
    ).write_catalog(folder, progress_bar=False)
    return folder


def peak() -> float:
    """Largest memory of this process so far, GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main(n: int = 10_000_000) -> float:
    """Prints one line for each engine; returns our processor seconds in memory."""
    sample, catalogue = draw(n)
    pairs(*[SortedPositions.of([1.0], [1.0])] * 2, RADIUS)  # compile, or load what was compiled
    spent, (first, second) = timed(
        lambda: tuple(SortedPositions.of(table.ra.to_numpy(), table.dec.to_numpy()) for table in (sample, catalogue))
    )
    print(
        f"{len(sample):,} x {n:,} positions on 20 x 20 deg within {RADIUS} arcsec; once: sorting both {spent[0]:.2f} s"
    )
    spent, found = timed(lambda: pairs(first, second, RADIUS), repeats=3)
    ours, nearest = min(spent), found.rank() == 1
    reference = found.i[nearest], catalogue.id.to_numpy()[found.j[nearest]]
    scaled = TARGET * n / 10_000_000
    print(
        f"{'ours, sorted, in memory':34s} {ours:8.3f} s   1.0   {found.i.size:,} pairs, {peak():.1f} GiB at most so far"
    )
    print(
        f"{'':34s} {ours / len(sample) * 1e9:8.0f} ns for each of the sample; {ours / scaled:.2f} of the target of 1 s"
    )

    def report(name: str, spent: list[float], answer: tuple[np.ndarray, np.ndarray]) -> None:
        same = all(np.array_equal(*both) for both in zip(answer, reference, strict=True))
        times = ", then ".join(f"{one:.2f}" for one in spent)
        verdict = (
            "the same nearest" if same else f"{answer[0].size:,} NEAREST, NOT {reference[0].size:,} OR NOT THE SAME"
        )
        print(
            f"{name:34s} {min(spent):8.3f} s {min(spent) / ours:5.1f}   {times} s; {verdict}, {peak():.1f} GiB",
            flush=True,
        )

    spent, answer = timed(lambda: by_astropy(sample, catalogue))
    report("astropy match_to_catalog_sky", spent, answer)
    try:
        import dask
        import lsdb  # noqa: F401
    except ImportError:
        print("LSDB is not installed: nothing compared from disk (pip install lsdb).")
        return ours
    with tempfile.TemporaryDirectory() as folder, dask.config.set(scheduler="single-threaded"):
        table = pa.table({"ra": sample.ra, "dec": sample.dec})
        sample["row"] = np.arange(len(sample))
        spent, files = timed(
            lambda: (
                write_hats(sample[["row", "ra", "dec"]], Path(folder, "sample"), None),
                write_hats(catalogue, Path(folder, "catalogue"), 10.0),
            )
        )
        parts = len(open_catalogue(str(files[1])).paths)
        print(f"once: LSDB writes both as HATS {spent[0]:.1f} s, {parts} partitions of the catalogue")
        spent, answer = timed(lambda: from_disk(table, str(files[1])), repeats=2)
        report("ours, HATS on disk", spent, answer)
        disk = min(spent)
        spent, answer = timed(lambda: by_lsdb(*files), repeats=2)
        report("LSDB, HATS on disk", spent, answer)
        print(f"LSDB / ours, both from disk: {min(spent) / disk:.1f}")
    return ours


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Crossmatch against LSDB and astropy.")
    parser.add_argument("--n", type=lambda text: int(float(text)), default=10_000_000, help="size of the catalogue")
    main(parser.parse_args().n)
