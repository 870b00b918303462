"""Light curves: the ragged batch and the vectorised kernels on it (cuts, photometry, times, fold, Fourier, period)."""

from tasks.lightcurves.batch import LightCurveBatch, concatenate, offsets_of

__all__ = ["LightCurveBatch", "concatenate", "offsets_of"]
