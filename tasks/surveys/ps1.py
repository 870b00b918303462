"""Pan-STARRS1 DR2: objects by Gaia's own link or by position, and every detection of theirs.

Photometry: Magnier et al. 2020, ApJS 251, 6. Tables, units and sentinels: MAST's pages on the PS1 data archive
(outerspace.stsci.edu/display/PANSTARRS): psfFlux is in Jy, obsTime the MJD of mid-exposure in TAI at the telescope,
-999 a missing number, filterID 1 to 5 is g r i z y. The rejected bits are those of Becker et al. 2025, A&A 694, A183,
appendix A.

Sources without a link are searched by position through an upload join. That MAST's TAP takes uploads was never tested
against the live service; an answer by cones would not say which source it is about. Gaia's links reach most sources, so
a refusal costs a few per cent of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas.rejections import join_reports
from tasks.archives.csv import read_csv
from tasks.archives.question import Question
from tasks.crossmatch.resolve import resolve
from tasks.lightcurves.flags import UNKNOWN, Flag
from tasks.lightcurves.passbands import Passband
from tasks.lightcurves.photometry import jansky_to_ab
from tasks.surveys import bulk_ps1
from tasks.surveys.bulk import is_bulk
from tasks.surveys.objects import (
    MISSING,
    Epochs,
    candidates_of,
    curves_of,
    matches_of,
    neighbours_at,
    positions_at,
    report_failed,
    report_unanswered,
    rows_of,
    select_counterparts,
    to_candidates,
    to_floats,
)
from tasks.surveys.survey import Ask, FileCatalogue, FlagCut, Load, Survey, SurveyResult

# Effective wavelengths: Tonry et al. 2012, ApJ 750, 99, table 4. A_b/E(B-V): Schlafly & Finkbeiner 2011, ApJ 737, 103,
# table 6, R_V = 3.1. In the order of filterID 1 to 5.
PASSBANDS = (
    Passband("g_ps1", "AB", 481.0, 3.172),
    Passband("r_ps1", "AB", 617.0, 2.271),
    Passband("i_ps1", "AB", 752.0, 1.682),
    Passband("z_ps1", "AB", 866.0, 1.322),
    Passband("y_ps1", "AB", 962.0, 1.087),
)
BAND_NAMES = tuple(band.name for band in PASSBANDS)
PSF_QF_PERFECT = 0.9  # and above it
PSF_QUALITY = Flag("psf_quality", 1 << 9, f"PS1: psfQfPerfect <= {PSF_QF_PERFECT:g}")
INFO_FLAGS = tuple(
    Flag(name, 1 << bit, f"PS1: a rejected bit of {column}")
    for name, bit, column in (
        ("info_flag", 10, "infoFlag"),
        ("info_flag2", 11, "infoFlag2"),
        ("info_flag3", 12, "infoFlag3"),
    )
)
# Becker et al. 2025, appendix A. There "infoFlag not in {...}"; the columns are bit masks, so: none of these bits.
INFO_FLAG_BITS = (
    8, 16, 32, 128, 256, 1024, 2048, 4096, 8192, 32768, 65536, 131072, 262144, 4194304, 268435456, 536870912,
    1073741824, 2147483648,
)  # fmt: skip
INFO_FLAG2_BITS = (8, 16, 32, 64, 4096, 8192, 16384, 4194304)
INFO_FLAG3_BITS = (8192, 16384)
MASKS = {
    "infoflag": (sum(INFO_FLAG_BITS), INFO_FLAGS[0].bit),
    "infoflag2": (sum(INFO_FLAG2_BITS), INFO_FLAGS[1].bit),
    "infoflag3": (sum(INFO_FLAG3_BITS), INFO_FLAGS[2].bit),
}
OPTIONS = {
    "route": "service",  # MAST's TAP, or "bulk": the catalogues below
    "hats_objects": "",
    "hats_detections": "",
    "radius_arcsec": 1.0,  # a counterpart lies no farther from the position at `epoch`
    "search_arcsec": 3.0,  # how far objects are listed around sources that Gaia links to none
    "epoch": 2012.3,  # about the mean epoch of the 3 pi survey, 2009.4-2014.2
    "epoch_span": 0.0,  # on the bulk route: above 0, matches objects at their own epochs, so many years from there
    "south_deg": -31.5,  # the survey ends at -30 deg, its last exposures reach a little farther
}

LONG, INT, FLOAT = pa.int64(), pa.int32(), pa.float64()
OBJECT = {"source_id": LONG, "objid": LONG, "ramean": FLOAT, "decmean": FLOAT, "ndetections": INT}
# An object detected once is as a rule an artefact of one exposure.
OBJECTS = """SELECT items.source_id, o.objID, o.raMean, o.decMean, o.nDetections
FROM TAP_UPLOAD.items AS items, dbo.MeanObjectView AS o
WHERE 1=CONTAINS(POINT('ICRS', o.raMean, o.decMean), CIRCLE('ICRS', items.ra, items.dec, {radius_deg}))
AND o.nDetections > 1"""
DETECTION = {
    "objid": LONG, "detectid": LONG, "obstime": FLOAT, "filterid": INT, "psfflux": FLOAT, "psffluxerr": FLOAT,
    "psfqfperfect": FLOAT, "infoflag": LONG, "infoflag2": LONG, "infoflag3": LONG,
}  # fmt: skip
DETECTIONS = """SELECT d.objID, d.detectID, d.obsTime, d.filterID, d.ra, d.dec, d.psfFlux, d.psfFluxErr, d.psfQfPerfect,
d.infoFlag, d.infoFlag2, d.infoFlag3, d.zeroPoint FROM dbo.Detection AS d WHERE d.objID IN {items}"""


def fetch(ask: Ask, sources: pa.Table, neighbours: pa.Table, options: Mapping[str, Any]) -> SurveyResult:
    """Counterparts in PS1 and every detection of theirs."""
    seen = sources.filter(pc.greater_equal(sources["dec"], options["south_deg"]))
    here, around = positions_at(seen, options["epoch"]), neighbours_at(neighbours, sources, options["epoch"])
    linked, rest = by_link(seen, options["radius_arcsec"])
    is_unlinked, bulk = pc.is_in(seen["source_id"], rest), is_bulk(options)
    if bulk:
        objects = bulk_ps1.objects(ask, options["hats_objects"], seen.filter(is_unlinked), options, OBJECT)
    else:
        objects = rows_of(ask, object_question(options), here.filter(is_unlinked), OBJECT)
    near, lost = to_candidates("dbo.MeanObjectView", objects, "objid", "ramean", "decmean")
    candidates = pa.concat_tables([linked, near])
    matches = matches_of("ps1", resolve(here, candidates, around, options["radius_arcsec"]))

    asked = pa.table({"objid": pc.unique(select_counterparts(matches)["objid"])})
    if bulk:
        detections = bulk_ps1.detections(ask, options["hats_detections"], select_counterparts(matches), here, DETECTION)
    else:
        detections = rows_of(ask, detection_question(), asked, DETECTION)
    none = report_unanswered("dbo.Detection", asked, detections, matches)
    epochs, bad = tidy(detections, matches)
    return SurveyResult(
        curves=curves_of(epochs, matches, here, BAND_NAMES, scale="tai"),
        matches=matches,
        rejected=join_reports(lost, none, bad),
    )


def object_question(options: Mapping[str, Any]) -> Question:
    """Objects around positions."""
    return Question(
        service="mast_ps1",
        text=OBJECTS,
        release="dr2",
        read=lambda body: read_csv(body, OBJECT, "PS1's answer about objects"),
        parameters={"radius_deg": repr(options["search_arcsec"] / 3600)},
        key="source_id",
        is_upload=True,
        expects_some=True,
    )


def detection_question() -> Question:
    """Detections of objects."""
    return Question(
        service="mast_ps1",
        text=DETECTIONS,
        release="dr2",
        read=lambda body: read_csv(body, DETECTION, "PS1's answer about detections"),
        key="objid",
        expects_all=True,
    )


def by_link(sources: pa.Table, radius_arcsec: float) -> tuple[pa.Table, pa.Array]:
    """CANDIDATES of panstarrs1_best_neighbour within the radius, and the ids of the sources that have none."""
    is_linked = pc.fill_null(
        pc.and_(pc.is_valid(sources["ps1_objid"]), pc.less_equal(sources["ps1_sep_arcsec"], radius_arcsec)), False
    )
    linked = sources.filter(is_linked)
    candidates = candidates_of(
        "gaia_best_neighbour",
        is_identified=True,
        source_id=linked["source_id"],
        objid=linked["ps1_objid"],
        sep_arcsec=linked["ps1_sep_arcsec"],
        n_candidates=linked["ps1_n_neighbour"],
        n_mates=linked["ps1_n_mate"],
    )
    return candidates, sources["source_id"].filter(pc.invert(is_linked)).combine_chunks()


def tidy(detections: pa.Table, matches: pa.Table) -> tuple[Epochs, pa.Table]:
    """Epochs in MJD TAI and AB, and a report of the detections that have no time or no known filter.

    A flux that is missing or not positive has no magnitude (NaN), a missing error none either; the cuts count them.
    """
    time, code = to_floats(detections["obstime"]), detections["filterid"].fill_null(0).to_numpy()
    no_time, no_band = ~np.isfinite(time), (code < 1) | (code > len(PASSBANDS))
    key = "objid", "detectid"
    lost = report_failed("dbo.Detection", detections, key, matches, no_time, "obstime", "finite")
    alien = report_failed("dbo.Detection", detections, key, matches, no_band & ~no_time, "filterid", "unknown_band")
    good = ~(no_time | no_band)
    kept = detections.filter(pa.array(good))
    mag, mag_err = jansky_to_ab(to_floats(kept["psfflux"]), to_floats(kept["psffluxerr"]))
    epochs = Epochs(kept["objid"].to_numpy(), time[good], mag, mag_err, code[good] - 1, quality(kept))
    return epochs, join_reports(lost, alien)


def quality(detections: pa.Table) -> NDArray[np.int32]:
    """Flag bits (N,) of detections: one for the quality of the PSF, one for each column of rejected bits.

    A missing column of bits (null, -999) says nothing about the detection: UNKNOWN.
    """
    bits = np.where(to_floats(detections["psfqfperfect"]) > PSF_QF_PERFECT, 0, PSF_QUALITY.bit)
    for name, (mask, flag) in MASKS.items():
        value = detections[name].fill_null(MISSING).to_numpy()
        bits |= np.where(value == MISSING, UNKNOWN, np.where(value & mask, flag, 0))
    return bits.astype(np.int32)


CATALOGUES = (
    FileCatalogue("hats_objects", "s3://stpubdata/panstarrs/ps1/public/hats/otmo"),
    FileCatalogue("hats_detections", "s3://stpubdata/panstarrs/ps1/public/hats/detection"),
)
SURVEY = Survey(
    "ps1",
    fetch,
    PASSBANDS,
    OPTIONS,
    catalogues=CATALOGUES,
    flags=(PSF_QUALITY, *INFO_FLAGS),
    cuts=(FlagCut("psf_quality", (PSF_QUALITY,)), FlagCut("info_flags", INFO_FLAGS)),
    symbol="s",
    loads=(Load("mast_ps1", 0.7, 4.7),),
)
