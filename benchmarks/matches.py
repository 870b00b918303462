"""Does the crossmatch recover the truth of the embedded sky? Completeness and purity per survey, with 95 % intervals.

A match is right where the light curve under it is the star's own (PS1, ZTF: the epochs are those that the sky drew for
the star) or the parameters are (TIC: the Teff that the sky published for the star). A star has an object of its own
unless the sky lost it to a neighbour; in the TIC, where the replica holds its Teff. A star is crowded where the sky's
truth has another one within twice the match radius, so near that one object may be as near to both as a match allows;
`flagged` counts the stars whose match is called ambiguous, and their share of all that are matched.

argelander refresh demo; python -m benchmarks.matches [LAKE] [N_OBJECTS] [SEED]
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
from astropy.stats import binom_conf_interval
from numpy.typing import NDArray

from lakehouse.delta.store import Lake
from tasks.replica.holdings import Holdings, build
from tasks.sky import Sky, generate
from tasks.stages.acquire.addresses import REPLICA_FOLDER
from tasks.surveys import SURVEYS

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Recovery:
    """Stars by their ids: with an own object, matched, matched wrongly, flagged as ambiguous; and crowded by truth."""

    own: Ids
    matched: Ids
    wrong: Ids
    flagged: Ids
    crowded: Ids

    @property
    def flagged_share(self) -> float:
        """How many of the matched stars are flagged."""
        return self.flagged.size / self.matched.size

    def text(self, survey: str) -> str:
        """One line."""
        unflagged = np.setdiff1d(self.wrong, self.flagged)
        wrong_alone, flagged_alone = (np.setdiff1d(ids, self.crowded).size for ids in (self.wrong, self.flagged))
        complete = share(np.isin(self.own, self.matched).sum(), self.own.size)
        pure = share(self.matched.size - self.wrong.size, self.matched.size)
        return (f"{survey:6}{self.own.size:8,}{complete:>28}{self.matched.size:10,}{pure:>28}{self.wrong.size:8,}"
                f"{unflagged.size:12,}{self.flagged.size:10,}{self.flagged_share:8.4f}"
                f"{wrong_alone:16,}{flagged_alone:18,}")  # fmt: skip


def share(k: int, n: int) -> str:
    """k of n with its 95 % Jeffreys interval."""
    lo, hi = binom_conf_interval(k, n, 0.95, interval="jeffreys")
    return f"{k / n:.4f} [{lo:.4f}, {hi:.4f}]"


def main(lake: str = "lake", n: int = 3000, seed: int = 1, dataset: str = "demo") -> dict[str, Recovery]:
    """Prints a line per survey for a lake that holds the sky of `n` objects with `seed`."""
    place, sky = Lake(lake), generate(n, seed)
    matches = place.read("assn_sample__match", where={"dataset": dataset})
    best = matches.filter(pc.equal(matches["rank"], 1))
    teff = _served_teff(build(place.path / REPLICA_FOLDER, n, seed))
    found = {}
    print(f"{'':6}{'own':>8}{'completeness':>28}{'matched':>10}{'purity':>28}{'wrong':>8}{'unflagged':>12}{'flagged':>10}"
          f"{'share':>8}{'wrong, alone':>16}{'flagged, alone':>18}")  # fmt: skip
    for survey in ("ps1", "ztf", "tic"):
        rows = best.filter(pc.equal(best["survey"], survey))
        matched = np.unique(rows["source_id"].to_numpy())
        flagged = np.unique(rows.filter(rows["is_ambiguous"])["source_id"].to_numpy())
        own, wrong = _parameters(place, sky, dataset, teff) if survey == "tic" else _light(place, sky, dataset, survey)
        crowded = _crowded(sky, 2 * SURVEYS[survey].options["radius_arcsec"])
        found[survey] = Recovery(own, matched, np.intersect1d(wrong, matched), flagged, crowded)
        print(found[survey].text(survey))
    return found


def _crowded(sky: Sky, within_arcsec: float) -> Ids:
    """Stars with a neighbour that near by the truth, or that the sky lists twice: both entries."""
    truth = sky.truth
    near = pc.fill_null(pc.less(truth["neighbour_sep_arcsec"], within_arcsec), False)
    twice = truth.filter(truth["is_duplicate"])
    return np.unique(np.concatenate([
        truth["source_id"].filter(near).to_numpy(), twice["source_id"].to_numpy(), twice["duplicate_of"].to_numpy()
    ]))  # fmt: skip


def _light(lake: Lake, sky: Sky, dataset: str, survey: str) -> tuple[Ids, Ids]:
    """Stars whose own light the survey has, and stars whose light curve in the lake is another star's."""
    truth, drawn = sky.truth, sky.epochs[survey]
    lost = truth.filter(truth[f"is_wrong_match_{survey}"])["source_id"].to_numpy()
    rows = lake.read("raw_sample__epoch", columns=["source_id", "mag"], where={"dataset": dataset, "survey": survey})
    held = rows.filter(pc.greater(pc.list_value_length(rows["mag"]), 0))["source_id"].to_numpy()
    # A star that the sky gave its neighbour's epochs is wrong wherever it has any; another is where it has none of
    # the sky's, which happens when another object was taken for it.
    strangers = np.setdiff1d(held, drawn.source_id)
    return np.setdiff1d(drawn.source_id, lost), np.union1d(np.intersect1d(held, lost), strangers)


def _served_teff(holdings: Path) -> NDArray[np.float64]:
    """Every Teff that the replica's TIC holds."""
    held = Holdings(holdings)
    relation = held.tables("tic")["dbo.catalogrecord"].relation
    rows = held.connect().execute(f'select "Teff" from {relation} where "Teff" is not null').fetchnumpy()
    return np.asarray(rows["Teff"], float)


def _parameters(lake: Lake, sky: Sky, dataset: str, held: NDArray[np.float64]) -> tuple[Ids, Ids]:
    """Stars with a Teff in the TIC, known by its digits, and stars that were given another one's."""
    ours = lake.read("label_sample__parameter", where={"dataset": dataset, "origin": "tic", "quantity": "teff_k"})
    labels = sky.parameter_labels
    theirs = labels.filter(pc.and_(pc.equal(labels["origin"], "tic"), pc.equal(labels["quantity"], "teff_k")))
    both = ours.select(["source_id", "value"]).join(theirs.select(["source_id", "value"]), "source_id",
                                                    join_type="left outer", right_suffix="_sky")  # fmt: skip
    value, sky_value = (both[name].to_numpy(zero_copy_only=False) for name in ("value", "value_sky"))
    odd = ~np.isclose(value, sky_value, rtol=1e-3)
    is_held = np.isin(theirs["value"].to_numpy(), held)
    return np.sort(theirs["source_id"].to_numpy()[is_held]), both["source_id"].to_numpy()[odd]


if __name__ == "__main__":
    main(*sys.argv[1:2], *map(int, sys.argv[2:4]))
