import pandas as pd
import pytest

from tasks.sky import Sky, generate


@pytest.fixture(scope="session")
def sky() -> Sky:
    """Twelve blocks of the default mix: enough of every class and of every defect to measure a rate."""
    return generate(12_288, seed=11)


@pytest.fixture(scope="session")
def truth(sky: Sky) -> pd.DataFrame:
    return sky.truth.to_pandas().set_index("source_id")
