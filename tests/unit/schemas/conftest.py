"""The small folders of tests/unit/folder."""

from tests.unit.folder.conftest import folder, light_curves

__all__ = ["folder", "light_curves"]
