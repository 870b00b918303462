"""Identifiers of sources, and the sky tile each one lives in.

A Gaia source_id carries the nested HEALPix cell of order 12 in its high bits: `source_id // 2**35` is the cell
(Gaia DR3 documentation, section 20.1.1, gaia_source.source_id), so the tile of order k is
`source_id // (2**35 * 4**(12 - k))`. DR4 may have ids beyond the last cell: those sources are placed by position.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas import BadInput

TILE_ORDER = 0
GAIA_ORDER = 12
GAIA_CELL = 2**35


def source_ids(dataset: str, object_ids: Sequence[str] | pa.Array | pa.ChunkedArray) -> NDArray[np.int64]:
    """Stable source_id of each foreign object, (S,): the high 63 bits of BLAKE2b-64 of (dataset, object_id).

    The same pair gives the same id in every run and on every machine. Raises BadInput for a missing object_id and
    for two different objects that hash to one id (expected once in 4e9 objects: n**2 / 2**64).
    """
    texts = pa.chunked_array([object_ids]) if isinstance(object_ids, pa.Array) else object_ids
    if not isinstance(texts, pa.ChunkedArray):
        texts = pa.chunked_array([pa.array(texts, pa.string())])
    if texts.null_count:
        raise BadInput(f"{dataset}: {texts.null_count:,} of {len(texts):,} objects have no object_id; give each one.")
    encoded = texts.cast(pa.string()).combine_chunks().dictionary_encode()
    unique = _hashes(dataset, encoded.dictionary.to_pylist())
    refuse_collisions(dataset, unique, encoded.dictionary)
    return unique[encoded.indices.to_numpy(zero_copy_only=False)]


def _hashes(dataset: str, object_ids: list[str]) -> NDArray[np.int64]:
    start = blake2b(f"{dataset}\0".encode(), digest_size=8)

    def digest(object_id: str) -> bytes:
        state = start.copy()
        state.update(object_id.encode())
        return state.digest()

    words = np.frombuffer(b"".join([digest(object_id) for object_id in object_ids]), dtype=">u8")
    return (words >> np.uint64(1)).astype(np.int64)


def refuse_collisions(dataset: str, ids: NDArray[np.int64], object_ids: pa.Array) -> None:
    """BadInput, naming a pair, where two of the (S,) `object_ids` share one of the (S,) `ids`."""
    order = np.argsort(ids, kind="stable")
    twins = np.flatnonzero(np.diff(ids[order]) == 0)
    if twins.size:
        first, second = (object_ids[int(order[twins[0] + step])].as_py() for step in (0, 1))
        raise BadInput(
            f"{dataset}: objects {first!r} and {second!r} have the same 63-bit hash ({twins.size:,} such pairs); "
            "rename one of them or split the dataset."
        )


def tile_of_gaia(source_id: NDArray[np.int64], order: int = TILE_ORDER) -> NDArray[np.int32]:
    """Nested HEALPix cell of each Gaia source_id, (S,), for 0 <= order <= 12: a pure function of the id."""
    return (np.asarray(source_id, np.int64) // (GAIA_CELL * 4 ** (GAIA_ORDER - order))).astype(np.int32)


def tile_of_position(ra: NDArray[np.float64], dec: NDArray[np.float64], order: int = TILE_ORDER) -> NDArray[np.int32]:
    """Nested HEALPix cell of each ICRS position, (S,); `ra`, `dec` are (S,) deg, finite, |dec| <= 90."""
    from astropy.coordinates import Latitude, Longitude
    from cdshealpix.nested import lonlat_to_healpix

    return lonlat_to_healpix(Longitude(ra, "deg"), Latitude(dec, "deg"), order).astype(np.int32)


def tile_of_hash(source_id: NDArray[np.int64], order: int = TILE_ORDER) -> NDArray[np.int32]:
    """Tile of sources without a position, (S,): the remainder of the id by the number of cells of the sphere."""
    return (np.asarray(source_id, np.int64) % (12 * 4**order)).astype(np.int32)


def tiles(
    source_id: NDArray[np.int64],
    ra: NDArray[np.float64] | None,
    dec: NDArray[np.float64] | None,
    is_gaia: bool,
    order: int = TILE_ORDER,
) -> NDArray[np.int32]:
    """Tile of each source, (S,): from a Gaia id that names a cell, else from the position, else from the hash.

    `ra`, `dec` are (S,) deg or None; a source whose position is NaN or outside the sphere falls back to the hash.
    """
    if is_gaia:
        result = tile_of_gaia(source_id, order)
        strange = (result < 0) | (result >= 12 * 4**order)
        if strange.any():
            lon, lat = (None if angle is None else np.asarray(angle)[strange] for angle in (ra, dec))
            result[strange] = tiles(np.asarray(source_id)[strange], lon, lat, is_gaia=False, order=order)
        return result
    result = tile_of_hash(source_id, order)
    if ra is None or dec is None:
        return result
    ra, dec = np.asarray(ra, np.float64), np.asarray(dec, np.float64)
    placed = np.isfinite(ra) & (np.abs(dec) <= 90)
    if placed.any():
        result[placed] = tile_of_position(ra[placed], dec[placed], order)
    return result
