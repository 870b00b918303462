"""Columns of the TESS Input Catalog: at MAST as in its own answers, and at CDS as VizieR IV/39/tic82.

At MAST: names and types of an answer of the portal recorded by astroquery (mast/tests/data/tic.json: 89 columns; its
"float" is a double here), units and descriptions after Stassun et al. 2019, AJ 158, 138, appendix A. The live table of
version 8.2 has more columns. At CDS: some columns, their spelling from memory and not checked.
"""

from tasks.replica.served import ServedColumn, ServedTable, columns

_MAGNITUDES = {
    "B": "Johnson B", "V": "Johnson V", "u": "SDSS u", "g": "SDSS g", "r": "SDSS r", "i": "SDSS i", "z": "SDSS z",
    "J": "2MASS J", "H": "2MASS H", "K": "2MASS Ks",
}  # fmt: skip
_WISE = {"w1": "WISE W1", "w2": "WISE W2", "w3": "WISE W3", "w4": "WISE W4", "GAIA": "Gaia G", "T": "TESS"}


def _magnitudes(bands: dict[str, str]) -> str:
    return "".join(
        f"{name}mag | double | mag | phot.mag | {band} magnitude\n"
        f"e_{name}mag | double | mag | stat.error;phot.mag | Uncertainty in {name}mag\n"
        for name, band in bands.items()
    )


def _with_error(name: str, unit: str, ucd: str, doc: str) -> str:
    error = f"e_{name} | double | {unit} | stat.error;{ucd} | Uncertainty in {name}\n"
    return f"{name} | double | {unit} | {ucd} | {doc}\n{error}"


_NAMES = """
ID | char | | meta.id;meta.main | TESS Input Catalog identifier
version | char | | meta.version | Version identifier for this entry (yyyymmdd)
HIP | int | | meta.id.cross | Hipparcos identifier
TYC | char | | meta.id.cross | Tycho2 identifier
UCAC | char | | meta.id.cross | UCAC4 identifier
TWOMASS | char | | meta.id.cross | 2MASS identifier
SDSS | char | | meta.id.cross | SDSS DR9 identifier
ALLWISE | char | | meta.id.cross | ALLWISE identifier
GAIA | char | | meta.id.cross | Gaia DR2 identifier
APASS | char | | meta.id.cross | APASS identifier
KIC | int | | meta.id.cross | KIC identifier
objType | char | | src.class | Object type: STAR or EXTENDED
typeSrc | char | | meta.ref | Source of the object in the TIC
ra | double | deg | pos.eq.ra;meta.main | Right ascension, J2000
dec | double | deg | pos.eq.dec;meta.main | Declination, J2000
POSflag | char | | meta.ref | Source of the position
pmRA | double | mas/yr | pos.pm;pos.eq.ra | Proper motion in right ascension
e_pmRA | double | mas/yr | stat.error;pos.pm;pos.eq.ra | Uncertainty in pmRA
pmDEC | double | mas/yr | pos.pm;pos.eq.dec | Proper motion in declination
e_pmDEC | double | mas/yr | stat.error;pos.pm;pos.eq.dec | Uncertainty in pmDEC
PMflag | char | | meta.ref | Source of the proper motion
plx | double | mas | pos.parallax | Parallax
e_plx | double | mas | stat.error;pos.parallax | Uncertainty in plx
PARflag | char | | meta.ref | Source of the parallax
gallong | double | deg | pos.galactic.lon | Galactic longitude
gallat | double | deg | pos.galactic.lat | Galactic latitude
eclong | double | deg | pos.ecliptic.lon | Ecliptic longitude
eclat | double | deg | pos.ecliptic.lat | Ecliptic latitude
"""
_TAIL = """
lumclass | char | | src.class.luminosity | Luminosity class: DWARF or GIANT
"""
_LAST = """
numcont | int | | meta.number | Number of contaminating stars
contratio | double | | phot.flux;arith.ratio | Flux of the contaminating stars over that of the star
disposition | char | | meta.code | Disposition: ARTIFACT, DUPLICATE, SPLIT or none
duplicate_id | char | | meta.id.assoc | Entry of the star that this one doubles, or that was split into it
priority | double | | stat.value | Target priority
objID | char | | meta.id | Object identifier of the archive
"""
CATALOG_RECORD = ServedTable(
    "dbo.CatalogRecord",
    "tic_catalogrecord",
    "TESS Input Catalog, version 8.2.",
    columns(
        _NAMES
        + _magnitudes(_MAGNITUDES)
        + """
TWOMflag | char | | meta.code.qual | Quality flags of 2MASS
prox | double | arcsec | pos.angDistance | Distance to the nearest 2MASS source
"""
        + _magnitudes(_WISE)
        + """
TESSflag | char | | meta.ref | How Tmag was made
SPFlag | char | | meta.ref | How the stellar properties were made
"""
        + _with_error("Teff", "K", "phys.temperature.effective", "Effective temperature")
        + _with_error("logg", "log(cm/s**2)", "phys.gravity", "Surface gravity")
        + _with_error("MH", "dex", "phys.abund.Z", "Metallicity")
        + _with_error("rad", "solRad", "phys.size.radius", "Radius")
        + _with_error("mass", "solMass", "phys.mass", "Mass")
        + _with_error("rho", "solMass/solRad**3", "phys.density", "Stellar density")
        + _TAIL
        + _with_error("lum", "solLum", "phys.luminosity", "Luminosity")
        + _with_error("d", "pc", "pos.distance", "Distance")
        + _with_error("ebv", "mag", "phot.color.excess", "Reddening E(B-V)")
        + _LAST
    ),
)

# At CDS: column, and the column at MAST that it is made of.
VIZIER_FROM = {
    "TIC": "ID", "RAJ2000": "ra", "DEJ2000": "dec", "GAIA": "GAIA", "pmRA": "pmRA", "e_pmRA": "e_pmRA", "pmDE": "pmDEC",
    "e_pmDE": "e_pmDEC", "Plx": "plx", "e_Plx": "e_plx", "Gmag": "GAIAmag", "e_Gmag": "e_GAIAmag", "Tmag": "Tmag",
    "e_Tmag": "e_Tmag", "Teff": "Teff", "s_Teff": "e_Teff", "logg": "logg", "s_logg": "e_logg", "M_H": "MH",
    "e_M_H": "e_MH", "Rad": "rad", "s_Rad": "e_rad", "Mass": "mass", "s_Mass": "e_mass", "LClass": "lumclass",
    "Lum": "lum", "s_Lum": "e_lum", "Dist": "d", "s_Dist": "e_d", "Ncont": "numcont", "Rcont": "contratio",
    "Disp": "disposition", "m_TIC": "duplicate_id", "E_B_V": "ebv",
}  # fmt: skip
_LONG = ("TIC", "GAIA", "m_TIC")
_AT_MAST = {column.name: column for column in CATALOG_RECORD.columns}
VIZIER = ServedTable(
    '"IV/39/tic82"',
    "vizier_tic82",
    "TESS Input Catalog, version 8.2, at CDS.",
    tuple(
        ServedColumn(name, "long" if name in _LONG else of.datatype, of.unit, of.ucd, of.doc)
        for name, source in VIZIER_FROM.items()
        if (of := _AT_MAST[source])
    ),
)
