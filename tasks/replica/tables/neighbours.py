"""Gaia's own matches: the best neighbour in Pan-STARRS1, the sources of DR2, and none in 2MASS.

Columns after Gaia DR3 documentation, 20.4 (crossmatches) and 20.8 (dr2_neighbourhood).
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.replica.served import declare_table
from tasks.replica.tables import positions, ps1
from tasks.replica.tables.chance import normal, uniform
from tasks.replica.tables.held import Held
from tasks.replica.tables.patch import DR2, DR2_SECOND, Patch, source_ids
from tasks.sky.defects import BLEND_ARCSEC

MATCHED_SHARE = 0.97  # of the sources that have a PS1 object
REACH_ARCSEC = 1.5  # farther objects are no neighbours
OTHER_ID_SHARE, SECOND_SHARE, MISSING_SHARE = 0.15, 0.03, 0.01  # of DR3 sources in DR2
OWN_TIC_SHARE = 0.5  # of second ids that were sources of their own in DR2, and so in the TIC

PS1_BEST = Held(
    declare_table(
        "gaiadr3.panstarrs1_best_neighbour",
        "gaia_panstarrs1_best_neighbour",
        "The best neighbour in Pan-STARRS1 of each Gaia source that has one.",
    ),
    "panstarrs1_best_neighbour",
    "source_id",
    late={"clean_panstarrs1_oid": "dense_rank() OVER (ORDER BY original_ext_source_id)"},
)
DR2_NEIGHBOURHOOD = Held(
    declare_table(
        "gaiadr3.dr2_neighbourhood",
        "gaia_dr2_neighbourhood",
        "Sources of Gaia DR2 near those of DR3.",
    ),
    "dr2_neighbourhood",
    "dr3_source_id, angular_distance, dr2_source_id",
)
TMASS_BEST = Held(
    declare_table(
        "gaiadr3.tmass_psc_xsc_best_neighbour",
        "gaia_tmass_psc_xsc_best_neighbour",
        "The best neighbour in 2MASS; empty, for the sky was not seen in the infrared.",
    ),
    "tmass_psc_xsc_best_neighbour",
    "source_id",
)


def best_ps1(patch: Patch, objects: ps1.Objects) -> pa.Table:
    """Best neighbours: the star's own object, else the object whose light took its place, where that is near."""
    chosen, other = _candidates(patch, objects)
    sources = patch.sources
    listed = np.flatnonzero((chosen >= 0) & (uniform("best neighbour", patch.seed, sources.number) < MATCHED_SHARE))
    mine, its = sources.select(listed), chosen[listed]
    distance = positions.separation(*mine.at(objects.year[its]), objects.ra[its], objects.dec[its])
    mates = np.bincount(its, minlength=objects.objid.size)[its] - 1
    return PS1_BEST.rows(
        {
            "source_id": mine.source_id,
            "original_ext_source_id": objects.objid[its],
            "angular_distance": distance,
            "number_of_neighbours": (1 + other[listed]).astype(np.int16),
            "number_of_mates": mates.astype(np.int16),
            "xm_flag": np.where(other[listed] | (mates > 0), 12, 8).astype(np.int16),
        }
    )


def _candidates(patch: Patch, objects: ps1.Objects) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """For each Gaia source its PS1 object (-1: none), and whether there is another one within reach."""
    own, beside = objects.observed.own, objects.observed.beside
    field_of = np.full(len(patch.stars), -1)
    field_of[patch.host] = np.arange(patch.host.size)
    field_of = field_of[patch.origin]
    sep = np.where(field_of >= 0, patch.sep[field_of], np.inf) if patch.sep.size else np.full(own.size, np.inf)
    theirs = np.where((field_of >= 0) & (sep < REACH_ARCSEC), beside[field_of] if beside.size else -1, -1)
    of_star = np.where(own >= 0, own, theirs)
    of_field = np.where((beside < 0) & (patch.sep < BLEND_ARCSEC["ps1"]), own[patch.host], beside)
    near_star = (own >= 0) & (theirs >= 0)
    near_field = (beside >= 0) & (own[patch.host] >= 0) & (patch.sep < REACH_ARCSEC)
    kept = patch.field_in_gaia
    return np.concatenate([of_star, of_field[kept]]), np.concatenate([near_star, near_field[kept]])


def dr2_ids(patch: Patch) -> NDArray[np.int64]:
    """DR2 source_id of each Gaia source: its own, another one, or for some second ids that of the first."""
    sources = patch.sources
    is_other = uniform("dr2", patch.seed, sources.number) < OTHER_ID_SHARE
    ids = np.where(is_other, source_ids(sources.number + DR2, sources.ra, sources.dec), sources.source_id)
    shared = np.flatnonzero(patch.is_duplicate & ~has_own_dr2(patch))
    ids[shared] = ids[patch.origin[shared]]
    return ids


def has_own_dr2(patch: Patch) -> NDArray[np.bool_]:
    """Whether each of the sky's own sources was a source of its own in DR2, (S,)."""
    return ~patch.is_duplicate | (uniform("own dr2", patch.seed, patch.stars.number) < OWN_TIC_SHARE)


def dr2(patch: Patch) -> pa.Table:
    """dr2_neighbourhood: the same star, and for some a farther and fainter one besides."""
    sources, seed = patch.sources, patch.seed
    ids = dr2_ids(patch)
    distance = 0.5 + 2.0 * np.abs(normal("dr2 distance", seed, sources.number))
    distance[: len(patch.stars)] += np.where(has_own_dr2(patch), 0.0, 200.0)
    fainter = 0.01 * normal("dr2 magnitude", seed, sources.number)
    listed = np.flatnonzero(uniform("dr2 missing", seed, sources.number) > MISSING_SHARE)
    second = listed[uniform("dr2 second", seed, sources.number[listed]) < SECOND_SHARE]
    chance = uniform("dr2 second place", seed, sources.number[second])
    both = np.concatenate([listed, second])
    second_ids = source_ids(sources.number[second] + DR2_SECOND, sources.ra[second], sources.dec[second])
    return DR2_NEIGHBOURHOOD.rows(
        {
            "dr2_source_id": np.concatenate([ids[listed], second_ids]),
            "dr3_source_id": sources.source_id[both],
            "angular_distance": np.concatenate([distance[listed], 400.0 + 1500.0 * chance]),
            "magnitude_difference": np.concatenate([fainter[listed], -0.5 - 3.5 * chance]),
            "proper_motion_propagation": np.isfinite(sources.pmra[both]),
        }
    )


def no_tmass() -> pa.Table:
    """No rows, of the right types."""
    return TMASS_BEST.table.schema.empty_table()
