"""Epoch photometry of DR4: columns by what they mean, flags of any name and sense, times of either unit."""

import numpy as np
import pyarrow.compute as pc
import pytest

from tasks.archives.errors import BadQuestion
from tasks.surveys import gaia
from tasks.surveys.cuts import list_cuts, list_default_cuts
from tasks.surveys.gaia import SURVEY
from tasks.surveys.gaia_files import list_members, product_of
from tasks.surveys.gaia_flags import add_flags, read_flags
from tasks.surveys.gaia_layouts import EPOCHS, EpochReader, read_datalink
from tasks.surveys.gaia_releases import RELEASES, override_release
from tasks.surveys.gaia_roles import find_roles, in_days
from tasks.surveys.survey import GAIA_NEIGHBOURS
from tests.unit.surveys import gaia_products as made
from tests.unit.surveys.test_gaia_fetch import sources

DR4 = RELEASES["dr4"]
RENAMED = {"g_transit_time": "g_obs_time", **{f"g_transit_{name}": f"g_{name}" for name in
           ("flux", "flux_error", "flux_over_error", "mag")}}  # fmt: skip
NS = 86_400 * 10**9


def later(rows, flags=("g_rejected", "bp_rejected", "rp_rejected"), is_ns=False):
    """Transits as DR4 may name them: `flags` of rejection in place of DR3's."""
    found = []
    for row in rows:
        gone = ("rejected_by_photometry", "_reject", "_other_flags")
        new = {RENAMED.get(name, name): value for name, value in row.items() if not name.endswith(gone)}
        if is_ns:
            times = {name: value for name, value in new.items() if name.endswith("_time")}
            new |= {name: None if value is None else round(value * NS) for name, value in times.items()}
        found.append(new | {name: row["rejected_by_photometry"] for name in flags} | {"g_n_obs": 9})
    return found


def changed(**tree):
    return override_release("dr4", {"release": "dr4", **tree}, "dr4.toml")


def values(epochs):
    return epochs.sort_by([(name, "ascending") for name in ("source_id", "transit_id", "band")]).to_pydict()


ROWS = made.transits(3, 12, seed=7)
EXPECTED = values(read_datalink(made.wide_zip(ROWS)))
SAME = [name for name in EPOCHS.names if name not in ("rejected_by_variability", "other_flags")]


@pytest.mark.parametrize(
    "write", [made.wide_zip, lambda rows: made.zip_files({"EPOCH_PHOTOMETRY_RAW.csv": made._csv(rows)})]
)
def test_the_new_names_say_the_same(write):
    reader = EpochReader(DR4)
    epochs = reader(write(later(ROWS)))
    assert epochs.schema == EPOCHS
    for name in SAME:
        assert values(epochs)[name] == EXPECTED[name], name
    assert not pc.any(epochs["rejected_by_variability"]).as_py() and len(reader.lacking) == 3 and not reader.unread


def test_fluxes_of_few_ccds_are_told_in_g_alone_and_lose_no_epoch_by_default():
    rows = later(ROWS)
    for row, n in zip(rows, (2, 3, None), strict=False):
        row["g_n_obs"] = n
    epochs = EpochReader(DR4)(made.wide_zip(rows))
    few = epochs.filter(epochs["few_ccds"])
    assert few.select(["source_id", "transit_id", "band"]).to_pylist() == [
        {name: rows[0][name] for name in ("source_id", "transit_id")} | {"band": 0}
    ]
    assert gaia._flags(few).tolist() == [gaia.FEW.bit] and not any(
        values(read_datalink(made.wide_zip(ROWS)))["few_ccds"]
    )
    assert "few_ccds" in list_cuts() and "few_ccds" not in list_default_cuts()


def test_nanoseconds_are_told_by_their_size():
    days = values(EpochReader(DR4)(made.wide_zip(later(ROWS, is_ns=True))))["time"]
    np.testing.assert_allclose(days, EXPECTED["time"], rtol=0, atol=1e-9)


def test_times_of_two_units_or_of_none_are_refused():
    scale = DR4.time
    mixed = np.array([1700.0, 1701.0, 1702.0 * NS])
    with pytest.raises(BadQuestion, match="mixes units of time: 1 of 3 times are above 1e"):
        in_days(mixed, scale)
    with pytest.raises(BadQuestion, match=r"3 of 3 times outside of 1447 to 5494 day: .*time.unit"):
        in_days(np.array([57000.0, 57001.0, 57002.0]), scale)
    with pytest.raises(BadQuestion, match="2 of 2 times outside"):
        in_days(np.array([1e12, 2e12]), scale)
    assert in_days(np.array([np.nan]), scale).size == 1 and in_days(np.empty(0), scale).size == 0
    np.testing.assert_array_equal(in_days(mixed, changed(time={"unit": "day"}).time), mixed)
    np.testing.assert_array_equal(in_days(np.array([2.0 * NS]), changed(time={"unit": "ns"}).time), [2.0])
    few = np.append(np.full(200, 1700.0 * NS), -999.0)  # a word for nothing is no second unit: the row is refused later
    assert in_days(few, scale)[0] == 1700.0 and abs(in_days(few, scale)[-1]) < 1e-9


@pytest.mark.parametrize(
    ("flag", "cell"),
    [
        ({"column": "bad"}, lambda rejected: str(rejected).lower()),
        ({"column": "bad", "when": False}, lambda rejected: str(not rejected).lower()),
        ({"column": "bad", "bit": 15}, lambda rejected: -(2**15) + 3 if rejected else 3),
        ({"column": "bad", "bit": 3}, lambda rejected: 8 if rejected else -(2**15)),
        ({"column": "bad", "bit": 2, "when": False}, lambda rejected: 1 if rejected else 4),
        ({"column": "bad"}, lambda rejected: int(rejected)),
    ],
)  # fmt: skip
def test_a_flag_has_a_name_and_a_sense(flag, cell):
    rows = [row | {"bad": cell(row["bad"])} for row in later(ROWS, flags=("bad",))]
    epochs = EpochReader(changed(epochs={band: {"reject": flag} for band in made.BANDS}))(made.wide_zip(rows))
    assert values(epochs)["rejected_by_photometry"] == EXPECTED["rejected_by_photometry"]
    assert 0 < sum(EXPECTED["rejected_by_photometry"]) < len(EXPECTED["time"])


def test_without_flags_nothing_is_rejected_and_the_notes_say_so():
    reader = EpochReader(DR4)
    epochs = reader(made.wide_zip([row | {"photometry_flags": 4, "surprise": 1} for row in later(ROWS, flags=())]))
    assert not pc.any(epochs["rejected_by_photometry"]).as_py()
    first, second = reader.notes()
    assert "rejected_by_photometry (G, BP, RP) nor rejected_by_variability (G, BP, RP)" in first
    assert second == "gaia_dr4: columns of the epochs that nothing reads: photometry_flags, surprise."
    quiet = EpochReader(RELEASES["dr3"])
    quiet(made.wide_zip(ROWS))
    assert quiet.notes() == ()


def test_dr3_without_its_flags_is_another_layout():
    names = [name for name in ROWS[0] if name not in ("rejected_by_photometry", "variability_flag_g_reject")]
    with pytest.raises(BadQuestion, match="lacks 2 columns, first 'rejected_by_photometry'"):
        read_datalink(made.wide_zip(ROWS, names))


@pytest.mark.parametrize("role", ["g_mag", "bp_flux", "rp_obs_time", "transit_id"])
def test_what_no_epoch_can_do_without_is_named(role):
    rows = later(ROWS)
    with pytest.raises(BadQuestion, match=f"lacks 1 columns, first '{role}'.*release file"):
        EpochReader(DR4)(made.wide_zip(rows, [name for name in rows[0] if name != role]))


def test_the_ratio_or_the_error_is_enough():
    rows = later(ROWS)
    for dropped in ("g_flux_over_error", "g_flux_error"):
        epochs = EpochReader(DR4)(made.wide_zip(rows, [name for name in rows[0] if name != dropped]))
        found = values(epochs)["flux_over_error"]
        np.testing.assert_allclose(found, EXPECTED["flux_over_error"], rtol=1e-12)
    names = [name for name in rows[0] if not name.startswith("g_flux_")]
    with pytest.raises(BadQuestion, match="lacks 1 columns, first 'g_flux_over_error'"):
        EpochReader(DR4)(made.wide_zip(rows, names))


def test_roles_take_the_first_candidate_that_is_there():
    names = [*later(ROWS)[0], "g_transit_mag"]
    assert find_roles(names, DR4.epochs).bands["G"].columns["mag"] == "g_mag"
    assert find_roles(list(ROWS[0]), DR4.epochs).bands["G"].columns["mag"] == "g_transit_mag"
    assert find_roles(names, changed(epochs={"G": {"mag": "g_transit_mag"}}).epochs).bands["G"].columns["mag"] == (
        "g_transit_mag"
    )


def test_products_are_told_apart_by_their_whole_name():
    names = ["a/EPOCH_PHOTOMETRY-Gaia DR4 17.csv", "EPOCH_PHOTOMETRY_CCD-Gaia DR4 17.csv", "EPOCH_PHOTOMETRY_RAW.csv",
             "EPOCH_PHOTOMETRY_CROWDED_FIELD-Gaia DR4 17.csv", "EPOCH_FLAGS_VARI-Gaia DR4 17.csv",
             "EPOCH_PHOTOMETRY_CCD_RAW.csv", "EPOCH_PHOTOMETRY.csv", "EPOCH_PHOTOMETRY_17.csv",
             "EPOCH_PHOTOMETRY-Gaia DR4 17.xml"]  # fmt: skip
    zipped = made.zip_files(dict.fromkeys(names, b"x"))
    assert [name for name, _ in list_members(zipped, "EPOCH_PHOTOMETRY")] == [names[k] for k in (0, 2, 6, 7)]
    assert [name for name, _ in list_members(zipped, "EPOCH_FLAGS_VARI")] == [names[4]]
    assert product_of("17.csv") == "" and product_of(names[1]) == "EPOCH_PHOTOMETRY_CCD"
    ccd = {f"EPOCH_PHOTOMETRY_CCD-Gaia DR4 {made.FIRST_ID}.csv": b"source_id,sm_flux\n1,2\n"}
    rows = later(made.transits(1, 3))
    both = made.zip_files({made._file(made.FIRST_ID): made._csv(rows), **ccd})
    assert EpochReader(DR4)(both).equals(EpochReader(DR4)(made.wide_zip(rows)))


WITH_FLAGS = changed(datalink={"flags_type": "EPOCH_FLAGS_VARI"})


def flag_files(rows, name="EPOCH_FLAGS_VARI", as_arrays=False):
    by_source = made._by_source(rows)
    if as_arrays:
        lines = [{"source_id": source, **{key: made.parentheses([row[key] for row in of]) for key in of[0] if
                  key != "source_id"}} for source, of in by_source.items()]  # fmt: skip
        return made.zip_files({f"{name}_RAW.csv": made._csv(lines)})
    return made.zip_files({f"{name}-Gaia DR4 {source}.csv": made._csv(of) for source, of in by_source.items()})


def used(rows):
    """Flags of the variability processing, whose sense is the opposite of rejection; of one transit there are none."""
    kept = ("source_id", "transit_id")
    return [{name: row[name] for name in kept} | {f"{band}_used": not row[f"variability_flag_{band}_reject"] for band in
            ("g", "bp", "rp")} for row in rows[1:]]  # fmt: skip


@pytest.mark.parametrize("as_arrays", [False, True])
def test_flags_of_the_variability_processing_are_joined_by_transit(as_arrays):
    asked = []

    def ask(question, items):
        asked.append(question.text)
        files = {
            "EPOCH_PHOTOMETRY": made.wide_zip(later(ROWS)),
            "EPOCH_FLAGS_VARI": flag_files(used(ROWS), as_arrays=as_arrays),
        }
        assert question.parameters["RELEASE"] == "Gaia DR4"
        return question.read(files[question.text])

    epochs = add_flags(
        EpochReader(WITH_FLAGS)(made.wide_zip(later(ROWS))), read_flags(flag_files(used(ROWS)), WITH_FLAGS)
    )
    expected = [
        rejected and (source, transit) != (ROWS[0]["source_id"], ROWS[0]["transit_id"])
        for source, transit, rejected in zip(
            *(EXPECTED[name] for name in ("source_id", "transit_id", "rejected_by_variability")), strict=True
        )
    ]
    assert values(epochs)["rejected_by_variability"] == expected and any(expected)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(RELEASES, "dr4", WITH_FLAGS)
        ids = sorted({row["source_id"] for row in ROWS})
        found = SURVEY.fetch(ask, sources(ids), GAIA_NEIGHBOURS.empty_table(), {**SURVEY.options, "release": "dr4"})
    assert asked == ["EPOCH_PHOTOMETRY", "EPOCH_FLAGS_VARI"] and found.notes == ()
    assert (found.curves.batch.flags & 1 << 7 > 0).sum() == sum(expected)


def test_flags_without_a_known_column_are_refused():
    rows = [{"source_id": 1, "transit_id": 2, "al_used": True}]
    with pytest.raises(BadQuestion, match="has no flag that is known; it has source_id, transit_id, al_used"):
        read_flags(flag_files(rows), WITH_FLAGS)
    assert read_flags(made.zip_files({}), WITH_FLAGS).num_rows == 0
    twice = [{"source_id": 1, "transit_id": 2, "g_used": True}, {"source_id": 1, "transit_id": 2, "g_used": False}]
    assert read_flags(flag_files(twice), WITH_FLAGS).to_pylist() == [
        {"source_id": 1, "transit_id": 2, "G": True, "BP": False, "RP": False}
    ]


def test_no_epochs_get_no_flags():
    assert add_flags(EPOCHS.empty_table(), read_flags(made.zip_files({}), WITH_FLAGS)).num_rows == 0
