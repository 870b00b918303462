"""Where the archives are. Addresses, credentials and limits are all that tells the real ones from the replica."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Endpoints:
    """Base addresses of the services; `name` goes into every request's hash, so that answers are never mixed up.

    `truth` is where a replica tells the truth of its sky; no real archive does.
    """

    name: str
    gaia_tap: str
    gaia_data: str
    mast_ps1: str
    mast_tic: str
    mast_portal: str
    irsa_tap: str
    irsa_lightcurves: str
    cds_xmatch: str
    gaia_cdn: str
    truth: str | None = None

    def by_service(self) -> dict[str, str]:
        """Base address of each service, by the names that the limits use."""
        found = {"gaia_datalink": self.gaia_data, **{field.name: getattr(self, field.name) for field in fields(self)}}
        return {name: address for name, address in found.items() if address and name not in ("name", "gaia_data")}


# astroquery 0.4.11 and the archives' own pages, November 2026; not one of these was reached from the tests.
LIVE = Endpoints(
    name="live",
    gaia_tap="https://gea.esac.esa.int/tap-server/tap",
    gaia_data="https://gea.esac.esa.int/data-server",
    mast_ps1="https://mast.stsci.edu/vo-tap/api/v0.1/ps1dr2/",
    mast_tic="https://mast.stsci.edu/vo-tap/api/v0.1/tic/",
    mast_portal="https://mast.stsci.edu",
    irsa_tap="https://irsa.ipac.caltech.edu/TAP",
    irsa_lightcurves="https://irsa.ipac.caltech.edu/cgi-bin/ZTF/nph_light_curves",
    cds_xmatch="https://cdsxmatch.cds.unistra.fr/xmatch/api/v1/sync",
    gaia_cdn="https://cdn.gea.esac.esa.int/Gaia/gdr3/Photometry/epoch_photometry/",
)

# HATS catalogues by survey and option, for the bulk route.
LIVE_HATS = {
    "gaia": {"hats_source": "s3://stpubdata/gaia/gaia_dr3/public/hats"},
    "ps1": {
        "hats_objects": "s3://stpubdata/panstarrs/ps1/public/hats/otmo",
        "hats_detections": "s3://stpubdata/panstarrs/ps1/public/hats/detection",
    },
    "ztf": {
        "hats_objects": "s3://ipac-irsa-ztf/ztf/enhanced/{release}/objects/hats",
        "hats_curves": "s3://ipac-irsa-ztf/ztf/enhanced/{release}/lc/hats",
    },
    "tic": {"hats": "s3://stpubdata/tess/public/hats/tic"},
}


def replica(base: str, name: str) -> Endpoints:
    """Endpoints of a replica at `base` (http://host:port); `name` says which sky it serves, whatever the port."""
    base = base.rstrip("/")
    return Endpoints(
        name=name,
        gaia_tap=f"{base}/tap-server/tap",
        gaia_data=f"{base}/data-server",
        mast_ps1=f"{base}/mast/vo-tap/api/v0.1/ps1dr2/",
        mast_tic=f"{base}/mast/vo-tap/api/v0.1/tic/",
        mast_portal=f"{base}/mast",
        irsa_tap=f"{base}/irsa/TAP",
        irsa_lightcurves=f"{base}/irsa/cgi-bin/ZTF/nph_light_curves",
        cds_xmatch=f"{base}/xmatch/api/v1/sync",
        gaia_cdn=f"{base}/cdn/Gaia/gdr3/Photometry/epoch_photometry/",
        truth=f"{base}/truth",
    )
