"""Published relations as models: their values, their domains, and what they learn."""

import numpy as np
import pytest

from tasks.learning.data import Examples
from tasks.learning.fit import fit
from tasks.learning.models import fourier_metallicity, stefan_boltzmann
from tasks.learning.recipes import recipes_for
from tasks.learning.targets import Regression
from tasks.lightcurves.fourier import sine_phase

FEH, RADIUS = Regression.of("feh_dex"), Regression.of("radius_rsun")


def examples(**columns):
    values = np.stack([np.asarray(each, np.float32) for each in columns.values()], axis=1)
    return Examples(np.arange(len(values)), values, tuple(columns))


def dwarfs(magnitude, colour, significance=50.0):
    """Of absolute magnitudes and colours (S,)."""
    magnitude = np.asarray(magnitude, float)
    return examples(luminosity_root_G=10 ** (0.2 * magnitude), colour_mag_BP_RP=colour,
                    parallax_over_error=np.full(magnitude.size, significance))  # fmt: skip


def test_dwarfs_of_the_sequence_have_its_radii():
    # M_G, Bp-Rp and R of A0V, F5V, G2V, K5V, M2V in the table of Mamajek, whose radii come from its Teff and logL
    found = 10 ** stefan_boltzmann.relation(dwarfs([1.0, 3.26, 4.635, 6.85, 9.29], [-0.037, 0.587, 0.823, 1.43, 2.23]))
    np.testing.assert_allclose(found, [2.193, 1.473, 1.012, 0.701, 0.446], rtol=0.035)


def test_there_is_no_radius_beyond_the_sequence_and_of_an_unsure_parallax():
    assert np.isnan(stefan_boltzmann.relation(dwarfs([1.0, 5.0], [-0.6, 4.0]))).all()
    assert np.isnan(stefan_boltzmann.relation(dwarfs([4.6], [0.8], significance=4.9)))
    assert np.isnan(stefan_boltzmann.relation(examples(colour_mag_BP_RP=[0.8])))


def test_what_is_known_without_extinction_comes_first():
    one = dwarfs([4.635], [0.823])
    both = Examples(one.source_id, np.hstack([one.features, [[0.6]]]), (*one.feature_names, "colour0_mag_BP_RP"))
    assert stefan_boltzmann.relation(both) < stefan_boltzmann.relation(one)  # hotter


@pytest.mark.parametrize(("band", "phi31", "expected"), [
    # by hand: sine phi31 5.1 in V: -5.038 - 5.394 * 0.6 + 1.345 * 5.1; in I of 5.5: -3.142 - 4.902 * 0.6 + 0.824 * 5.5
    ("V", 5.1, -1.4149), ("I", 5.5, -1.5512), ("I_ogle", 5.5, -1.5512),
])  # fmt: skip
def test_the_relations_between_period_phi31_and_metallicity(band, phi31, expected):
    cosine = phi31 + np.pi  # the inverse of sine_phase for k = 3
    assert sine_phase(cosine, 3) == pytest.approx(phi31)
    for turns in (-1, 0, 1):
        own = examples(vetted_period_day=[0.6], **{f"phi31_rad_{band}": [cosine + turns * 2 * np.pi]})
        assert fourier_metallicity.relation(own)[0] == pytest.approx(expected, abs=1e-4)


def test_a_vetted_period_comes_before_one_that_was_found_and_no_rrab_has_a_long_one():
    own = examples(period_day=[0.3, 0.6, 0.6], vetted_period_day=[0.6, np.nan, 3.0], phi31_rad_V=[5.1 + np.pi] * 3)
    np.testing.assert_allclose(fourier_metallicity.relation(own), [-1.4149, -1.4149, np.nan], atol=1e-4)


def test_a_relation_learns_a_zero_point_and_a_spread_and_falls_back_on_the_median():
    rng = np.random.default_rng(2)
    period = np.append(rng.uniform(0.45, 0.75, 300), np.full(20, 5.0))
    own = examples(period_day=period, phi31_rad_V=np.full(320, 5.1 + np.pi))
    truth = fourier_metallicity.relation(own)
    y = np.where(np.isfinite(truth), truth + 0.3 + rng.normal(0, 0.1, 320), -0.5)
    (recipe,) = recipes_for(("fourier_metallicity",), (FEH, RADIUS))
    assert recipe.target == FEH
    value, spread = fit(recipe, own, y).predict(own).T
    np.testing.assert_allclose(value[:300], truth[:300] + 0.3, atol=0.03)
    np.testing.assert_allclose(spread[:300], 0.1, atol=0.03)
    assert (value[300:] == np.median(y)).all() and (spread[300:] > 0.2).all()
