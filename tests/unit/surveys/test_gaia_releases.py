"""Data releases as values: what is built in, what a file replaces, and what is refused of it."""

import re
import tomllib
from pathlib import Path

import pytest

from schemas import BadInput
from tasks.surveys.gaia import OPTIONS, find_variant, neighbours_uri, open_sample, release_of
from tasks.surveys.gaia_release import BANDS
from tasks.surveys.gaia_releases import FILE_VARIABLE, RELEASES, gaia_release, override_release
from tests.unit.surveys.test_gaia_layouts import RELEASES as SAME

DR4 = RELEASES["dr4"]


def written(folder, text, name="dr4.toml"):
    path = folder / name
    path.write_text(text)
    return str(path)


def changed(text, folder, name="dr4"):
    return gaia_release(name, written(folder, f'release = "{name}"\n{text}'))


def test_every_release_is_whole():
    assert SAME is RELEASES and set(RELEASES) == {"dr3", "dr4"}
    for name, release in RELEASES.items():
        assert release.release == name and release.name == f"gaia_{name}" and release.tables["g"].startswith("gaiadr")
        assert release.chain[-1].leads_to == "dr2" and set(release.epochs.by_band) == set(BANDS)
        assert {"source_id", "ra", "class_name", "teff_gspphot", "ps1_objid"} <= set(release.asked_columns)


def test_what_dr4_has_elsewhere():
    assert DR4.tables["ap"] == "gaiadr4.ap_xp" and DR4.tables["d2"] == "gaiadr3.dr2_neighbourhood"
    assert "lite" not in DR4.tables
    assert DR4.asked_columns["has_epoch_photometry"] == ("fl", "has_epoch_photometry")
    assert DR4.asked_columns["mh_gspspec"] == ("rvs", "mh_gspspec")
    assert DR4.asked_columns["class_name"] == ("vc", "best_class_name")
    assert "healpix29" in DR4.asked_columns and "healpix29" not in RELEASES["dr3"].asked_columns


def test_a_file_replaces_what_it_names_and_nothing_else(tmp_path):
    lines = (
        'schema = "gaiadr4b"', 'tables.ap = "ap_gspphot"', 'columns.rr_pf = "rr.period"', 'columns.cep_mode = ""',
        'epochs.G.mag = "g_vega"', "limits.datalink_chunk = 50",
    )  # fmt: skip
    release = changed("\n".join(lines), tmp_path)
    assert release.tables["ap"] == "gaiadr4b.ap_gspphot" and release.tables["rvs"] == "gaiadr4b.ap_rvs"
    assert release.tables["d2"] == "gaiadr3.dr2_neighbourhood"
    assert release.asked_columns["rr_pf"] == ("rr", "period") and "cep_mode" not in release.asked_columns
    assert release.epochs.G.mag == ("g_vega",) and release.epochs.G.flux == DR4.epochs.G.flux
    assert release.limits.datalink_chunk == 50 and release.mark != DR4.mark
    assert changed("", tmp_path) == DR4


def test_the_first_candidate_whose_table_is_there_is_asked(tmp_path):
    release = changed('tables.vc = ""', tmp_path)
    assert release.asked_columns["class_name"] == ("g", "phot_variable_best_class")
    assert release.asked_columns["class_score"] == ("g", "phot_variable_score")
    release = changed('tables.rr = ""', tmp_path)
    assert not [name for name in release.asked_columns if name.startswith("rr_")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("shema = 1", "there is no key shema. Did you mean 'schema'?"),
        ("epochs.G.tiem = 'a'", "there is no key epochs.G.tiem. Did you mean 'time'?"),
        ("limits.datalink_chunks = 3", "there is no key limits.datalink_chunks. Did you mean 'datalink_chunk'?"),
        ("columns.rr_period = 'rr.pf'", "there is no column 'rr_period' of ours"),
        ("columns.rr_pf = 'x.pf'", "columns name the alias 'x'"),
        ("columns.rr_pf = 'rr.pf; DROP TABLE x'", "string should match pattern"),
        ("tables.rr = 'a b'", "string should match pattern"),
        ("columns.ra = ''", "no run can do without ra"),
        ("limits.datalink_chunk = 0", "limits.datalink_chunk: input should be greater than or equal to 1"),
        ("time.unit = 'hour'", "time.unit: input should be 'auto', 'day' or 'ns'"),
        ("zero_point_error_mag = { G = 0.1 }", "zero_point_error_mag has one number for each of G, BP, RP"),
        ("neighbours.table = 'lite'", "neighbours are looked for in 'lite'"),
        ("true_literal = '1=1 OR 1'", "true_literal: input should be"),
        ("bulk.address = 'file:///etc'", "bulk."),
        ("a = ", "is not valid TOML"),
    ],
)
def test_what_a_file_must_not_say_is_one_sentence(tmp_path, text, said):
    with pytest.raises(BadInput, match=re.escape(said)) as caught:
        changed(text, tmp_path)
    assert "\n" not in str(caught.value) and "dr4.toml" in str(caught.value)


def test_a_file_is_about_its_release(tmp_path, monkeypatch):
    file = written(tmp_path, 'release = "dr4"\nschema = "other"')
    with pytest.raises(BadInput, match="is about the release 'dr4', not 'dr3'"):
        gaia_release("dr3", file)
    with pytest.raises(BadInput, match="is about the release None"):
        gaia_release("dr4", written(tmp_path, "schema = 'other'", "b.toml"))
    with pytest.raises(BadInput, match="cannot be read"):
        gaia_release("dr4", str(tmp_path / "none.toml"))
    monkeypatch.setenv(FILE_VARIABLE, file)
    assert gaia_release("dr4").schema_name == "other" and gaia_release("dr3") is RELEASES["dr3"]


def test_a_release_that_is_not_known():
    with pytest.raises(BadInput, match="no Gaia release 'dr9' here; known are dr3, dr4"):
        gaia_release("dr9")


def test_an_override_of_dr3_marks_a_lake_otherwise():
    assert override_release("dr3", {"release": "dr3"}, "x").mark != RELEASES["dr3"].mark
    assert RELEASES["dr3"].mark.startswith("GaiaRelease(name='gaia_dr3', ref_epoch=2016.0, tables={'g': 'gaiadr3.")


def test_the_file_in_the_docs_is_one():
    text = (Path(__file__).parents[3] / "docs" / "archives.md").read_text()
    (block,) = re.findall(r"```toml\n(release = .*?)```", text, re.DOTALL)
    release = override_release("dr4", tomllib.loads(block), "docs")
    assert release.healpix == "healpix29" and release.neighbours.table == "aa" and release.limits.tap_sync
    assert re.compile(release.bulk.file).fullmatch("1-2.csv.gz")


def test_what_is_not_known_of_dr4_is_refused(tmp_path):
    for options, said in (
        ({"route": "bulk"}, "No bulk files are known of gaia_dr4"),
        ({"zero_point_error": True}, "errors of the zero points of gaia_dr4 are not known"),
    ):
        with pytest.raises(BadInput, match=said):
            release_of({**OPTIONS, "release": "dr4", **options})
    text = 'zero_point_error_mag = { G = 0.1, BP = 0.1, RP = 0.1 }\nbulk = { list = "a", file = "b(1)(2)" }'
    options = {**OPTIONS, "release": "dr4", "release_file": written(tmp_path, f'release = "dr4"\n{text}')}
    assert release_of({**options, "route": "bulk", "zero_point_error": True}).bulk.list == "a"


def test_neighbours_of_dr4_are_not_looked_for_in_dr3(tmp_path):
    bulk = 'release = "dr4"\nbulk = { list = "a", file = "b", hats_source = "s3://dr4" }'
    live = {**OPTIONS, "route": "bulk", "hats_source": "s3://stpubdata/gaia/gaia_dr3/public/hats"}
    assert neighbours_uri(live, release_of(live)).endswith("gaia_dr3/public/hats")
    later = {**live, "release": "dr4", "release_file": written(tmp_path, bulk)}
    assert neighbours_uri(later, release_of(later)) == "s3://dr4"


def test_what_a_release_changes_of_a_preset():
    first, later = (find_variant({**OPTIONS, "release": name}) for name in ("dr3", "dr4"))
    assert (first.name, first.suffix, first.share) == ("dr3", "", 1.0)
    assert (later.name, later.suffix) == ("dr4", "_dr4") and 450_000 * later.share == 3000


def test_the_file_counts_in_the_mark_by_what_it_says(tmp_path):
    from schemas.inputs import Sample

    sample, plain = Sample(tables=("vari_rrlyrae",)), {**OPTIONS, "release": "dr4"}
    one = {**plain, "release_file": written(tmp_path, 'release = "dr4"\nschema = "x"')}
    other = {**plain, "release_file": written(tmp_path, 'release = "dr4"\nschema = "x"', "copy.toml")}
    marks = [open_sample(sample, options, None).identity[0] for options in (plain, one, other)]
    assert marks[0] != marks[1] == marks[2]
