"""Whether a folder, or one object's light curve, is still the same."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from schemas import BadInput
from schemas.arrays import GOLDEN, splitmix64
from schemas.dataset import DATASET_FILE
from schemas.formats.files import table_files
from tasks.lightcurves.batch import LightCurveBatch


def fingerprint(folder: Path | str, tables: Sequence[str] = ()) -> str:
    """SHA-256 (hex) over the names, sizes and bytes of the input in `folder`, streamed.

    That are its Parquet files, its dataset.toml and the files of `tables`, as the user has them. Other files, such as
    a README, do not count. Raises BadInput where there is none.
    """
    folder = Path(folder)
    own = [path for path in folder.glob("*.parquet") if path.is_file()]
    files = sorted({*own, *(path for name in tables if (folder / name).exists() for path in table_files(folder, name))})
    if not files:
        raise BadInput(f"There is no Parquet file in {folder}: give the folder that holds objects.parquet.")
    total = hashlib.sha256()
    for path in (*files, *(path for path in [folder / DATASET_FILE] if path.is_file())):
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256")
        total.update(f"{path.relative_to(folder).as_posix()}\0{path.stat().st_size}\0{digest.hexdigest()}\n".encode())
    return total.hexdigest()


def content_hash(batch: LightCurveBatch, object_ids: Sequence[str]) -> NDArray[np.int64]:
    """Hash of the id and the epochs of each object, (S,) int64, whatever the order of the epochs.

    `object_ids` (S,) are the ids of the objects of the batch. Equal epochs count as often as they occur; the bands
    enter by their names, so that another order of the bands changes nothing; -0.0 equals 0.0 and every NaN is alike.
    """
    if len(object_ids) != len(batch):
        raise ValueError(f"content_hash: {len(object_ids)} ids for {len(batch)} objects.")
    epoch = np.zeros(batch.time.size, np.uint64)
    values = (batch.time, batch.mag, batch.mag_err, batch.flags, _hash_text(batch.bands)[batch.band])
    for value in values:
        epoch = splitmix64(epoch + GOLDEN ^ _bits(value))
    # A sum, not an exclusive or: two equal epochs must not cancel. cumsum, because an object may have no epochs.
    total = np.concatenate([np.zeros(1, np.uint64), np.cumsum(epoch, dtype=np.uint64)])
    summed = total[batch.offsets[1:]] - total[batch.offsets[:-1]]
    counted = splitmix64(summed + GOLDEN ^ batch.n_epoch.astype(np.uint64))
    return splitmix64(counted ^ _hash_text(object_ids)).view(np.int64)


def _bits(value: NDArray) -> NDArray[np.uint64]:
    if value.dtype == np.uint64:
        return value
    if value.dtype.kind == "i":
        return value.astype(np.int64).view(np.uint64)
    double = value.astype(np.float64) + 0.0  # + 0.0 turns -0.0 into 0.0
    double[np.isnan(double)] = np.nan
    return double.view(np.uint64)


def _hash_text(words: Sequence[str]) -> NDArray[np.uint64]:
    """Hash of each word, (S,): one step per character position over all words at once; padding takes no step."""
    letters = np.asarray(words, dtype=np.str_)
    width = letters.dtype.itemsize // 4
    points = np.ascontiguousarray(letters).view(np.uint32).reshape(len(letters), width).astype(np.uint64)
    total = np.full(len(letters), GOLDEN)
    for place in range(width):
        letter = points[:, place]
        total = np.where(letter != 0, splitmix64(total + GOLDEN ^ letter), total)
    return total
