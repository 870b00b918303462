"""Independent streams, shares of the classes, and the helpers that draw."""

import numpy as np
import pytest

from tasks.sky.classes import CLASSES, REGISTRY, draw_classes, draw_stars
from tasks.sky.draw import Draw, draw_names, draw_truncated, merge_draws, scale_pulsation
from tasks.sky.labels import CONFUSED_WITH
from tasks.sky.shapes import GRID, harmonics, pulsation
from tasks.sky.streams import BLOCK, stream

SEED = 5


def test_a_stream_is_the_same_whenever_it_is_opened():
    assert np.array_equal(stream(SEED, 2, "a").random(100), stream(SEED, 2, "a").random(100))


@pytest.mark.parametrize("other", [(SEED + 1, 2, "a"), (SEED, 3, "a"), (SEED, 2, "b")])
def test_streams_of_other_seeds_blocks_and_purposes_are_independent(other):
    one, two = stream(SEED, 2, "a").random(20_000), stream(*other).random(20_000)
    assert abs(np.corrcoef(one, two)[0, 1]) < 0.03 and not np.intersect1d(one[:100], two[:100]).size


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_a_seed_outside_its_range_is_refused(seed):
    with pytest.raises(ValueError, match=r"sky: the seed must lie between 0 and 2\^63 - 1"):
        stream(seed, 0, "a")


def test_the_default_shares_are_those_of_the_registry():
    assert sum(entry.share for entry in REGISTRY.values()) == pytest.approx(1.0)
    code = np.concatenate([draw_classes(SEED, block) for block in range(20)])
    for index, name in enumerate(CLASSES):
        share = REGISTRY[name].share
        assert np.mean(code == index) == pytest.approx(share, abs=4 * np.sqrt(share / code.size)), name


def test_a_mix_gives_relative_shares():
    code = np.concatenate([draw_classes(SEED, block, {"RRab": 3.0, "ECL": 1.0}) for block in range(10)])
    assert set(code) == {CLASSES.index("RRab"), CLASSES.index("ECL")}
    assert np.mean(code == CLASSES.index("RRab")) == pytest.approx(0.75, abs=0.02)


@pytest.mark.parametrize("mix", [{"QSO": 1.0}, {"RRab": -1.0, "ECL": 2.0}, {"RRab": 0.0}])
def test_a_mix_that_cannot_be_is_refused(mix):
    with pytest.raises(ValueError, match="sky: the mix must give shares >= 0"):
        draw_classes(SEED, 0, mix)


def test_stars_of_a_block_are_drawn_by_their_class():
    code = draw_classes(SEED, 1)
    star = draw_stars(SEED, 1, code)
    assert star["template"].shape == (BLOCK, GRID)
    assert np.array_equal(np.isnan(star["period_day"]), code == CLASSES.index("CONST"))
    assert set(star["subclass"][code == CLASSES.index("ECL")]) == {"EA", "EW"}
    assert set(star["subclass"][code == CLASSES.index("T2CEP")]) <= {"BLHer", "WVir", "RVTau"}


def test_one_class_does_not_move_the_draws_of_another():
    """The stars of a class are the first of its own stream, whatever else is in the block."""
    code = draw_classes(SEED, 1)
    alone = np.where(code == CLASSES.index("RRab"), code, CLASSES.index("CONST")).astype(np.int8)
    both, one = (draw_stars(SEED, 1, codes)["period_day"] for codes in (code, alone))
    assert np.array_equal(both[code == CLASSES.index("RRab")], one[code == CLASSES.index("RRab")])


@pytest.mark.parametrize("name", CLASSES)
def test_the_home_of_a_class_is_a_range(name):
    home = REGISTRY[name].home
    assert home.g_mag[0] < home.g_mag[1] and 0 < home.distance_kpc[0] < home.distance_kpc[1]
    assert 0 < home.latitude_deg <= 90 and home.slope != -1.0  # the inverse of the power law divides by slope + 1


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_is_mistaken_for_three_others(name):
    partners = CONFUSED_WITH[name]
    assert len(set(partners)) == 3 and name not in partners and set(partners) <= set(CLASSES)


def test_truncated_draws_stay_inside_and_do_not_pile_up():
    value = draw_truncated(np.random.default_rng(0), 0.0, 1.0, -1.0, 1.5, 100_000)
    assert value.min() >= -1.0 and value.max() <= 1.5
    assert np.mean((value == -1.0) | (value == 1.5)) < 0.02  # those that folding leaves outside
    assert np.mean(value) == pytest.approx(0.12, abs=0.05)


def test_truncated_draws_may_have_a_mean_for_each_star():
    middle = np.array([0.0, 10.0]).repeat(1000)
    value = draw_truncated(np.random.default_rng(0), middle, 0.1, -1.0, 11.0, 2000)
    assert abs(value[:1000].mean()) < 0.02 and abs(value[1000:].mean() - 10) < 0.02


def test_choices_have_their_shares():
    names = draw_names(np.random.default_rng(0), ("a", "b", "c"), (0.5, 0.3, 0.2), 50_000)
    assert [np.mean(names == name) for name in "abc"] == pytest.approx([0.5, 0.3, 0.2], abs=0.01)


def test_groups_are_put_back_in_the_order_of_their_rows():
    rows = [np.array([3, 0]), np.array([1, 2, 4])]
    parts = [{"x": np.array([30.0, 0.0])}, {"x": np.array([10.0, 20.0, 40.0])}]
    assert merge_draws(list(zip(rows, parts, strict=True)))["x"].tolist() == [0.0, 10.0, 20.0, 30.0, 40.0]


def test_fields_that_a_class_leaves_out_are_filled():
    n = 3
    star = Draw(
        subclass=np.full(n, "x"), feh_dex=np.zeros(n), teff_k=np.full(n, 6000.0), luminosity_lsun=np.ones(n),
        is_halo=np.zeros(n, bool), period_day=np.ones(n), template=np.zeros((n, GRID)), scale=np.zeros((n, 11)),
    ).fill()  # fmt: skip
    assert star["component"].shape == (n, GRID) and not star["component"].any()
    assert np.isnan(star["clock2_day"]).all() and (star["modulation_day"] == 100.0).all()


def test_the_fundamental_turns_with_wavelength():
    """The wavelength component rotates the fundamental: phi21 grows from blue to red, as in real RR Lyrae stars."""
    coefficient = harmonics([np.array([0.45]), np.array([0.3])], [np.array([4.2]), np.array([2.1])])
    shape = scale_pulsation(coefficient, np.array([0.8]), (1.0,) * 11, 622.0)
    phi21 = {}
    for band, index in (("g", 8), ("i", 10)):
        wave = np.fft.rfft(
            shape["scale"][0, index] * shape["template"][0] + shape["scale2"][0, index] * shape["component"][0]
        )
        phi21[band] = (np.angle(wave[2]) - 2 * np.angle(wave[1])) % (2 * np.pi)
    assert phi21["i"] - phi21["g"] == pytest.approx(0.44, abs=0.06)


def test_a_harmonic_series_goes_on_where_the_table_ends():
    coefficient = harmonics([np.array([0.5]), np.array([0.25])], [np.array([4.0]), np.array([2.0])])
    assert coefficient.shape == (1, 8) and coefficient[0, 0] == 1
    assert np.allclose(np.abs(coefficient[0]), [1, 0.5, 0.25, 0.125, 0.0625, 2**-5, 2**-6, 2**-7])
    assert np.allclose(np.diff(np.unwrap(np.angle(coefficient[0, 1:]))) % (2 * np.pi), -2.0 % (2 * np.pi))


def test_turning_the_phases_of_a_series_moves_the_curve_and_not_its_template():
    coefficient = harmonics([np.array([0.4])], [np.array([4.2])])
    moved = coefficient * np.exp(1j * 1.3 * np.arange(1, 9))
    difference = pulsation(coefficient)[0] - pulsation(moved)[0]
    assert np.abs(difference).max() < 0.03  # a grid point of phase
