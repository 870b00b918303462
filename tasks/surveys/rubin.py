"""Rubin: forced photometry of objects from a catalogue in files, as the LSST science pipelines measure it.

The layout is that of Data Preview 1 in HATS (LINCC Frameworks' dia_object_collection; the public mock of it,
lsdb-rubin's mock_dp1_1000): one row an object, with its position at `radecMjdTai`, and its epochs nested in
`diaObjectForcedSource`. Fluxes are in nJy on the AB scale, times MJD in TAI at the middle of the exposure, at the
telescope. psfFlux is the flux in the visit image, which is what a variable star needs; psfDiffFlux is the change since
the template. Names are options, so that another layout (objects of the coadds: objectId, objectForcedSource) or a later
release is a setting. The data are for those with Rubin data rights alone, so there is no public address, and nothing of
this was tried on the real catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas.rejections import join_reports
from tasks.crossmatch.catalogue import RowEpochs
from tasks.crossmatch.resolve import resolve
from tasks.lightcurves.flags import BAD_QUALITY, SATURATED, UNKNOWN
from tasks.lightcurves.passbands import Passband
from tasks.lightcurves.photometry import jansky_to_ab
from tasks.surveys.bulk import FileTable, add_positions, carry_rows, rows_near, rows_of_ids, unnest
from tasks.surveys.objects import (
    Epochs,
    curves_of,
    matches_of,
    neighbours_at,
    positions_at,
    report_failed,
    report_unanswered,
    select_counterparts,
    to_candidates,
    to_floats,
)
from tasks.surveys.survey import Ask, Survey, SurveyResult

# Effective wavelengths and A_b/E(B-V): Schlafly & Finkbeiner 2011, ApJ 737, 103, table 6 (LSST, R_V = 3.1).
PASSBANDS = (
    Passband("u_rubin", "AB", 369.3, 4.145),
    Passband("g_rubin", "AB", 479.7, 3.237),
    Passband("r_rubin", "AB", 619.6, 2.273),
    Passband("i_rubin", "AB", 751.5, 1.684),
    Passband("z_rubin", "AB", 866.4, 1.323),
    Passband("y_rubin", "AB", 971.0, 1.088),
)
LETTERS = pa.array([band.name[0] for band in PASSBANDS])
OPTIONS = {
    "catalogue": "",  # the catalogue: HATS or Parquet, at a path or URI; without it the survey is not asked
    "release": "dp1",
    "objid": "diaObjectId",
    "epochs": "diaObjectForcedSource",  # the nested column
    "flux": "psfFlux",
    "position_mjd": "radecMjdTai",  # of an object's position; "" where all are of `epoch`
    "bad_flags": "psfFlux_flag,invalidPsfFlag,pixelFlags_bad,pixelFlags_edge,pixelFlags_nodata,"
    "pixelFlags_interpolatedCenter,pixelFlags_crCenter,pixelFlags_suspectCenter",
    "saturated_flags": "pixelFlags_saturatedCenter",
    "radius_arcsec": 1.0,  # a counterpart lies no farther from the position at the object's epoch
    "search_arcsec": 3.0,  # how far objects are listed
    "epoch": 2025.0,
    "epoch_span": 12.0,  # years from `epoch`, within which the objects' positions were measured
}
NANO = 1e-9
LONG, FLOAT = pa.int64(), pa.float64()
MJD, TIME, BAND = "position_mjd", "midpointMjdTai", "band"


def fetch(ask: Ask, sources: pa.Table, neighbours: pa.Table, options: Mapping[str, Any]) -> SurveyResult:
    """Counterparts in Rubin's catalogue and every epoch of theirs."""
    here, around = positions_at(sources, options["epoch"]), neighbours_at(neighbours, sources, options["epoch"])
    candidates, lost = to_candidates("rubin_object", objects_near(ask, sources, here, options), "objid", "ra", "dec")
    matches = matches_of("rubin", resolve(here, candidates, around, options["radius_arcsec"]))
    mine = select_counterparts(matches)
    answer = epochs_of(ask, mine, here, options)
    none = report_unanswered("rubin_epoch", mine.select(["objid"]), answer, matches)
    epochs, bad = tidy(answer, matches, options)
    names = tuple(band.name for band in PASSBANDS)
    return SurveyResult(
        curves=curves_of(epochs, matches, here, names, scale="tai"),
        matches=matches,
        rejected=join_reports(lost, none, bad),
    )


def objects_near(ask: Ask, sources: pa.Table, here: pa.Table, options: Mapping[str, Any]) -> pa.Table:
    """source_id, objid, ra, dec (deg) of the objects around each source, each where the source was at its epoch.

    Their positions are moved to the `epoch` of the options.
    """
    columns, called = {"objid": LONG, "ra": FLOAT, "dec": FLOAT}, {"objid": options["objid"]}
    if not options[MJD]:
        return rows_near(ask, FileTable(*_place(options), columns, called=called), here, options["search_arcsec"])
    epochs = RowEpochs(options[MJD], options["epoch"], options["epoch_span"])
    called[MJD] = options[MJD]
    table = FileTable(*_place(options), {**columns, MJD: FLOAT}, called=called, row_epochs=epochs)
    return carry_rows(rows_near(ask, table, sources, options["search_arcsec"]), sources, options["epoch"], MJD)


def epochs_of(ask: Ask, chosen: pa.Table, here: pa.Table, options: Mapping[str, Any]) -> pa.Table:
    """Epochs of the `chosen` objects (source_id, objid): objid, the place in its light curve, and the columns of it."""
    flux = options["flux"]
    kinds = {TIME: FLOAT, BAND: pa.string(), flux: FLOAT, f"{flux}Err": FLOAT} | dict.fromkeys(
        _flags(options), pa.bool_()
    )
    called = {name: f"{options['epochs']}.{name}" for name in kinds} | {"objid": options["objid"]}
    columns = {"objid": LONG, **{name: pa.list_(kind) for name, kind in kinds.items()}}
    items = add_positions(chosen, here)
    rows = rows_of_ids(ask, FileTable(*_place(options), columns, called=called), "objid", items)
    n, flat = unnest(rows, list(kinds), options["catalogue"])
    place = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
    return pa.table({"objid": np.repeat(rows["objid"].to_numpy(), n), "place": place, **flat})


def tidy(rows: pa.Table, matches: pa.Table, options: Mapping[str, Any]) -> tuple[Epochs, pa.Table]:
    """Epochs in MJD TAI and AB, and a report of those that have no time or no known band.

    A flux that is not positive has no magnitude (NaN); the cuts count it.
    """
    time = to_floats(rows[TIME])
    code = pc.fill_null(pc.index_in(rows[BAND], value_set=LETTERS), -1).to_numpy()
    no_time, no_band, key = ~np.isfinite(time), code < 0, ("objid", "place")
    lost = report_failed("rubin_epoch", rows, key, matches, no_time, TIME, "finite")
    alien = report_failed("rubin_epoch", rows, key, matches, no_band & ~no_time, BAND, "unknown_band")
    good = ~(no_time | no_band)
    kept = rows.filter(pa.array(good))
    mag, mag_err = jansky_to_ab(*(NANO * to_floats(kept[options["flux"] + end]) for end in ("", "Err")))
    bits = quality(kept, options)
    return Epochs(kept["objid"].to_numpy(), time[good], mag, mag_err, code[good], bits), join_reports(lost, alien)


def quality(rows: pa.Table, options: Mapping[str, Any]) -> NDArray[np.int32]:
    """Flag bits (N,): BAD_QUALITY, SATURATED, and UNKNOWN where a flag has no value."""
    bits = np.zeros(rows.num_rows, np.int32)
    for name, bit in _flags(options).items():
        bits |= np.where(
            rows[name].is_null().to_numpy(), UNKNOWN, np.where(rows[name].fill_null(False).to_numpy(), bit, 0)
        )
    return bits


def _flags(options: Mapping[str, Any]) -> dict[str, int]:
    """Names of the flags that reject an epoch, and the bit of each."""
    named = {"bad_flags": BAD_QUALITY, "saturated_flags": SATURATED}
    return {name.strip(): bit for option, bit in named.items() for name in options[option].split(",") if name.strip()}


def _place(options: Mapping[str, Any]) -> tuple[str, str]:
    return options["catalogue"], options["release"]


SURVEY = Survey("rubin", fetch, PASSBANDS, OPTIONS, symbol="D", only_with="catalogue")
