"""Every layout that Gaia's epoch photometry comes in says the same of the same photometry."""

import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tasks.archives.errors import BadQuestion, Retryable
from tasks.surveys.gaia import light_curves
from tasks.surveys.gaia_files import id_of, split_header
from tasks.surveys.gaia_layouts import EPOCHS, read_cdn, read_datalink
from tasks.surveys.gaia_releases import RELEASES
from tests.real_data import of_astroquery, recorded
from tests.unit.surveys import gaia_products as made

KEY = [("source_id", "ascending"), ("transit_id", "ascending"), ("band", "ascending")]


def curves(epochs: pa.Table) -> dict[str, np.ndarray]:
    batch = light_curves(epochs.sort_by(KEY), RELEASES["dr3"]).batch
    return {name: getattr(batch, name) for name in ("source_id", "offsets", "time", "mag", "mag_err", "band", "flags")}


@given(n_source=st.integers(1, 4), n_transit=st.integers(1, 9), seed=st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_the_layouts_of_the_same_photometry_give_equal_curves(n_source, n_transit, seed):
    rows = made.transits(n_source, n_transit, seed)
    wide = read_datalink(made.wide_zip(rows))
    assume(len(wide["source_id"].unique()) == n_source)  # the long form has a file only where there is a flux
    others = [read_datalink(made.long_zip(rows)), read_datalink(made.raw_zip(rows))]
    others += [read_datalink(made.raw_zip(rows, made.brackets)), read_cdn(made.cdn_file(rows))]
    for other in others:
        assert other.schema == EPOCHS
        for name, value in curves(other).items():
            np.testing.assert_array_equal(value, curves(wide)[name], err_msg=name)


def test_every_value_arrives():
    rows = made.transits(3, 12, seed=4)
    epochs = read_datalink(made.wide_zip(rows)).sort_by(KEY)
    expected = []
    for row in sorted(rows, key=lambda row: (row["source_id"], row["transit_id"])):
        for code, band in enumerate(made.BANDS):
            prefix, short = made.PREFIX[band], band.lower()
            if row[f"{prefix}_flux"] is not None:
                values = (row[made.TIME[band]], *(row[f"{prefix}_{n}"] for n in ("flux", "flux_over_error", "mag")))
                flags = (row["rejected_by_photometry"], row[f"variability_flag_{short}_reject"])
                expected.append(
                    (row["source_id"], row["transit_id"], code, *values, *flags, row[f"{short}_other_flags"], False)
                )
    assert [tuple(row.values()) for row in epochs.to_pylist()] == expected
    assert len(expected) < 3 * len(rows)  # some fluxes are missing, and are no epochs


def test_columns_go_by_name():
    rows = made.transits()
    names = list(rows[0])[::-1]
    backwards = read_datalink(made.wide_zip(rows, names, newline="\r\n"))
    assert backwards.equals(read_datalink(made.wide_zip(rows)))


def test_the_file_names_the_source_where_its_columns_do_not():
    rows = made.transits()
    names = [name for name in rows[0] if name != "source_id"]
    assert read_datalink(made.wide_zip(rows, names)).equals(read_datalink(made.wide_zip(rows)))
    nameless = made.zip_files({"EPOCH_PHOTOMETRY.csv": made._csv(rows, names)})
    with pytest.raises(BadQuestion, match="names its source neither inside nor outside"):
        read_datalink(nameless)


def test_files_with_other_columns_in_one_zip():
    rows = made.transits(2, 3)
    first, second = rows[:3], rows[3:]
    mixed = {made._file(first[0]["source_id"]): made._csv(first)}
    mixed[made._file(second[0]["source_id"])] = made._csv(made._long(second))
    assert read_datalink(made.zip_files(mixed)).sort_by(KEY).equals(read_datalink(made.wide_zip(rows)).sort_by(KEY))


def test_the_ratio_is_computed_where_it_is_not_given():
    rows = made.transits(1, 5)
    for row in rows:
        row["bp_flux_over_error"] = None
    epochs = read_datalink(made.wide_zip(rows))
    given = {row["transit_id"]: row["bp_flux"] / row["bp_flux_error"] for row in rows if row["bp_flux"] is not None}
    bp = epochs.filter(pc.equal(epochs["band"], 1))
    assert given and dict(zip(bp["transit_id"].to_pylist(), bp["flux_over_error"].to_pylist(), strict=True)) == given


def test_flags_of_raw_transits():
    """G is rejected when no CCD is left; other_flags has the bits of the long layout (recorded product: 1, 13, 15)."""
    names = ("noisy_data", *(f"{ccd}_{what}" for ccd in made.CCDS for what in ("reject", "unavailable")), "bp_reject")
    cases = [
        (set(), False, 0),
        ({"sm_reject", "noisy_data"}, False, 1 << 0 | 1 << 12),
        ({"af1_unavailable"}, False, 1 << 14),
        ({"af9_reject", "sm_unavailable"}, False, 1 << 9 | 1 << 13),
        ({f"{ccd}_reject" for ccd in made.CCDS}, True, (1 << 10) - 1),
        (
            {f"{ccd}_{'reject' if ccd < 'af5' else 'unavailable'}" for ccd in made.CCDS},
            True,
            0b11110 | 0b1111100001 << 13,
        ),
    ]
    transits = []
    for k, (raised, _, _) in enumerate(cases):
        values = {
            f"{prefix}_{name}": 9.0 for prefix in made.PREFIX.values() for name in ("flux", "flux_over_error", "mag")
        }
        values |= {time: 1700.0 + k for time in made.TIME.values()}
        values |= {f"variability_flag_{band.lower()}_reject": False for band in made.BANDS}
        values |= {f"photometry_flag_{name}": name in raised or (name == "bp_reject" and k == 0) for name in names}
        transits.append({"transit_id": k, **values})
    cells = {name: made.brackets([row[name] for row in transits]) for name in transits[0]}
    body = made._csv([{"source_id": 7, **cells}])
    epochs = read_datalink(made.zip_files({"EPOCH_PHOTOMETRY_RAW.csv": body}))
    of_g, of_bp = (epochs.filter(pc.equal(epochs["band"], code)) for code in (0, 1))
    assert of_g["rejected_by_photometry"].to_pylist() == [rejected for _, rejected, _ in cases]
    assert of_g["other_flags"].to_pylist() == [bits for _, _, bits in cases]
    assert of_bp["rejected_by_photometry"].to_pylist() == [True] + [False] * 5
    assert of_bp["other_flags"].to_pylist() == [1 << 10] + [0] * 5


def test_raw_cells_that_are_null_or_empty():
    rows = made.transits(2, 3)
    for row in rows[:3]:
        for name in ("bp_obs_time", "bp_flux", "bp_flux_error", "bp_flux_over_error", "bp_mag"):
            row[name] = None

    def cell(values: list) -> str:
        return "null" if all(value is None for value in values) else made.brackets(values)

    assert (
        read_datalink(made.raw_zip(rows, cell))
        .sort_by(KEY)
        .equals(read_datalink(made.raw_zip(rows, made.brackets)).sort_by(KEY))
    )
    empty = made.raw_zip(rows[:1], lambda values: '"[]"')
    assert read_datalink(empty).num_rows == 0


def test_only_the_wanted_sources_of_a_cdn_file():
    rows = made.transits(5, 4)
    wanted = np.array([rows[0]["source_id"], rows[-1]["source_id"], 17])
    epochs = read_cdn(made.cdn_file(rows), wanted)
    everything = read_cdn(made.cdn_file(rows))
    assert set(epochs["source_id"].to_pylist()) == {rows[0]["source_id"], rows[-1]["source_id"]}
    assert epochs.equals(everything.filter(pc.is_in(everything["source_id"], pa.array(wanted))))


def test_no_product_at_all():
    assert read_datalink(made.zip_files({})).equals(EPOCHS.empty_table())
    header = made._csv(made.transits(1, 1)).split(b"\n")[0]
    assert read_datalink(made.zip_files({made._file(7): header + b"\n"})).num_rows == 0
    assert read_datalink(made.zip_files({made._file(7): header})).num_rows == 0


def test_what_is_no_zip_may_come_right_next_time():
    whole = made.wide_zip(made.transits())
    for broken in (b"<html>maintenance</html>", whole[: len(whole) // 2], b""):
        with pytest.raises(Retryable, match="no whole zip"):
            read_datalink(broken)
    with pytest.raises(Retryable, match="cannot be unpacked"):
        read_cdn(made.cdn_file(made.transits())[:-20])


def test_an_unknown_layout_is_named():
    rows = made.transits()
    names = [name for name in rows[0] if name != "g_transit_mag"]
    with pytest.raises(BadQuestion, match="lacks 1 columns, first 'g_transit_mag'; it has solution_id, source_id"):
        read_datalink(made.wide_zip(rows, names))
    strange = made._long(rows)
    strange[1]["band"] = "RVS"
    with pytest.raises(BadQuestion, match="band 'RVS'; known are G, BP, RP"):
        read_datalink(made.zip_files({made._file(1): made._csv(strange)}))


def test_arrays_of_different_lengths_are_not_aligned():
    body = made.raw_csv(made.transits(1, 3), made.brackets).replace(b'"[1', b'"[1,1', 1)
    with pytest.raises(Retryable, match="another number of values than transits"):
        read_datalink(made.zip_files({"EPOCH_PHOTOMETRY_RAW.csv": body}))


def test_recorded_products():
    path = of_astroquery("gaia", "gaia_dr3_source_id_5937083312263887616_dl_products_csv.zip")
    with zipfile.ZipFile(path) as archive:
        assert {id_of(name) for name in archive.namelist()} == {5937083312263887616}
        headers = {name: split_header(archive.read(name))[0] for name in archive.namelist()}
    assert all(header.startswith(b"source_id,solution_id,") for header in headers.values())
    assert read_datalink(path.read_bytes()).num_rows == 0  # spectra are no epoch photometry


def test_the_recorded_light_curve_of_gaia():
    """A real product (DR2, long layout, as VOTable) written as the CSV of the same columns."""
    from astropy.io.votable import parse_single_table

    table = parse_single_table(recorded("ivoa_gaia_multiband.xml")).to_table()
    rows = [{name: _plain(row[name]) for name in table.colnames} for row in table]
    epochs = read_datalink(made.zip_files({made._file(5813181197970338560): made._csv(rows)}))
    assert epochs.num_rows == 251 and set(epochs["source_id"].to_pylist()) == {5813181197970338560}
    batch = light_curves(epochs, RELEASES["dr3"]).batch
    assert (np.bincount(batch.band) == [85, 83, 83]).all()
    assert 56800 < batch.time.min() < batch.time.max() < 57600  # DR2: July 2014 to May 2016
    assert np.abs(np.median(batch.mag[batch.band == 0]) - 15.1) < 0.2 and (batch.mag_err[batch.band == 0] < 0.02).all()
    assert (batch.flags & 1 << 7 > 0).sum() == 2 and (batch.flags & 1 << 8 > 0).sum() == 85


def _plain(value):
    value = value.item() if hasattr(value, "item") else value
    return value.decode() if isinstance(value, bytes) else value
