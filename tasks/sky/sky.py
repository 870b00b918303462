"""The whole sky: objects, light curves of three surveys, published labels, and the truth that made them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.lightcurves.batch import LightCurveBatch, concatenate
from tasks.sky import defects, labels, stars
from tasks.sky.classes import CLASSES, draw_classes, draw_stars
from tasks.sky.constants import BANDS, SURVEYS
from tasks.sky.lightcurves import EPOCH_ZERO_MJD, Brightness, as_batch, survey_epochs
from tasks.sky.streams import BLOCK, stream

SOURCES = pa.schema(
    [
        ("source_id", pa.int64()),
        ("object_id", pa.string()),
        ("ra", pa.float64()),
        ("dec", pa.float64()),
        ("parallax", pa.float64()),
        ("parallax_error", pa.float64()),
        ("pmra", pa.float64()),
        ("pmra_error", pa.float64()),
        ("pmdec", pa.float64()),
        ("pmdec_error", pa.float64()),
        ("duplicate_of", pa.int64()),
    ]
)
CLASS_LABELS = pa.schema(
    [
        ("source_id", pa.int64()),
        ("origin", pa.string()),
        ("class", pa.string()),
        ("score", pa.float32()),
        ("is_photometric", pa.bool_()),
    ]
)
PARAMETER_LABELS = pa.schema(
    [
        ("source_id", pa.int64()),
        ("origin", pa.string()),
        ("quantity", pa.string()),
        ("value", pa.float64()),
        ("err", pa.float64()),
        ("is_photometric", pa.bool_()),
    ]
)
TRUTH = pa.schema(
    [
        ("source_id", pa.int64()),
        ("class", pa.string()),
        ("subclass", pa.string()),
        *(
            (name, pa.float64())
            for name in (
                "period_day",
                "period2_day",
                "epoch_day",
                "teff_k",
                "radius_rsun",
                "feh_dex",
                "distance_pc",
                "ebv_mag",
                "mean_g_mag",
                "amplitude_g_mag",
                "r21",
                "phi21",
                "phi31",
                "neighbour_sep_arcsec",
                "neighbour_delta_g_mag",
            )
        ),
        *((name, pa.bool_()) for name in ("is_blended", "is_wrong_match_ps1", "is_wrong_match_ztf", "is_duplicate")),
        ("duplicate_of", pa.int64()),
    ]
)


DUPLICATE_ARCSEC = 0.2  # between the two entries of one star


@dataclass(frozen=True)
class Sky:
    """A chunk of the embedded sky.

    sources, class_labels, parameter_labels, truth: tables with the columns of SOURCES, CLASS_LABELS, PARAMETER_LABELS
    and TRUTH above (deg, mas, mas/yr, day, K, dex, pc, mag, rad; positions at 2016.0). epochs: one LightCurveBatch per
    survey, all with the bands BANDS; a source that a survey has no epochs of is left out of that survey's batch.
    """

    sources: pa.Table
    epochs: dict[str, LightCurveBatch]
    class_labels: pa.Table
    parameter_labels: pa.Table
    truth: pa.Table


def generate(n: int, seed: int, start: int = 0, stop: int | None = None, mix: Mapping[str, float] | None = None) -> Sky:
    """Objects `start` to `stop` (default n) of the sky of `n` objects with this `seed`.

    Object i is the same, to the last bit, whatever the chunk and whatever n. `mix` gives relative shares of classes
    (default: the shares of `classes.REGISTRY`). ValueError for a range outside 0..n, a negative seed or a bad mix.
    """
    stop = n if stop is None else stop
    if not 0 <= start <= stop <= n:
        raise ValueError(f"sky: the chunk {start}..{stop} must lie inside 0..{n}.")
    first, last = start // BLOCK, max(-(-stop // BLOCK), start // BLOCK + 1)
    blocks = [
        _block(seed, block, mix, slice(max(start - block * BLOCK, 0), min(stop - block * BLOCK, BLOCK)))
        for block in range(first, last)
    ]
    tables = {
        name: pa.concat_tables([getattr(block, name) for block in blocks])
        for name in ("sources", "class_labels", "parameter_labels", "truth")
    }
    epochs = {survey: concatenate([block.epochs[survey] for block in blocks]) for survey in SURVEYS}
    return Sky(epochs=epochs, **tables)


def _block(seed: int, block: int, mix: Mapping[str, float] | None, chunk: slice) -> Sky:
    """One block of BLOCK objects, of which `chunk` is returned; the rest is computed for the sake of the streams."""
    code = draw_classes(seed, block, mix)
    draw = draw_stars(seed, block, code)
    star = stars.place(seed, block, code, draw)
    epoch_day = EPOCH_ZERO_MJD + stream(seed, block, "epoch").random(BLOCK) * np.nan_to_num(draw["period_day"], nan=1.0)
    around = defects.neighbours(seed, block, star["mean_mag"])
    missing = defects.missing_bands(seed, block)
    origin = defects.duplicate_origin(seed, block)
    if (origin != np.arange(BLOCK)).any():
        code, epoch_day = code[origin], epoch_day[origin]
        draw, star, around = ({name: value[origin] for name, value in part.items()} for part in (draw, star, around))
        star["dec"] = star["dec"] + (origin != np.arange(BLOCK)) * DUPLICATE_ARCSEC / 3600
    source_id = stars.source_ids(block, star["ra"], star["dec"])
    star |= _shape_in_g(code, draw) | {name: draw[name] for name in ("teff_k", "feh_dex", "period_day")}
    brightness = Brightness(draw, star, around, epoch_day)
    epochs = {
        survey: _survey(survey, seed, block, source_id, star, brightness, missing, origin, chunk) for survey in SURVEYS
    }
    return Sky(
        sources=_sources(seed, block, source_id, star, origin, chunk),
        epochs=epochs,
        class_labels=_labels(labels.class_labels(seed, block, code, star), CLASS_LABELS, source_id, chunk),
        parameter_labels=_labels(labels.parameter_labels(seed, block, code, star), PARAMETER_LABELS, source_id, chunk),
        truth=_truth(source_id, code, draw, star, around, epoch_day, origin, chunk),
    )


def _survey(
    survey: str,
    seed: int,
    block: int,
    source_id: NDArray[np.int64],
    star: dict[str, NDArray],
    brightness: Brightness,
    missing: NDArray[np.bool_],
    origin: NDArray[np.int64],
    chunk: slice,
) -> LightCurveBatch:
    """Gaia splits the transits of a duplicated star between its two ids; PS1 and ZTF give both ids one light curve."""
    batch = as_batch(source_id, survey_epochs(survey, seed, block, star, brightness, missing))
    duplicate = np.flatnonzero(origin != np.arange(BLOCK))
    if survey == "gaia" and duplicate.size:
        is_split = np.isin(batch.row, np.concatenate([duplicate, origin[duplicate]]))
        batch = batch.keep(~is_split | (np.floor(batch.time * 12).astype(np.int64) % 2 == batch.row % 2))
    elif duplicate.size:
        batch = replace(batch.select(origin), source_id=source_id)
    batch = batch.select(chunk)
    return batch.select(np.flatnonzero(batch.n_epoch > 0))


def _shape_in_g(code: NDArray[np.int8], draw: dict[str, NDArray]) -> dict[str, NDArray]:
    """Peak-to-peak, R21, phi21 and phi31 of the noiseless G light curve, (BLOCK,); NaN shape where nothing varies.

    Stars whose second component has its own period: the main mode alone, but RRd amplitudes add up both modes.
    """
    own_clock = np.isfinite(draw["clock2_day"])
    main = draw["scale"][:, :1] * draw["template"]
    second = draw["scale2"][:, :1] * draw["component"]
    curve = main + second * ~own_clock[:, None]
    amplitude = np.ptp(curve, axis=1) + np.where(code == CLASSES.index("RRd"), np.ptp(second, axis=1), 0.0)
    wave = np.fft.rfft(curve, axis=1)[:, 1:4]
    with np.errstate(invalid="ignore", divide="ignore"):
        r21 = np.abs(wave[:, 1]) / np.abs(wave[:, 0])
    varies = amplitude > 0
    angle = np.angle(wave)
    shape = {
        "r21": r21,
        "phi21": (angle[:, 1] - 2 * angle[:, 0]) % (2 * np.pi),
        "phi31": (angle[:, 2] - 3 * angle[:, 0]) % (2 * np.pi),
    }
    return {"amplitude_g_mag": amplitude, **{name: np.where(varies, value, np.nan) for name, value in shape.items()}}


def _table(columns: Mapping[str, NDArray], schema: pa.Schema, rows: slice | NDArray) -> pa.Table:
    """Columns in the order of the schema; NaN becomes null, as does the mask of a masked array."""
    arrays = []
    for field in schema:
        value = columns[field.name][rows]
        mask = np.ma.getmaskarray(value) if isinstance(value, np.ma.MaskedArray) else None
        arrays.append(pa.array(np.ma.getdata(value), field.type, mask=mask, from_pandas=True))
    return pa.Table.from_arrays(arrays, schema=schema)


def _duplicate_of(source_id: NDArray[np.int64], origin: NDArray[np.int64]) -> np.ma.MaskedArray:
    return np.ma.array(source_id[origin], mask=origin == np.arange(BLOCK))


def _sources(
    seed: int,
    block: int,
    source_id: NDArray[np.int64],
    star: dict[str, NDArray],
    origin: NDArray[np.int64],
    chunk: slice,
) -> pa.Table:
    columns = {
        "source_id": source_id,
        "object_id": source_id.astype(str),
        "ra": star["ra"],
        "dec": star["dec"],
        "duplicate_of": _duplicate_of(source_id, origin),
        **stars.astrometry(seed, block, star),
    }
    return _table(columns, SOURCES, chunk)


def _labels(rows: dict[str, NDArray], schema: pa.Schema, source_id: NDArray[np.int64], chunk: slice) -> pa.Table:
    inside = np.flatnonzero((rows["row"] >= chunk.start) & (rows["row"] < chunk.stop))
    inside = inside[np.argsort(rows["row"][inside], kind="stable")]
    return _table({**rows, "source_id": source_id[rows["row"]]}, schema, inside)


def _truth(
    source_id: NDArray[np.int64],
    code: NDArray[np.int8],
    draw: dict[str, NDArray],
    star: dict[str, NDArray],
    around: dict[str, NDArray],
    epoch_day: NDArray,
    origin: NDArray[np.int64],
    chunk: slice,
) -> pa.Table:
    columns = {
        **draw,
        **star,
        "source_id": source_id,
        "class": np.array(CLASSES)[code],
        "epoch_day": np.where(np.isfinite(draw["period_day"]), epoch_day, np.nan),
        "mean_g_mag": star["mean_mag"][:, 0],
        "neighbour_sep_arcsec": around["sep_arcsec"],
        "neighbour_delta_g_mag": around["delta_g_mag"],
        "is_blended": around["is_blended"].any(axis=1),
        "is_wrong_match_ps1": around["is_wrong"][:, BANDS.index("g_ps1")],
        "is_wrong_match_ztf": around["is_wrong"][:, BANDS.index("g_ztf")],
        "is_duplicate": origin != np.arange(BLOCK),
        "duplicate_of": _duplicate_of(source_id, origin),
    }
    return _table(columns, TRUTH, chunk)
