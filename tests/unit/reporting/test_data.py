"""Arrays that do not belong together are refused in one sentence."""

import numpy as np
import pytest

from tasks.reporting import ClassCounts, ClassPeriods, FoldedCurve, HeldOutClasses, HeldOutQuantity, SkyPositions

THREE, TWO = np.zeros(3), np.zeros(2)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: SkyPositions(THREE, TWO), r"SkyPositions.dec has 2 entries, but 3 were expected"),
        (lambda: ClassCounts(("A", "B"), THREE), r"ClassCounts.predicted has 3 entries"),
        (
            lambda: HeldOutClasses(THREE, THREE, np.zeros((3, 1)), ("A", "B")),
            r"shape \(3, 1\), but 2 classes are named",
        ),
        (lambda: HeldOutQuantity("teff_k", "K", THREE, THREE, TWO, THREE), r"HeldOutQuantity\(teff_k\).lo has 2"),
        (lambda: HeldOutQuantity("teff_k", "K", TWO, TWO, TWO, TWO, 90), r"level is 90; it must lie between 0 and 1"),
        (lambda: ClassPeriods(THREE, TWO), r"ClassPeriods.class_pred has 2 entries"),
        (
            lambda: FoldedCurve("s1", "A", 1.0, None, 1.0, THREE, TWO, None, THREE, ("g",)),
            r"FoldedCurve\(s1\).mag has 2",
        ),
    ],
)
def test_mismatched_arrays(build, message):
    with pytest.raises(ValueError, match=message):
        build()
