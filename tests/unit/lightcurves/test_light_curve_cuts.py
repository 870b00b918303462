"""Each named cut removes what it names, and no more."""

from dataclasses import replace

import numpy as np
import pytest

from tasks.lightcurves import LightCurveBatch, flags
from tasks.lightcurves.cuts import apply_cuts
from tasks.lightcurves.flags import BLENDED
from tasks.surveys.cuts import CutConfig

N = 60


@pytest.fixture
def clean() -> LightCurveBatch:
    """Two constant stars in two bands, 60 epochs each, every epoch good."""
    rng = np.random.default_rng(2)
    row = np.repeat([1, 2], N)
    return LightCurveBatch.from_epochs(
        row,
        np.tile(np.arange(N) + 0.5, 2),
        15 + rng.normal(0, 0.02, 2 * N),
        np.full(2 * N, 0.02),
        np.arange(2 * N) % 2,
        None,
        ("g", "r"),
    )


def spoiled(batch: LightCurveBatch, **changes: dict[int, float]) -> LightCurveBatch:
    columns = {name: getattr(batch, name).copy() for name in changes}
    for name, values in changes.items():
        for epoch, value in values.items():
            columns[name][epoch] = value
    return replace(batch, **columns)


@pytest.mark.parametrize(
    ("cut", "changes"),
    [
        ("rejected_by_photometry", {"flags": {3: 1 << 6, 70: 1 << 6 | 1}}),
        ("rejected_by_variability", {"flags": {3: 1 << 7}}),
        ("psf_quality", {"flags": {3: 1 << 9, 4: 1 << 9 | 1 << 10}}),
        ("info_flags", {"flags": {3: 1 << 10, 4: 1 << 11, 70: 1 << 12}}),
        ("catflags", {"flags": {3: 1 << 13, 70: 1 << 13 | flags.BAD_QUALITY}}),
        ("flagged", {"flags": {3: BLENDED, 70: 5}}),
        ("positive_error", {"mag_err": {3: 0.0, 70: np.nan, 71: -0.1}}),
        ("well_measured", {"mag_err": {3: 1.2, 70: 30.0}}),
        ("finite", {"mag": {3: np.nan, 70: np.inf}, "time": {71: np.nan}}),
        ("duplicate_time", {"time": {4: 2.5, 6: 2.5, 70: 12.5}}),
        ("outlier", {"mag": {3: 13.0, 70: 14.0, 71: 19.0}}),
    ],
)
def test_a_cut_counts_what_it_removed(clean, cut, changes):
    bad = {epoch for values in changes.values() for epoch in values}
    kept, removed, names = apply_cuts(spoiled(clean, **changes), CutConfig())
    ledger = dict(zip(names, removed.T, strict=True))
    assert ledger[cut].tolist() == [sum(e < N for e in bad), sum(e >= N for e in bad)]
    assert removed.sum() == len(bad)
    assert kept.time.size == 2 * N - len(bad)


def test_information_is_no_reason_to_reject_unless_asked(clean):
    informed = spoiled(clean, flags={3: 1 << 8})
    assert apply_cuts(informed, CutConfig())[0].time.size == 2 * N
    assert apply_cuts(informed, CutConfig(names=("other_flags",)))[0].time.size == 2 * N - 1


def test_good_epochs_all_stay(clean):
    kept, removed, _ = apply_cuts(clean, CutConfig())
    assert removed.sum() == 0
    assert kept.time.size == clean.time.size


def test_a_dataset_without_errors_loses_nothing_for_it(clean):
    kept, removed, _ = apply_cuts(replace(clean, mag_err=np.full(2 * N, np.nan)), CutConfig())
    assert removed.sum() == 0
    assert kept.time.size == 2 * N


def test_a_dataset_that_declares_errors_needs_them_in_every_chunk(clean):
    _, removed, names = apply_cuts(replace(clean, mag_err=np.full(2 * N, np.nan)), CutConfig(has_error=True))
    assert removed[:, names.index("positive_error")].tolist() == [N, N]


def test_a_band_that_quotes_no_errors_passes_where_bands_are_judged_alone(clean):
    err = np.where(clean.band == 0, np.nan, clean.mag_err)
    spoiled_err = replace(clean, mag_err=err.astype(np.float32))
    config = CutConfig(has_error=True, errors_by_band=True)
    assert apply_cuts(spoiled_err, config)[0].time.size == 2 * N
    assert apply_cuts(spoiled_err, CutConfig(has_error=True))[0].time.size == N
    assert apply_cuts(spoiled(clean, mag_err={3: 2.0, 4: 0.0}), config)[0].time.size == 2 * N - 2
    assert str(config) == str(CutConfig(has_error=True))  # of which lakes keep hashes


def test_eclipses_stay(clean):
    """Three epochs of one band in a 1.5 mag eclipse: faint, but not alone."""
    eclipse = {2: 16.5, 12: 16.4, 40: 16.5}
    assert apply_cuts(spoiled(clean, mag=eclipse), CutConfig())[1].sum() == 0


def test_the_first_of_equal_times_stays(clean):
    kept, *_ = apply_cuts(spoiled(clean, time={4: 2.5}, mag={4: 15.5}), CutConfig(names=("duplicate_time",)))
    assert 15.5 not in kept.mag


def test_an_unknown_cut_is_refused():
    with pytest.raises(ValueError, match="no cut 'sharpness'"):
        CutConfig(names=("sharpness",))
