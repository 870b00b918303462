"""Which stars the TIC has, and how often: not all, and some as artifact, duplicate or split, or twice for no reason.

After the TIC-8 release notes at MAST, known issue 4: an entry that proved to be several sources is retired with the
disposition SPLIT and without duplicate_id, and the entries of its parts, whose disposition is null, name it in theirs;
a DUPLICATE names the entry of its star. Of the parts the sky has one, the star itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.replica.tables.chance import uniform
from tasks.replica.tables.neighbours import has_own_dr2
from tasks.replica.tables.patch import Patch

LIMIT_MAG, LISTED_SHARE, NO_GAIA_SHARE = 19.5, 0.95, 0.04
# Shares of the entries that are marked as artifact, have a duplicate, are parts of a split one, or are there twice.
EDGES = np.cumsum([0.0034, 0.0033, 0.0033, 0.0020])
ARTIFACT, HAS_DUPLICATE, IS_PART, IS_TWICE, PLAIN = range(5)
SECOND_ENTRY = 2**33  # added to the number of a source for the number of its second entry
ID_BITS, ID_MULTIPLIER = 34, 8_392_357  # odd, so it permutes the numbers


@dataclass(frozen=True, eq=False)
class Entries:
    """Entries of the catalogue (E): first one for each source that is in it, then the second entries of some.

    `source`: row of the Gaia source; `number`: the entry's own; `has_gaia`: whether its Gaia id is known;
    `disposition`, and `belongs_to`, the identifier of the other entry: texts, masked where there is none.
    """

    source: NDArray[np.int64]
    number: NDArray[np.int64]
    is_extra: NDArray[np.bool_]
    has_gaia: NDArray[np.bool_]
    disposition: np.ma.MaskedArray
    belongs_to: np.ma.MaskedArray


def tic_ids(number: NDArray[np.int64]) -> NDArray[np.int64]:
    """Identifiers of entries by number, below 2^34: unique, in no order."""
    return (number * np.int64(ID_MULTIPLIER) + np.int64(12_345)) & np.int64(2**ID_BITS - 1)


def make_entries(patch: Patch) -> Entries:
    """The entries of a patch. A second id of a star is one only where DR2 had it, and then a duplicate of the first."""
    main, second_of = _list_sources(patch)
    number = patch.sources.number[main]
    state = np.searchsorted(EDGES, uniform("disposition", patch.seed, number))
    state = np.where(second_of >= 0, PLAIN, state)
    extra = np.flatnonzero(np.isin(state, (HAS_DUPLICATE, IS_PART, IS_TWICE)))
    extra_state, extra_number = state[extra], number[extra] + SECOND_ENTRY

    word = np.select([second_of >= 0, state == ARTIFACT], ["DUPLICATE", "ARTIFACT"], "")
    other = np.where(state == IS_PART, number + SECOND_ENTRY, second_of)
    is_duplicate, is_retired = extra_state == HAS_DUPLICATE, extra_state == IS_PART
    word = np.concatenate([word, np.select([is_duplicate, is_retired], ["DUPLICATE", "SPLIT"], "")])
    other = np.concatenate([other, np.where(is_duplicate, number[extra], -1)])
    return Entries(
        source=np.concatenate([main, main[extra]]),
        number=np.concatenate([number, extra_number]),
        is_extra=np.repeat([False, True], [number.size, extra.size]),
        has_gaia=np.concatenate([uniform("tic gaia", patch.seed, number) > NO_GAIA_SHARE, ~is_retired]),
        disposition=np.ma.array(word, mask=word == ""),
        belongs_to=np.ma.array(tic_ids(other).astype(str), mask=other < 0),
    )


def _list_sources(patch: Patch) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Gaia sources that are in the catalogue, and for second ids the number of the first, -1 for all others."""
    sources, n_own = patch.sources, len(patch.stars)
    is_listed = (sources.g_mag < LIMIT_MAG) & (uniform("in tic", patch.seed, sources.number) < LISTED_SHARE)
    is_listed[:n_own] &= has_own_dr2(patch) & (~patch.is_duplicate | is_listed[patch.origin])
    second_of = np.full(len(sources), -1)
    second_of[:n_own][patch.is_duplicate] = patch.stars.number[patch.origin[patch.is_duplicate]]
    main = np.flatnonzero(is_listed)
    return main, second_of[main]
