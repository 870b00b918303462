"""The whole sky: objects, light curves of three surveys, published labels, and the truth that made them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.lightcurves.batch import LightCurveBatch, concatenate
from tasks.sky import defects, labels, stars
from tasks.sky.classes import CLASSES, draw_classes, draw_stars
from tasks.sky.constants import SURVEYS
from tasks.sky.lightcurves import EPOCH_ZERO_MJD, TRANSITS, Brightness, as_batch, survey_epochs
from tasks.sky.streams import BLOCK, stream
from tasks.sky.tables import CLASS_LABELS, PARAMETER_LABELS, label_rows, source_rows, truth_rows

DUPLICATE_ARCSEC = 0.2  # between the two entries of one star


@dataclass(frozen=True)
class Sky:
    """A chunk of the embedded sky.

    sources, class_labels, parameter_labels, truth: tables with the columns of SOURCES, CLASS_LABELS, PARAMETER_LABELS
    and TRUTH of `tables.py` (deg, mas, mas/yr, day, K, dex, pc, mag, rad; positions at 2016.0). epochs: one
    LightCurveBatch per survey, all with the bands BANDS; a source that a survey has no epochs of is left out of that
    survey's batch.
    """

    sources: pa.Table
    epochs: dict[str, LightCurveBatch]
    class_labels: pa.Table
    parameter_labels: pa.Table
    truth: pa.Table


def generate(
    n: int,
    seed: int,
    start: int = 0,
    stop: int | None = None,
    mix: Mapping[str, float] | None = None,
    surveys: Sequence[str] = tuple(SURVEYS),
) -> Sky:
    """Objects `start` to `stop` (default n) of the sky of `n` objects with this `seed`.

    Object i is the same, to the last bit, whatever the chunk and whatever n. `mix` gives relative shares of classes
    (default: the shares of `classes.REGISTRY`). `surveys` are those whose light curves are made: "gaia_later" is Gaia
    after the span of DR3. ValueError for a range outside 0..n, a negative seed or a bad mix.
    """
    stop = n if stop is None else stop
    if not 0 <= start <= stop <= n:
        raise ValueError(f"sky: the chunk {start}..{stop} must lie inside 0..{n}.")
    first, last = start // BLOCK, max(-(-stop // BLOCK), start // BLOCK + 1)
    blocks = [
        _block(seed, block, mix, slice(max(start - block * BLOCK, 0), min(stop - block * BLOCK, BLOCK)), surveys)
        for block in range(first, last)
    ]
    tables = {
        name: pa.concat_tables([getattr(block, name) for block in blocks])
        for name in ("sources", "class_labels", "parameter_labels", "truth")
    }
    epochs = {survey: concatenate([block.epochs[survey] for block in blocks]) for survey in surveys}
    return Sky(epochs=epochs, **tables)


def _block(seed: int, block: int, mix: Mapping[str, float] | None, chunk: slice, surveys: Sequence[str]) -> Sky:
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
        survey: _survey(survey, seed, block, source_id, star, brightness, missing, origin, chunk) for survey in surveys
    }
    classes, parameters = labels.class_labels(seed, block, code, star), labels.parameter_labels(seed, block, code, star)
    return Sky(
        sources=source_rows(seed, block, source_id, star, origin, chunk),
        epochs=epochs,
        class_labels=label_rows(classes, CLASS_LABELS, source_id, chunk),
        parameter_labels=label_rows(parameters, PARAMETER_LABELS, source_id, chunk),
        truth=truth_rows(source_id, code, draw, star, around, epoch_day, origin, chunk),
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
    if survey in TRANSITS and duplicate.size:
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
