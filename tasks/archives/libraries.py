"""astroquery's classes, without its cache and its chatter.

`astroquery.gaia` is never imported: importing it asks Gaia's archive for notices, without a timeout, and prints. Its
class GaiaClass adds nothing to TapPlus that the clients use.
"""

import contextlib
import io

import astroquery
from astroquery.exceptions import InvalidQueryError
from astroquery.utils.tap import TapPlus
from astroquery.utils.tap.conn.tapconn import ConnectionHandler, TapConn

with contextlib.redirect_stdout(io.StringIO()):  # "Could not import regions"
    from astroquery.xmatch import XMatchClass

astroquery.cache_conf.cache_active = False  # answers are kept in the raw store, and nowhere else
astroquery.log.setLevel("WARNING")

__all__ = ["ConnectionHandler", "InvalidQueryError", "TapConn", "TapPlus", "XMatchClass"]
