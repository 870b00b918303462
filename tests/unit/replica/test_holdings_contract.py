"""The served columns against those of the archives' own recorded answers: names, types, units, UCDs."""

import json
import xml.etree.ElementTree as ET

from tests.real_data import of_astroquery
from tests.unit.replica.held_sky import holdings


def test_gaia_source_is_that_of_the_archive():
    path = of_astroquery("gaia", "1710099405832VAL-result.vot")
    fields = [one for one in ET.parse(path).iter() if one.tag.endswith("}FIELD")]
    theirs = [(one.get("name"), one.get("datatype"), one.get("unit"), one.get("ucd")) for one in fields]
    ours = holdings().tables("gaia")["gaiadr3.gaia_source"].columns
    assert [(one.name, one.datatype, one.unit, one.ucd) for one in ours] == theirs
    docs = [" ".join(one[0].text.split()) for one in fields]
    assert [one.doc for one in ours] == docs


def test_gaia_source_lite_is_a_part_of_it_in_its_order():
    whole, lite = (holdings().tables("gaia")[f"gaiadr3.{name}"].columns for name in ("gaia_source", "gaia_source_lite"))
    assert [column for column in whole if column in lite] == list(lite) and len(lite) == 53


def test_mean_objects_are_those_of_the_archive():
    theirs = json.loads(of_astroquery("mast", "panstarrs_columns.json").read_text())
    ours = holdings().tables("ps1")["dbo.meanobjectview"].columns
    assert [one.name for one in ours] == [one["column_name"] for one in theirs]
    for our, their in zip(ours, theirs, strict=True):
        own = {name: None if their[name] == "NULL" else their[name] for name in ("datatype", "unit", "ucd")}
        datatype = {"unsignedByte": "short"}.get(own["datatype"], own["datatype"])  # of which we have none
        # One UCD of the recorded metadata has a semicolon too many.
        assert (our.datatype, our.unit, our.ucd) == (
            datatype,
            own["unit"],
            own["ucd"] and own["ucd"].replace(";;", ";"),
        )
        assert our.doc == " ".join(their["description"].split())


def test_the_tic_is_that_of_the_archive():
    answer = json.loads(of_astroquery("mast", "tic.json").read_text())
    kinds = {"string": "char", "int": "int", "float": "double"}
    theirs = [(one["name"], kinds[one["type"]]) for one in answer["fields"]]
    ours = holdings().tables("tic")["dbo.catalogrecord"].columns
    assert [(one.name, one.datatype) for one in ours] == theirs and len(theirs) == 89


def test_ids_of_the_tic_are_texts_of_digits():
    with holdings().connect() as connection:
        rows = connection.execute("SELECT ID, GAIA FROM tic_catalogrecord").fetchall()
    assert all(one.isdigit() and (gaia is None or gaia.isdigit()) for one, gaia in rows) and len(rows) > 2000


def test_epoch_photometry_is_that_of_today():
    """The 25 columns of the wide layout, whose order is not confirmed."""
    names = holdings().epoch_photometry([]).column_names
    measured = ("flux", "flux_error", "flux_over_error", "mag")
    assert len(names) == 25 and set(names) == {
        "solution_id",
        "source_id",
        "transit_id",
        "rejected_by_photometry",
        "g_transit_time",
        *(f"g_transit_{what}" for what in measured),
        *(f"{band}_{what}" for band in ("bp", "rp") for what in ("obs_time", *measured)),
        *(f"variability_flag_{band}_reject" for band in ("g", "bp", "rp")),
        *(f"{band}_other_flags" for band in ("g", "bp", "rp")),
    }


def test_light_curves_are_those_of_irsa():
    names = (
        "oid expid hjd mjd mag magerr catflags filtercode ra dec chi sharp filefracday field ccdid qid limitmag "
        "magzp magzprms clrcoeff clrcounc exptime airmass programid"
    )
    assert " ".join(holdings().ztf_epochs([]).column_names) == names


def test_detections_have_what_is_asked_of_them():
    types = {one.name: one.datatype for one in holdings().tables("ps1")["dbo.detection"].columns}
    wanted = {
        "long": ("objID", "detectID", "infoFlag", "infoFlag2", "infoFlag3"),
        "double": ("obsTime", "ra", "dec", "psfFlux", "psfFluxErr"),
        "float": ("psfQf", "psfQfPerfect", "zeroPoint"),
        "short": ("filterID",),
    }
    assert all(types[name] == datatype for datatype, names in wanted.items() for name in names)
