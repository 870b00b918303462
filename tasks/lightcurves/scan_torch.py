"""The period scan of `scan.py` on any device that torch has: the same sums, as batched products for many objects.

This file imports nothing but torch and NumPy, so it runs alone on a machine with a GPU. The series goes up once, the
peaks are found on the device, and they alone come back. Phases are float64 until whole turns are taken off, sums are
float32 without TensorFloat-32, whose 10 bits would not leave a digit where the determinant is near its floor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

HALF = 128  # lanes to each side of a block's centre, at odd halves of the step
LANES = 2 * HALF
SINGULAR = 1e-4  # floor of the determinant, 1/4 for even phases: below it rounding errors would win
PERFECT = 1 - 1e-6  # ceiling of p
ROOM = 1 << 27  # float32 numbers in each of the curves, lanes and products that live at once: 0.5 GiB
_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]


def scan(
    time: _Floats,
    residual: _Floats,
    weight: _Floats,
    bands: _Ints,
    slot_offsets: _Ints,
    object_offsets: _Ints,
    first: _Floats,
    step: _Floats,
    n_point: _Ints,
    n_peak: int,
    device: str = "cpu",
    room: int = ROOM,
    fuse: bool = False,
) -> tuple[_Floats, _Floats]:
    """Frequencies (S,n_peak) in 1/day and gains (S,n_peak) of the highest peaks of S objects, highest first, else NaN.

    Arguments and results are those of `tasks.lightcurves.scan.scan`. `room` bounds what is on the device at once;
    `fuse` makes one kernel of what follows the products (torch.compile): worth its seconds for very many objects.
    """
    frequency, gain = (np.full((n_point.size, n_peak), np.nan) for _ in range(2))
    series = [torch.from_numpy(np.ascontiguousarray(values)).to(device) for values in (time, residual, weight)]
    of_side = torch.compile(side_gain, dynamic=True) if fuse else side_gain
    with exact_products():
        for rows, *of_batch in batches(bands, slot_offsets, object_offsets, n_point, room):
            start, count, slot, row, freedom, first_, step_, n_point_ = (
                torch.from_numpy(values).to(device) for values in (*of_batch, first[rows], step[rows], n_point[rows])
            )
            t, y, w = (pad(values, start, count, int(of_batch[1].max())) for values in series)
            curve = batch_gain(t, y, w, slot, row, freedom, first_, step_, int(n_point[rows].max()), room, of_side)
            place, height = (x.cpu().numpy() for x in highest_peaks(curve, n_point_, n_peak))
            found = height > 0
            frequency[rows] = np.where(found, first[rows, None] + place * step[rows, None], np.nan)
            gain[rows] = np.where(found, height, np.nan)
    return frequency, gain


@contextmanager
def exact_products() -> Iterator[None]:
    """float32 products without TensorFloat-32."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def batches(
    bands: _Ints, slot_offsets: _Ints, object_offsets: _Ints, n_point: _Ints, room: int
) -> Iterator[tuple[_Ints, ...]]:
    """Objects (S,) of like size, as many as fit into `room`; start and count of their bands (F,) and the slot of each;
    the object and the freedom of each slot (L,). Slots and objects without freedom are left out.
    """
    slot, row = (np.repeat(np.arange(x.size - 1), np.diff(x)) for x in (slot_offsets, object_offsets))
    count = bands[:, 1] - bands[:, 0]
    freedom = np.bincount(slot, count, row.size).astype(np.int64) - np.diff(slot_offsets) - 2
    counts = (freedom > 0) & (n_point[row] > 0)
    slots, used = np.flatnonzero(counts), np.flatnonzero(counts[slot])
    n_band, width = np.bincount(row[slot[used]], minlength=n_point.size), np.zeros(n_point.size, np.int64)
    np.maximum.at(width, row[slot[used]], count[used])
    cost = n_point + 2 * LANES * n_band * width
    order = np.lexsort((cost, width))
    order = order[n_band[order] > 0]
    rank = np.full(n_point.size, -1)
    while order.size:
        fits = np.maximum.accumulate(cost[order]) * np.arange(1, order.size + 1) <= room
        rows, order = np.split(order, [max(1, int(fits.sum()))])
        rank[:] = -1
        rank[rows] = np.arange(rows.size)
        of_slots = slots[rank[row[slots]] >= 0]
        of_bands = used[rank[row[slot[used]]] >= 0]
        yield (
            rows,
            bands[of_bands, 0],
            count[of_bands],
            np.searchsorted(of_slots, slot[of_bands]),
            rank[row[of_slots]],
            freedom[of_slots],
        )


def pad(values: Tensor, start: Tensor, count: Tensor, width: int) -> Tensor:
    """The values (N,) as a row for every band, (F,width), 0 beyond its epochs."""
    place = torch.arange(width, device=start.device)
    index = (start[:, None] + place).clamp_(max=values.numel() - 1)
    return torch.where(place < count[:, None], values[index], 0.0)


def cosine_sine(turns: Tensor) -> tuple[Tensor, Tensor]:
    """Cosine and sine of 2 pi times `turns` (float64), in float32."""
    angle = (2 * torch.pi * (turns - turns.round())).float()
    return angle.cos(), angle.sin()


class Bands(NamedTuple):
    """Bands (F,) with padded epochs (F,N): time day; weighted, weight and rooted (F,1,N) as in `scan.Slot`, float32;
    first and step (F,1) 1/day; lanes and double (F,N,LANES), cosines and sines of the lanes and of twice their angles.
    """

    time: Tensor
    weighted: Tensor
    weight: Tensor
    rooted: Tensor
    first: Tensor
    step: Tensor
    lanes: Tensor
    double: Tensor


def batch_gain(
    time: Tensor,
    residual: Tensor,
    weight: Tensor,
    slot: Tensor,
    row: Tensor,
    freedom: Tensor,
    first: Tensor,
    step: Tensor,
    n_point: int,
    room: int,
    side: Callable[..., Tensor],
) -> Tensor:
    """Gain (S, at least n_point) of S objects at first + k step, from the padded epochs (F,N) of their bands."""
    of_band = row[slot]
    bands = scale_bands(time, residual, weight, slot, freedom.numel(), first[of_band], step[of_band])
    n_block, tile = -(-n_point // LANES), max(1, room // (6 * LANES * time.shape[0]))
    gain = time.new_zeros((int(row.max()) + 1, n_block, LANES), dtype=torch.float32)
    for block in range(0, n_block, tile):
        m = min(tile, n_block - block)
        a, b = tile_sums(bands, torch.arange(block, block + m, device=time.device))
        above, below = (side(a, b, sign, slot, freedom) for sign in (1.0, -1.0))
        gain[:, block : block + m].index_add_(0, row, torch.cat([below.flip(-1), above], -1))
    return gain.flatten(1)


def scale_bands(
    time: Tensor, residual: Tensor, weight: Tensor, slot: Tensor, n_slot: int, first: Tensor, step: Tensor
) -> Bands:
    """Epochs (F,N) scaled to sums of 1 in each slot, and the lanes; first and step (F,) 1/day."""
    band_sum = torch.stack([weight.sum(1), (weight * residual**2).sum(1)])
    total, constant = torch.zeros(2, n_slot, dtype=time.dtype, device=time.device).index_add_(1, slot, band_sum)
    scale = torch.where(constant == 0, 0.0, (constant * total).rsqrt())
    weighted = (weight * residual * scale[slot, None]).float()[:, None]
    weight = weight / total[slot, None]
    rooted = (weight / weight.sum(1, keepdim=True).sqrt()).float()[:, None]
    first, step = first[:, None], step[:, None]
    c, s = cosine_sine((time * step)[:, :, None] * (torch.arange(HALF, device=time.device) + 0.5))
    lanes, double = torch.cat([c, s], 2), torch.cat([1 - 2 * s * s, 2 * s * c], 2)
    return Bands(time, weighted, weight.float()[:, None], rooted, first, step, lanes, double)


def tile_sums(bands: Bands, block: Tensor) -> tuple[Tensor, Tensor]:
    """Sums over the epochs of each band for the blocks (M,), as `side_gain` takes them."""
    time, weighted, weight, rooted, first, step, lanes, double = bands
    centre = first + (block * LANES + HALF - 0.5) * step
    c, s = cosine_sine(centre[:, :, None] * time[:, None])
    a = torch.bmm(torch.cat([weighted * c, weighted * s, rooted * c, rooted * s], 1), lanes)
    b = torch.bmm(torch.cat([weight * (0.5 - s * s), weight * (s * c)], 1), double)
    shape = block.numel(), 2, HALF
    return a.view(time.shape[0], 4, *shape), b.view(time.shape[0], 2, *shape)


def side_gain(a: Tensor, b: Tensor, sign: float, slot: Tensor, freedom: Tensor) -> Tensor:
    """-freedom log(1 - p) of each slot (L,M,HALF) above the centres, or below them with sign -1.

    a (F,4,M,2,HALF): sums of w y cos, w y sin, w cos / sqrt(W), w sin / sqrt(W) with cosine and sine lanes; b
    (F,2,M,2,HALF): of w / 2 times cosine and sine of the double angle.
    """
    c, s = a[..., 0, :], sign * a[..., 1, :]
    yc, ys, cos, sin = c[:, 0] - s[:, 1], c[:, 1] + s[:, 0], c[:, 2] - s[:, 3], c[:, 3] + s[:, 2]
    c, s = b[..., 0, :], sign * b[..., 1, :]
    cos2, sin2 = c[:, 0] - s[:, 1], c[:, 1] + s[:, 0]
    sums = [yc, ys, cos2 - cos * cos, -cos2 - sin * sin, sin2 - cos * sin]
    if freedom.numel() < slot.numel():
        sums = [x.new_zeros((freedom.numel(), *x.shape[1:])).index_add_(0, slot, x) for x in sums]
    yc, ys, cc, ss, cs = sums
    cc, ss = 0.5 + cc, 0.5 + ss
    p = (yc * yc * ss + ys * ys * cc - 2 * yc * ys * cs) / (cc * ss - cs * cs).clamp(min=SINGULAR)
    return -freedom[:, None, None] * torch.log1p(-p.clamp(0.0, PERFECT))


def highest_peaks(gain: Tensor, n_point: Tensor, n_peak: int) -> tuple[Tensor, Tensor]:
    """Places and heights (S,n_peak) of the highest local maxima above 0 in the first n_point of each curve (S,N),
    highest first, an end of the grid only where it is the highest; height 0 where there are fewer.
    """
    inner = gain[:, 1:-1]
    inside = torch.arange(1, gain.shape[1] - 1, device=gain.device) < n_point[:, None] - 1
    is_peak = inside & (inner >= gain[:, :-2]) & (inner > gain[:, 2:])
    height, place = torch.where(is_peak, inner, 0.0).topk(n_peak, dim=1)
    place = place + 1
    last = n_point[:, None] - 1
    end = torch.where(gain.gather(1, last) >= gain[:, :1], last, 0)
    value = gain.gather(1, end)
    higher = value > height[:, :1]
    height = torch.where(higher, torch.cat([value, height[:, :-1]], 1), height)
    return torch.where(higher, torch.cat([end, place[:, :-1]], 1), place), height
