"""Fluxes, upper limits and good flags: what becomes a magnitude, and what is set aside with which check."""

import math

import numpy as np
import pyarrow as pa
import pytest

from schemas import BadInput
from schemas.mapping import load_spec
from schemas.reading import describe_epochs
from tasks.folder.local import read_epochs, read_objects
from tests.unit.folder.conftest import make_light_curves


def read(path):
    """The light curves of a folder, and (check, value) of each row that is set aside."""
    spec = load_spec(path)
    ids = read_objects(path, spec).table["object_id"].to_pylist()
    (chunk,) = read_epochs(path, spec, ids, 100)
    return chunk.batch, sorted((row["check"], row["value"]) for row in chunk.rejected.to_pylist())


def as_fluxes(zero_point, **others):
    """The default light curves with fluxes and their errors in place of magnitudes."""
    curves = make_light_curves()
    flux = 10 ** ((zero_point - curves.pop("mag").astype(float)) / 2.5)
    ratio = curves.pop("mag_err").astype(float) * math.log(10) / 2.5
    return {**curves, "flux": flux, "e_flux": flux * ratio, **others}


def toml(zero_point):
    return f'[lightcurves]\nflux = "flux"\nflux_err = "e_flux"\nzero_point = {zero_point}\n'


@pytest.mark.parametrize(
    ("zero_point", "magnitude"), [("25.5", 25.5), ('"uJy"', 23.9), ('"nJy"', 31.4), ('"Jy"', 8.9), ("20", 20.0)]
)
def test_fluxes_become_magnitudes(folder, zero_point, magnitude):
    plain, _ = read(folder())
    batch, aside = read(folder(as_fluxes(magnitude), toml=toml(zero_point)))
    np.testing.assert_allclose(batch.mag, plain.mag, rtol=1e-6)
    np.testing.assert_allclose(batch.mag_err, plain.mag_err, rtol=1e-6)
    assert batch.time.tolist() == plain.time.tolist() and aside == []


def test_a_flux_that_is_not_positive_is_set_aside_with_its_value(folder):
    curves = as_fluxes(25.0)
    curves["flux"][:4] = -3.5, 0.0, np.nan, -1e6
    batch, aside = read(folder(curves, toml=toml(25)))
    assert batch.mag.size == len(curves["flux"]) - 4
    assert [check for check, _ in aside] == ["finite", "flux", "flux", "flux"]
    assert {float(value) for check, value in aside if check == "flux"} == {-3.5, 0.0, -1e6}


@pytest.mark.parametrize("kind", ["float", "nested text", "int"])
def test_fluxes_of_any_type(folder, kind):
    curves = as_fluxes(25.0)
    curves["flux"], curves["e_flux"] = np.round(curves["flux"]), curves["flux"] / 50
    plain, _ = read(folder(curves, toml=toml(25)))
    if kind == "int":
        curves["flux"] = curves["flux"].astype(np.int32)
    if kind == "nested text":
        names = np.unique(curves["object_id"])
        cell = {name: curves[name] for name in curves if name != "object_id"} | {"flux": curves["flux"].astype(str)}
        rows = [np.flatnonzero(curves["object_id"] == name) for name in names]
        curves = {"object_id": names} | {key: [value[row].tolist() for row in rows] for key, value in cell.items()}
    batch, _ = read(folder(curves, {"object_id": np.unique(curves["object_id"])}, toml=toml(25)))
    assert batch.mag.tolist() == plain.mag.tolist() and batch.mag_err.tolist() == plain.mag_err.tolist()


def test_a_mark_before_a_magnitude_is_a_limit(folder):
    curves = make_light_curves()
    plain = dict(zip(curves["mjd"].tolist(), curves["mag"].tolist(), strict=True))
    texts = [f">{value}" if k < 30 else str(value) for k, value in enumerate(curves["mag"])]
    texts[0] = "> 17.25"
    batch, aside = read(folder({**curves, "mag": texts}))
    limits = [float(value) for check, value in aside if check == "upper_limit"]
    assert len(limits) == 30 and 17.25 in limits
    assert batch.mag.size == 10 and batch.mag.tolist() == [np.float32(plain[time]) for time in batch.time.tolist()]


LIMITS = {
    "truth": lambda where: where,
    "number": lambda where: where * 4,
    "text": lambda where: np.where(where, "True", "false"),
    "with nulls": lambda where: pa.array([True if at else None for at in where]),
}


@pytest.mark.parametrize("form", LIMITS)
def test_a_column_says_which_are_limits(folder, form):
    where = np.arange(40) % 8 == 0
    said = '[lightcurves]\nupper_limit = "is_limit"\n'
    batch, aside = read(folder({**make_light_curves(), "is_limit": LIMITS[form](where)}, toml=said))
    assert batch.mag.size == 35 and [check for check, _ in aside] == ["upper_limit"] * 5


@pytest.mark.parametrize(
    ("flags", "good", "n_good"),
    [
        (["G", "B", "U", None], '["G"]', 20),
        ([0, 4, 64, 4096], "[0, 64]", 20),
        ([0.0, 4.0, 64.0, np.nan], "[0]", 20),
        ([True, True, False, True], "[true]", 30),
    ],
)
def test_good_values_of_flags(folder, flags, good, n_good):
    curves = {**make_light_curves(), "quality": pa.array(flags * 10)}
    batch, aside = read(folder(curves, toml=f'[lightcurves]\nflags = "quality"\ngood_flags = {good}\n'))
    assert (batch.flags == 0).sum() == n_good and batch.mag.size == 40 and aside == []


def test_the_reading_says_it(folder):
    curves = {**as_fluxes(23.9), "q": ["G", "B"] * 20, "lim": [False] * 40}
    said = toml('"uJy"') + 'flags = "q"\ngood_flags = ["G"]\nupper_limit = "lim"\n'
    path = folder(curves, toml=said)
    line = describe_epochs(path, load_spec(path))
    for words in ("flux = flux (zero point uJy)", "flux_err = e_flux", "flags = q (good: G)", "upper_limit = lim"):
        assert words in line
    assert line.endswith("not used: nothing")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ('flux = "flux"', "flux needs a zero_point"),
        ("zero_point = 25", "flux needs a zero_point"),
        ('flux = "flux"\nzero_point = "mJy"', "zero_point"),
        ('flux = "flux"\nzero_point = nan', "zero_point"),
        ('flux = "flux"\nmag = "e_flux"\nzero_point = 25', "as mag, or that of fluxes"),
        ('flux = "flux"\nmag_err = "e_flux"\nzero_point = 25', "errors of fluxes are flux_err"),
        ('good_flags = ["G"]', "needs flags"),
        ('flux = "fluxx"\nzero_point = 25', "lightcurves.flux"),
        ('flux = "flux"\nzero_point = 60', "another zero_point"),
    ],
)
def test_what_does_not_go_together_is_one_sentence(folder, said, words):
    curves = {**as_fluxes(25.0), "mag": make_light_curves()["mag"]}
    with pytest.raises(BadInput) as caught:
        read(folder(curves, toml=f"[lightcurves]\n{said}\n"))
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_fluxes_do_not_change_the_mapping_of_a_folder_without_them(folder):
    dump = load_spec(folder()).model_dump(mode="json")["lightcurves"]
    assert set(dump) == {"file", "id", "time", "mag", "mag_err", "band", "flags"}
