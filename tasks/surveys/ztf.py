"""ZTF: objects around each source's position, and their light curves from IRSA's light-curve service.

Columns: IRSA's description of the ZTF objects table and light-curve service. One star has an object (oid) of its own in
each field, CCD quadrant and filter; their zero points differ, so their curves are kept apart. hjd is the heliocentric
Julian date (UTC) of mid-exposure, magnitudes are PSF magnitudes calibrated to Pan-STARRS1 (AB) without a colour term:
Masci et al. 2019, PASP 131, 018003. Bit 32768 of catflags marks an epoch that the pipeline calls unusable (ZTF Science
Data System explanatory supplement, section 13.6); the other bits warn.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas import TABLES, BadInput
from schemas.rejections import join_reports
from tasks.archives.csv import read_csv
from tasks.archives.question import Question
from tasks.crossmatch.resolve import resolve
from tasks.lightcurves.flags import BAD_QUALITY, UNKNOWN, Flag
from tasks.lightcurves.passbands import Passband
from tasks.lightcurves.times import mjd
from tasks.surveys import bulk_ztf
from tasks.surveys.bulk import is_bulk
from tasks.surveys.objects import (
    Epochs,
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

# Effective wavelengths: Bellm et al. 2019, PASP 131, 018002. A_b/E(B-V): those of PS1 (Schlafly & Finkbeiner 2011, ApJ
# 737, 103, table 6, R_V = 3.1) moved to these wavelengths along the same curve. In the order of FILTERS.
PASSBANDS = (
    Passband("g_ztf", "AB", 472.0, 3.25),
    Passband("r_ztf", "AB", 634.0, 2.21),
    Passband("i_ztf", "AB", 789.0, 1.60),
)
FILTERS = ("zg", "zr", "zi")
CATFLAGS = Flag("catflags", 1 << 13, "ZTF: a bit of catflags; for 32768 bad_quality is set besides")
UNUSABLE = 32768
OBJECTS_TABLE = "core_ztf__object"
OPTIONS = {
    "release": "dr24",  # January 2026
    "route": "service",  # IRSA's TAP and light-curve service, or "bulk": the catalogues below, of the release
    "hats_objects": "",
    "hats_curves": "",
    "radius_arcsec": 1.5,  # a counterpart lies no farther from the position at `epoch`
    "search_arcsec": 3.0,  # how far objects are listed
    "group_arcsec": 0.5,  # entries this near to each other are one star
    "epoch": 2020.5,  # about the middle of the observations, 2018 on
    "south_deg": -32.0,  # fields reach down to -31 deg
}
HINT = "Another release of ZTF is a setting, for objects and light curves: --set source.options.ztf.release=dr25"

LONG, INT, FLOAT, TEXT = pa.int64(), pa.int32(), pa.float64(), pa.string()
OBJECT = {
    "source_id": LONG, "oid": LONG, "ra": FLOAT, "dec": FLOAT, "filtercode": TEXT, "field": INT, "ccdid": INT,
    "qid": INT, "nobs": INT, "ngoodobs": INT,
}  # fmt: skip
OBJECTS = """SELECT items.source_id, o.oid, o.ra, o.dec, o.filtercode, o.field, o.ccdid, o.qid, o.nobs, o.ngoodobs,
o.medianmag, o.magrms FROM TAP_UPLOAD.items AS items, {catalogue} AS o
WHERE 1=CONTAINS(POINT('ICRS', o.ra, o.dec), CIRCLE('ICRS', items.ra, items.dec, {radius_deg}))"""
EPOCH = {"oid": LONG, "expid": LONG, "hjd": FLOAT, "mag": FLOAT, "magerr": FLOAT, "catflags": LONG, "filtercode": TEXT}


def fetch(ask: Ask, sources: pa.Table, neighbours: pa.Table, options: Mapping[str, Any]) -> SurveyResult:
    """Counterparts in ZTF, all oids of each, and the light curve of every oid."""
    seen = sources.filter(pc.greater_equal(sources["dec"], options["south_deg"]))
    here, around = positions_at(seen, options["epoch"]), neighbours_at(neighbours, sources, options["epoch"])
    bulk, release = is_bulk(options), check_release(options["release"])
    uris = {name: options[name].replace("{release}", release) for name in ("hats_objects", "hats_curves")}
    if bulk:
        objects = bulk_ztf.objects(ask, uris["hats_objects"], release, here, options["search_arcsec"], OBJECT)
    else:
        objects = rows_of(ask, object_question(options), here, OBJECT)
    candidates, lost = to_candidates(f"ztf_objects_{release}", objects, "oid", "ra", "dec")
    reach = options["radius_arcsec"], options["group_arcsec"]
    matches = matches_of("ztf", resolve(here, candidates, around, *reach))

    is_observed = pc.fill_null(pc.greater(objects["nobs"], 0), True)  # the others are of the reference image alone
    observed = objects["oid"].filter(is_observed)
    mine = pc.unique(select_counterparts(matches)["objid"])
    asked = pa.table({"oid": mine.filter(pc.is_in(mine, observed.combine_chunks()))})
    if bulk:
        answer = bulk_ztf.curves(ask, uris["hats_curves"], release, asked, objects, EPOCH)
    else:
        answer = rows_of(ask, curve_question(options, objects), asked, EPOCH)
    none = report_unanswered("nph_light_curves", asked, answer, matches)
    epochs, bad = tidy(answer, matches)
    names = tuple(band.name for band in PASSBANDS)
    return SurveyResult(
        curves=curves_of(epochs, matches, here, names, scale="utc", origin="sun"),
        matches=matches,
        tables={OBJECTS_TABLE: own_objects(objects, matches)},
        rejected=join_reports(lost, none, bad),
    )


def check_release(release: str) -> str:
    """The release, "dr24"; BadInput for what is none."""
    if not re.fullmatch(r"dr\d+", release):
        raise BadInput(f"A release of ZTF is dr and a number, such as {OPTIONS['release']}, not {release!r}.")
    return release


def object_question(options: Mapping[str, Any]) -> Question:
    """Objects around positions."""
    return Question(
        service="irsa_tap",
        text=OBJECTS,
        release=options["release"],
        read=lambda body: read_csv(body, OBJECT, "IRSA's answer about ZTF objects"),
        parameters={
            "catalogue": f"ztf_objects_{options['release']}",
            "radius_deg": repr(options["search_arcsec"] / 3600),
        },
        key="source_id",
        is_upload=True,
        expects_some=True,
        hint=HINT,
    )


def curve_question(options: Mapping[str, Any], objects: pa.Table) -> Question:
    """Light curves by oid, flagged epochs included: as many as the list of objects says (nobs; untested live)."""
    return Question(
        service="irsa_lightcurves",
        text="nph_light_curves",
        release=options["release"],
        read=lambda body: read_csv(body, EPOCH, "IRSA's answer about ZTF light curves"),
        parameters={"COLLECTION": f"ztf_{options['release']}"},
        key="oid",
        expects_all=True,
        n_expected=objects.select(["oid", "nobs"]).rename_columns(["oid", "n_row"]),
        hint=HINT,
    )


def own_objects(objects: pa.Table, matches: pa.Table) -> pa.Table:
    """Rows of core_ztf__object, by source and oid: the objects of the counterparts, each once."""
    mine = select_counterparts(matches).rename_columns(["source_id", "oid"])
    own = objects.join(mine, ["source_id", "oid"], join_type="inner").combine_chunks()
    ids = np.column_stack([own["source_id"].to_numpy(), own["oid"].to_numpy()])
    once = own.take(pa.array(np.unique(ids, axis=0, return_index=True)[1]))
    spec = TABLES[OBJECTS_TABLE].arrow()
    names = [name for name in spec.names if name in OBJECT]
    return once.select(names).cast(pa.schema([spec.field(name) for name in names]))


def tidy(curves: pa.Table, matches: pa.Table) -> tuple[Epochs, pa.Table]:
    """Epochs in MJD (heliocentric, UTC) and AB, and a report of those that have no time or no known filter."""
    hjd = to_floats(curves["hjd"])
    code = pc.fill_null(pc.index_in(curves["filtercode"], value_set=pa.array(FILTERS)), -1).to_numpy()
    no_time, no_band = ~np.isfinite(hjd), code < 0
    key = "oid", "expid"
    lost = report_failed("nph_light_curves", curves, key, matches, no_time, "hjd", "finite")
    alien = report_failed("nph_light_curves", curves, key, matches, no_band & ~no_time, "filtercode", "unknown_band")
    good = ~(no_time | no_band)
    kept = curves.filter(pa.array(good))
    bits = quality(kept["catflags"])
    epochs = Epochs(
        kept["oid"].to_numpy(), mjd(hjd[good]), to_floats(kept["mag"]), to_floats(kept["magerr"]), code[good], bits
    )
    return epochs, join_reports(lost, alien)


def quality(catflags: pa.ChunkedArray) -> NDArray[np.int32]:
    """Flag bits (N,) of catflags: CATFLAGS for any bit, BAD_QUALITY besides for 32768, UNKNOWN without a value."""
    value = catflags.fill_null(-1).to_numpy()
    unusable = np.where(value & UNUSABLE, BAD_QUALITY, 0)
    return np.where(value < 0, UNKNOWN, unusable | np.where(value, CATFLAGS.bit, 0)).astype(np.int32)


CATALOGUES = (
    FileCatalogue("hats_objects", "s3://ipac-irsa-ztf/ztf/enhanced/{release}/objects/hats"),
    FileCatalogue("hats_curves", "s3://ipac-irsa-ztf/ztf/enhanced/{release}/lc/hats"),
)
SURVEY = Survey(
    "ztf",
    fetch,
    PASSBANDS,
    OPTIONS,
    version=2,
    catalogues=CATALOGUES,
    flags=(CATFLAGS,),
    cuts=(FlagCut("catflags", (CATFLAGS,)),),
    tables=(TABLES[OBJECTS_TABLE],),
    symbol="^",
    loads=(Load("irsa_tap", 0.7, 0.24), Load("irsa_lightcurves", 2.1, 50.0)),
)
