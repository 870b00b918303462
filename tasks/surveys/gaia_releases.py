"""What a Gaia release calls things: everything that the next release changes stands here, and nowhere else.

A run on DR4 (announced for December 2026) will need one more entry in RELEASES, and these looked up in its
documentation (announcements: cosmos.esa.int/web/gaia/dr4, read November 2026):
- schema and tables (`gaiadr4.…`): `gaia_source` becomes a subset of good sources beside `all_source_astrometry`,
  `all_source_photometry` and others; whether the variability tables keep their columns (`columns.py` names them);
- the reference epoch of positions (DR3: J2016.0; DR4: J2017.5 is announced);
- the DataLink RELEASE, the structure names (being renamed: see STRUCTURES), the retrieval type (EPOCH_PHOTOMETRY
  stays; only those of spectra are renamed), the layout (`gaia_layouts.py` reads column names), the zero of its
  times, and whether `has_epoch_photometry` still selects, since data of single transits come for all sources;
- the errors of its zero points (new passbands);
- the address, the names and the layout of its bulk files (`bulk_list`, `bulk_file`; the address is an endpoint);
- its neighbourhood of an earlier release. The TIC knows DR2 ids: if DR4 comes with a `dr3_neighbourhood` alone, DR2 ids
  need two steps, DR4 to DR3 to DR2 (`gaiadr3.dr2_neighbourhood` stays online);
- whether `panstarrs1_best_neighbour` exists: without it every PS1 object is matched by position.
Source ids of two releases are different names: a lake holds one release.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas import BadInput

# Names of the two DataLink structures, first as astroquery 0.4.11 sends them, then as its main branch does (PR #3629,
# July 2026). Which of them the server takes today is its own choice: the client tries the other one on its message.
STRUCTURES = {"INDIVIDUAL": "DATAMODEL_STANDARD", "RAW": "DATAMODEL_GAIA"}


@dataclass(frozen=True)
class GaiaRelease:
    """Names and constants of one release.

    `name` is the origin of its labels, `tables` are by the alias that queries use: g (sources), lite (the same with few
    columns, for joins by position), vc, rr, cep, eb, lpv (variability), ap (astrophysical parameters), ps (best
    neighbour in PS1) and dr (neighbours in the earlier release). `earlier_id` and `own_id` are the columns of the
    latter. `bulk_list` names the list of the bulk files of epoch photometry, `bulk_file` is the pattern of their names,
    with the first and last HEALPix cell (level 8, nested) as its groups. `time_zero_jd` is the BJD_TCB of time 0 of the
    epoch photometry, `time_range_day` what its times can be.
    """

    name: str
    ref_epoch: float
    tables: Mapping[str, str] = field(hash=False)
    earlier_id: str
    own_id: str
    datalink_release: str
    time_range_day: tuple[float, float]
    zero_point_error_mag: Mapping[str, float] = field(hash=False)
    retrieval_type: str = "EPOCH_PHOTOMETRY"
    bulk_list: str = "_MD5SUM.txt"
    bulk_file: str = r"EpochPhotometry_(\d+)-(\d+)\.csv\.gz"
    time_zero_jd: float = 2455197.5

    @property
    def variability_origin(self) -> str:
        """Origin of the labels that its variability tables give."""
        return f"{self.name}_sos"


RELEASES = {
    "dr3": GaiaRelease(
        name="gaia_dr3",
        ref_epoch=2016.0,
        tables={
            "g": "gaiadr3.gaia_source",
            "lite": "gaiadr3.gaia_source_lite",
            "vc": "gaiadr3.vari_classifier_result",
            "rr": "gaiadr3.vari_rrlyrae",
            "cep": "gaiadr3.vari_cepheid",
            "eb": "gaiadr3.vari_eclipsing_binary",
            "lpv": "gaiadr3.vari_long_period_variable",
            "ap": "gaiadr3.astrophysical_parameters",
            "ps": "gaiadr3.panstarrs1_best_neighbour",
            "dr": "gaiadr3.dr2_neighbourhood",
        },
        earlier_id="dr2_source_id",
        own_id="dr3_source_id",
        datalink_release="Gaia DR3",
        # Launch on 2013-12-19 to the end of observations on 2025-01-15, as BJD - 2455197.5, with a day to spare.
        time_range_day=(1447.0, 5494.0),
        # Of the Vega zero points, Riello et al. 2021, A&A 649, A3 (values of the ESA page on the EDR3 passbands).
        zero_point_error_mag={"G": 0.0027553202, "BP": 0.0027901700, "RP": 0.0037793818},
    )
}


def gaia_release(name: str) -> GaiaRelease:
    """The release that the settings call `name`; raises BadInput where it is not known."""
    if name not in RELEASES:
        raise BadInput(f"There is no Gaia release {name!r} here; known are {', '.join(RELEASES)}.")
    return RELEASES[name]
