"""The astroquery that the clients were read with; what to look at where another one is installed."""

import inspect

import astroquery
import pytest
from astroquery.mast import CatalogsClass
from astroquery.utils.tap import TapPlus
from astroquery.utils.tap.conn.tapconn import ConnectionHandler, TapConn
from astroquery.xmatch import XMatchClass

READ = "0.4.11"
LOOK_AT = """astroquery {} is installed, the clients were read with {}. Look at, in this order:
- tasks/archives/portal.py: its main branch drops MAST's portal (PR #3582). The TIC goes by MAST's TAP, which needs no
  astroquery: where the portal is gone, portal.py, tasks/replica/portal*.py and tic.OPTIONS["via"] go too.
- tasks/archives/gaia_datalink.py: names of DATA_STRUCTURE (PR #3629); the server has the last word.
- tasks/archives/gaia_connection.py: what is overridden of TapConn and ConnectionHandler.
- tasks/archives/xmatch.py: the address of CDS XMatch (PR #3465).
Then run tests/unit/archives and tests/unit/replica, and raise READ here and the pin in pyproject.toml."""


def test_the_version_is_the_one_that_was_read():
    if astroquery.__version__ != READ:
        pytest.fail(LOOK_AT.format(astroquery.__version__, READ))


def test_what_is_private_there_is_there():
    """Names that no release of astroquery promises, and that the clients use."""
    portal = CatalogsClass()._portal_api_connection
    assert all(hasattr(portal, n) for n in ("_session", "MAST_REQUEST_URL", "COLUMNS_CONFIG_URL", "_get_col_config"))
    assert {"upload_resource", "background", "output_format"} <= set(
        inspect.signature(TapPlus.launch_job_async).parameters
    )
    assert (
        hasattr(TapConn, "execute_tappost")
        and hasattr(XMatchClass, "query_async")
        and inspect.isclass(ConnectionHandler)
    )
