"""The embedded sky: variable and constant stars with known truth, as Gaia, Pan-STARRS1 and ZTF would see them."""

from tasks.sky.classes import CLASSES
from tasks.sky.constants import BANDS, SURVEYS
from tasks.sky.sky import Sky, generate

__all__ = ["BANDS", "CLASSES", "SURVEYS", "Sky", "generate"]
