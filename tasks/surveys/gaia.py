"""Gaia epoch photometry in G, BP and RP, through DataLink or from the files of the CDN."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas import TABLES, BadInput
from schemas.arrays import floats
from schemas.inputs import Sample
from schemas.rejections import join_reports, number_repeats, reject
from tasks.archives.question import Question
from tasks.lightcurves.batch import LightCurveBatch
from tasks.lightcurves.flags import Flag
from tasks.lightcurves.passbands import Passband
from tasks.lightcurves.photometry import MAG_RANGE, POGSON
from tasks.lightcurves.times import MJD_ZERO
from tasks.surveys import bulk_gaia, gaia_labels
from tasks.surveys.bulk import is_bulk
from tasks.surveys.gaia_flags import add_flags, flags_question
from tasks.surveys.gaia_layouts import FEW_CCDS, EpochReader
from tasks.surveys.gaia_release import BANDS, GaiaRelease
from tasks.surveys.gaia_releases import FIRST, RELEASES, STRUCTURES, find_release, gaia_release
from tasks.surveys.id_lists import describe_absence
from tasks.surveys.neighbours import gaia_neighbours
from tasks.surveys.sample import count_at_most, sample_chunks, selections_of
from tasks.surveys.successors import ask_successors, find_step
from tasks.surveys.survey import (
    Ask,
    Curves,
    FileCatalogue,
    FlagCut,
    LabelOrigin,
    Load,
    SampleReader,
    Survey,
    SurveyResult,
    Variant,
)

TABLE = "gaia_epoch_photometry"

REJECTED_BY_PHOTOMETRY = Flag("rejected_by_photometry", 1 << 6, "Gaia: rejected by the photometric processing")
REJECTED_BY_VARIABILITY = Flag("rejected_by_variability", 1 << 7, "Gaia: rejected by the variability processing")
OTHER_FLAGS = Flag("other_flags", 1 << 8, "Gaia: other_flags set, no rejection", is_information=True)
FEW = Flag("few_ccds", 1 << 15, f"Gaia DR4: a flux in G of fewer than {FEW_CCDS} CCDs", is_information=True)
FLAGS = (REJECTED_BY_PHOTOMETRY, REJECTED_BY_VARIABILITY, OTHER_FLAGS, FEW)
# Wavelengths, and zero points of mean fluxes in electron/s: Riello et al. 2021, A&A 649, A3 (EDR3 passbands).
# A_b / E(B-V): Casagrande & VandenBerg 2018, MNRAS 479, L102, table 2.
PASSBANDS = (
    Passband("G", "Vega", 622.0, 2.740, {"Vega": 25.6873668671, "AB": 25.8010446445}, True, "#6b7f8c"),
    Passband("BP", "Vega", 511.0, 3.374, {"Vega": 25.3385422158, "AB": 25.3539555559}, colour="#2f86e0"),
    Passband("RP", "Vega", 777.0, 2.035, {"Vega": 24.7478955012, "AB": 25.1039837393}, colour="#d64545"),
)
OPTIONS: dict[str, Any] = {
    "release": FIRST,
    "release_file": "",  # what a release says otherwise than it was known to: TOML, as `argelander check dr4` writes it
    "route": "service",  # DataLink, or "bulk": whole files of the CDN, for more than 200,000 sources
    "hats_source": "",  # catalogue of gaia_source where the bulk route finds neighbours; Gaia's TAP where it is empty
    "structure": "INDIVIDUAL",  # or "RAW", or its new name: the spelling that is tried first, then once the other
    "zero_point_error": False,  # add the zero point's error to each epoch's: it shifts a light curve, it scatters none
}


LIVE_HATS = "s3://stpubdata/gaia/gaia_dr3/public/hats"  # of DR3: no other release finds its neighbours there


def release_of(options: Mapping[str, Any]) -> GaiaRelease:
    """The release that the options name; BadInput where they want of it what is not known."""
    release = gaia_release(options["release"], options["release_file"])
    if is_bulk(options) and release.bulk is None:
        raise BadInput(
            f"No bulk files are known of {release.name}: leave out source.bulk, or name them in a release file "
            "(bulk.list, bulk.file, bulk.address)."
        )
    if options["zero_point_error"] and release.zero_point_error_mag is None:
        raise BadInput(
            f"The errors of the zero points of {release.name} are not known: leave out gaia.zero_point_error, or give "
            "three numbers in a release file (zero_point_error_mag)."
        )
    return release


def open_sample(sample: Sample, options: Mapping[str, Any], limit: int | None) -> SampleReader:
    """The sample from Gaia's tables, and the Gaia sources near it; BadInput for a selection that cannot be."""
    release, selections = release_of(options), selections_of(sample)
    return SampleReader(
        (release.mark, selections),
        partial(sample_chunks, selections=selections, release=release, limit=limit),
        partial(gaia_neighbours, release=release, uri=neighbours_uri(options, release)),
        describe_absence(selections, release),
        partial(count_at_most, selections=selections, release=release),
    )


def neighbours_uri(options: Mapping[str, Any], release: GaiaRelease) -> str:
    """The catalogue of gaia_source in which neighbours are looked for; empty where Gaia's TAP is asked."""
    uri = str(options["hats_source"])
    if uri == LIVE_HATS and release.release != FIRST:
        uri = release.bulk.hats_source if release.bulk else ""
    return uri if is_bulk(options) else ""


def find_variant(options: Mapping[str, Any]) -> Variant:
    """What the release changes of a preset: a dataset of its own, and how many stars a random_index brings."""
    release, first = find_release(options["release"]), RELEASES[FIRST]
    share = release.limits.indices_per_star / first.limits.indices_per_star
    return Variant(release.release, "" if release.release == FIRST else f"_{release.release}", share)


def follow_ids(
    ask: Ask, ids: NDArray[np.int64], sources: pa.Table, options: Mapping[str, Any], earlier: Mapping[str, Any]
) -> pa.Table:
    """What became of `ids` (S,) of the release of the options `earlier` in that of `options`: SUCCESSORS.

    `sources` are those of the later dataset. BadInput where no table of neighbours leads from one to the other.
    """
    release, before = release_of({**OPTIONS, **options}), find_release({**OPTIONS, **earlier}["release"])
    return ask_successors(ask, ids, sources, release, find_step(release, before))


def fetch(ask: Ask, sources: pa.Table, neighbours: pa.Table, options: Mapping[str, Any]) -> SurveyResult:
    """The light curves of the sources with has_epoch_photometry.

    Every measured flux is an epoch, also those that Gaia rejects: their flags say so and the cuts act on them. A
    magnitude that cannot be is NaN. Rejected are times outside the mission, second copies of one transit in one band,
    and sources for which no product came.
    """
    settings = {**OPTIONS, **options}
    release = release_of(settings)
    asked = sources.filter(pc.fill_null(sources["has_epoch_photometry"], False)).select(["source_id"])
    if not asked.num_rows:
        return SurveyResult()
    answer, notes = _ask_epochs(ask, release, asked, settings)
    epochs = answer.filter(pc.is_in(answer["source_id"], asked["source_id"].combine_chunks()))
    epochs, refused = _drop_impossible(epochs, release)
    curves = light_curves(epochs, release, settings["zero_point_error"])
    lost = np.setdiff1d(asked["source_id"].to_numpy(), answer["source_id"].to_numpy())
    report = join_reports(refused, reject(TABLE, lost, "source_id", "no_product"))
    return SurveyResult(curves=curves, rejected=report, notes=notes)


def _ask_epochs(
    ask: Ask, release: GaiaRelease, asked: pa.Table, settings: Mapping[str, Any]
) -> tuple[pa.Table, tuple[str, ...]]:
    """EPOCHS of the sources, and what the user should know of them."""
    if is_bulk(settings):
        return bulk_gaia.epochs(ask, release, asked), ()
    reader = EpochReader(release)
    question = epochs_question(release, settings["structure"], reader)
    epochs = ask(question, asked)
    if release.datalink.flags_type:
        epochs = add_flags(epochs, ask(flags_question(release, question.parameters, question.spelling), asked))
    return epochs, reader.notes()


def epochs_question(release: GaiaRelease, structure: str, read: EpochReader | None = None) -> Question:
    """The question for the epoch photometry of sources by their ids; BadInput for an unknown structure.

    Both spellings of a structure make one question, so that nothing is downloaded again for its name.
    """
    canonical = {spelling: old for old, new in STRUCTURES.items() for spelling in (old, new)}
    if structure not in canonical:
        raise BadInput(f"gaia.structure is one of {', '.join((*STRUCTURES, *STRUCTURES.values()))}, not {structure!r}.")
    return Question(
        service="gaia_datalink",
        text=release.datalink.retrieval_type,
        release=release.name,
        read=read or EpochReader(release),
        parameters={"RELEASE": release.datalink.release, "DATA_STRUCTURE": canonical[structure]},
        key="source_id",
        chunk=release.limits.datalink_chunk,
        expects_all=True,
        spelling={canonical[structure]: structure},
        timeout_s=release.limits.datalink_timeout_s,
        hint=release.opens,
    )


def light_curves(epochs: pa.Table, release: GaiaRelease, has_zero_point_error: bool = False) -> Curves:
    """Light curves of a table of EPOCHS without repetition, one row per source; objid is the source_id.

    Times are BJD_TCB - 2400000.5, magnitudes Vega. The error is POGSON / (flux over error), to first order (Gaia
    publishes none), with the zero point's error in quadrature where that is wanted.
    """
    time, mag, ratio = (floats(epochs[name]) for name in ("time", "mag", "flux_over_error"))
    band = epochs["band"].to_numpy()
    is_seen = (floats(epochs["flux"]) > 0) & (mag > MAG_RANGE[0]) & (mag < MAG_RANGE[1])
    with np.errstate(divide="ignore"):
        err = np.where(ratio > 0, POGSON / ratio, np.nan)
    if has_zero_point_error:
        assert release.zero_point_error_mag is not None
        err = np.hypot(err, np.array([release.zero_point_error_mag[name] for name in BANDS])[band])
    batch = LightCurveBatch.from_epochs(
        source_id=epochs["source_id"].to_numpy(),
        time=time + (release.time.zero_jd - MJD_ZERO),
        mag=np.where(is_seen, mag, np.nan),
        mag_err=np.where(is_seen, err, np.nan),
        band=band,
        flags=_flags(epochs),
        bands=BANDS,
    )
    return Curves(batch, batch.source_id)


def _drop_impossible(epochs: pa.Table, release: GaiaRelease) -> tuple[pa.Table, pa.Table]:
    """The epochs with a time inside the mission, one per source, transit and band; and those refused.

    They come sorted, so that the order of an answer means nothing.
    """
    epochs = epochs.sort_by([(name, "ascending") for name in ("source_id", "transit_id", "band", "time", "mag")])
    time = floats(epochs["time"])
    first, last = release.time.range_day
    in_time = (time > first) & (time < last)
    late, epochs = epochs.filter(pa.array(~in_time)), epochs.filter(pa.array(in_time))
    ids = np.stack([epochs[name].to_numpy().astype(np.int64) for name in ("source_id", "transit_id", "band")])
    is_first = np.ones(epochs.num_rows, bool)
    is_first[1:] = (np.diff(ids, axis=1) != 0).any(axis=0)
    twice = epochs.filter(pa.array(~is_first))
    report = join_reports(
        reject(TABLE, late["source_id"], "time", "range", late["time"], _epoch_key(late)),
        reject(TABLE, twice["source_id"], "transit_id", "duplicate", twice["transit_id"], _epoch_key(twice)),
    )
    return epochs.filter(pa.array(is_first)), report


def _epoch_key(rows: pa.Table) -> pa.ChunkedArray:
    """ "<source> <transit> <band>" of each row, with " #2", " #3", ... behind the repetitions: keys must differ."""
    band = pa.array(BANDS).take(rows["band"].combine_chunks())
    key = pc.binary_join_element_wise(
        pc.cast(rows["source_id"], pa.string()), pc.cast(rows["transit_id"], pa.string()), band, " "
    )
    return number_repeats(key)


def _flags(epochs: pa.Table) -> NDArray[np.int32]:
    """Quality bits (N,). OTHER_FLAGS tells of doubts short of rejection: a rejected transit has its reason already."""
    by_photometry = epochs["rejected_by_photometry"].to_numpy()
    has_others = (epochs["other_flags"].to_numpy() != 0) & ~by_photometry
    return (
        by_photometry * REJECTED_BY_PHOTOMETRY.bit
        + epochs["rejected_by_variability"].to_numpy() * REJECTED_BY_VARIABILITY.bit
        + has_others * OTHER_FLAGS.bit
        + epochs["few_ccds"].to_numpy() * FEW.bit
    ).astype(np.int32)


SURVEY = Survey(
    name="gaia",
    fetch=fetch,
    bands=PASSBANDS,
    options=OPTIONS,
    label_origins=tuple(
        origin
        for place, release in enumerate(reversed(RELEASES.values()))  # the newest counts first
        for origin in (
            LabelOrigin(release.name, quantities=gaia_labels.SOURCE_QUANTITIES, rank=20 + 2 * place),
            LabelOrigin(release.variability_origin, quantities=gaia_labels.VARIABILITY_QUANTITIES, rank=21 + 2 * place),
        )
    ),
    catalogues=(FileCatalogue("hats_source", LIVE_HATS, is_required=False),),
    flags=FLAGS,
    cuts=tuple(FlagCut(flag.name, (flag,), is_default=not flag.is_information) for flag in FLAGS),
    tables=(TABLES["core_gaia__source"],),
    open_sample=open_sample,
    find_variant=find_variant,
    follow_ids=follow_ids,
    unmarked=("release_file",),
    # A light curve of DR4 has 4 to 5 KiB, zipped (inferred from 44 transits); one of DR3 half as many.
    loads=(Load("gaia_tap", 1.0, 0.43, chunk=500), Load("gaia_datalink", 1.0, 4.5)),
)
