"""The limits in the docs are those in the code."""

from pathlib import Path

from tasks.archives.endpoints import LIVE as ADDRESSES
from tasks.archives.services import PROFILES, limits_table

DOCS = Path(__file__).parents[2] / "docs" / "archives.md"


def test_the_table_of_limits_is_the_printed_one():
    text = DOCS.read_text().split("<!-- python -m tasks.archives.services -->")[1].split("<!-- end -->")[0]
    assert text.strip() == limits_table(PROFILES["live"])


def test_every_service_has_limits_in_every_profile_and_an_address():
    assert all(profile.keys() == PROFILES["live"].keys() for profile in PROFILES.values())
    # A replica tells the truth, and catalogues are at the URIs of the settings.
    assert set(ADDRESSES.addresses) == PROFILES["live"].keys() - {"truth", "hats"}
