import pytest

from tests.unit.surveys.bulk_sky import BulkSky, bulk_sky


@pytest.fixture(scope="session")
def bulk(tmp_path_factory) -> BulkSky:
    """A small sky behind a replica of its own: what services tell, and what to write catalogues of."""
    with bulk_sky(tmp_path_factory.mktemp("bulk")) as sky:
        yield sky
