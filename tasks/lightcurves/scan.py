"""Periodograms of many short multiband series by direct summation, compiled, with no Python per object.

An object has slots, a slot is a set of bands with a common phase and amplitude and an offset each (floating mean:
Zechmeister & Kurster 2009, A&A 496, 577; shared phase: VanderPlas & Ivezic 2015, ApJ 812, 18). With the weights of a
slot scaled to sum(w) = 1, its residuals y to sum(w y^2) = 1, and W the sum of w over a band, the sums over the bands of

    YC = sum w y cos,   CC = sum w cos^2 - (sum w cos)^2 / W,   CS = sum w cos sin - (sum w cos) (sum w sin) / W

and YS, SS alike give the part of chi2 that a sinusoid explains, p = (YC^2 SS + YS^2 CC - 2 YC YS CS) / (CC SS - CS^2).

The sums at LANES frequencies f +- d around a centre f are matrix products: cos 2 pi (f +- d) t splits into cosines and
sines of f t, which take the data (rows), and of d t, the same in every block (lanes). Above and below the centre the
same products are added and subtracted: 12 operations for an epoch and a frequency where plain sums take 24. Phases are
float64 and sums float32, so p is off by about 1e-7 over the determinant, of which 1e-4 is the floor.

All of it is in one file: numba compiles a cached function again when its own file changes, not when one that it calls
does.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

HALF = 128  # lanes to each side of a block's centre, at odd halves of the step
LANES = 2 * HALF
TILE = 50  # blocks at once: of 36 epochs OpenBLAS does not pack so small a product with AVX-512, a fifth faster there
# Places in the work of a block, LANES each, above the centre and then below. One flat array: the loops vectorise only
# where the compiler sees that nothing overlaps.
CC, CS, SS, LEFT = (k * LANES for k in range(4))
SINGULAR = np.float32(1e-4)  # floor of the determinant, 1/4 for even phases: below it rounding errors would win
PERFECT = np.float32(1 - 1e-6)  # ceiling of p
TURN = 2 * np.pi
LN2 = np.float32(np.log(2))
LOG = tuple(  # log(1 + x) / x for x in (0, 1], in powers of x: within 1e-7
    np.polynomial.Chebyshev.interpolate(lambda x: np.log1p(x) / x, 9, domain=[1e-9, 1])
    .convert(kind=np.polynomial.Polynomial)
    .coef.astype(np.float32)
)
compiled = njit(cache=True, nogil=True, fastmath=True)  # fastmath: all numbers are finite
_Floats = NDArray[np.float64]
_Singles = NDArray[np.float32]
_Ints = NDArray[np.int64]


class Slot(NamedTuple):
    """Epochs of one slot, band after band: time day, and scaled w, w y and w / sqrt(W), (N,) each; edge (B+1,) bounds
    the bands; freedom = N - B - 2, 0 where there is nothing to fit.
    """

    time: _Floats
    weight: _Floats
    weighted: _Floats
    rooted: _Floats
    edge: _Ints
    freedom: int


@compiled
def build_slot(time: _Floats, residual: _Floats, weight: _Floats, bands: _Ints) -> Slot:
    """The slot of `bands` (B,2)."""
    n_band, n = bands.shape[0], np.sum(bands[:, 1] - bands[:, 0])
    t, w, y, rooted = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    edge = np.zeros(n_band + 1, np.int64)
    at, total, constant = 0, 0.0, 0.0
    for band in range(n_band):
        for j in range(bands[band, 0], bands[band, 1]):
            t[at], w[at], y[at] = time[j], weight[j], weight[j] * residual[j]
            constant += y[at] * residual[j]
            at += 1
        edge[band + 1] = at
        share = np.sum(w[edge[band] : at])
        rooted[edge[band] : at] = w[edge[band] : at] / math.sqrt(share)
        total += share
    if n < n_band + 3 or constant == 0:
        return Slot(t, w, y, rooted, edge, 0)
    return Slot(t, w / total, y / math.sqrt(constant * total), rooted / math.sqrt(total), edge, n - n_band - 2)


@compiled
def fill_turns(time: float, first: float, step: float, c: _Floats, s: _Floats) -> None:
    """Cosines and sines of 2 pi (first + k step) t for all k of `c` and `s`, by doubling the filled part."""
    turns, turn = first * time, step * time
    angle, turn = TURN * (turns - math.floor(turns)), TURN * (turn - math.floor(turn))
    c[0], s[0], turn_c, turn_s = math.cos(angle), math.sin(angle), math.cos(turn), math.sin(turn)
    done = 1
    while done < c.size:
        for k in range(min(done, c.size - done)):
            c[done + k] = c[k] * turn_c - s[k] * turn_s
            s[done + k] = s[k] * turn_c + c[k] * turn_s
        turn_c, turn_s = turn_c * turn_c - turn_s * turn_s, 2 * turn_c * turn_s
        done *= 2


@compiled
def fill_lanes(slot: Slot, step: float, lanes: _Singles) -> None:
    """Cosines and sines of the lanes' angles, then of twice these, into `lanes` (2,N,LANES)."""
    c, s = np.empty(HALF), np.empty(HALF)
    for j in range(slot.time.size):
        fill_turns(slot.time[j], 0.5 * step, step, c, s)
        for k in range(HALF):
            lanes[0, j, k] = c[k]
            lanes[0, j, HALF + k] = s[k]
        for k in range(HALF):
            lanes[1, j, k] = 1 - 2 * s[k] * s[k]
            lanes[1, j, HALF + k] = 2 * s[k] * c[k]


@compiled
def fill_rows(slot: Slot, first: float, step: float, rows: _Singles) -> None:
    """The data at M centres first + k step, into `rows` (3,N,2M): w y times cosines and sines, w / 2 times those of the
    double angle, w / sqrt(W) times those of the angle.
    """
    m = rows.shape[2] // 2
    c, s = np.empty(m), np.empty(m)
    for j in range(slot.time.size):
        w, wy, rooted = slot.weight[j], slot.weighted[j], slot.rooted[j]
        fill_turns(slot.time[j], first, step, c, s)
        for k in range(m):
            rows[0, j, k] = wy * c[k]
            rows[0, j, m + k] = wy * s[k]
        for k in range(m):
            rows[1, j, k] = w * (0.5 - s[k] * s[k])
            rows[1, j, m + k] = w * (s[k] * c[k])
        for k in range(m):
            rows[2, j, k] = rooted * c[k]
            rows[2, j, m + k] = rooted * s[k]


@compiled
def multiply(slot: Slot, rows: _Singles, lanes: _Singles, products: _Singles) -> None:
    """Rows by lanes into `products` (2+B,2M,LANES): of the data, of the double angle and of each band."""
    np.dot(rows[0].T, lanes[0], products[0])
    np.dot(rows[1].T, lanes[1], products[1])
    for band in range(slot.edge.size - 1):
        of_band = slice(slot.edge[band], slot.edge[band + 1])
        np.dot(rows[2, of_band].T, lanes[0, of_band], products[2 + band])


@compiled
def add_band(product: _Singles, k: int, work: _Singles) -> None:
    """Adds the squares of a band's sums at block k of its product (2M,LANES) to those in `work`."""
    cosine, sine = product[k], product[product.shape[0] // 2 + k]
    for i in range(HALF):
        c, s = cosine[i] - sine[HALF + i], sine[i] + cosine[HALF + i]
        work[CC + i] += c * c
        work[CS + i] += c * s
        work[SS + i] += s * s
        c, s = cosine[i] + sine[HALF + i], sine[i] - cosine[HALF + i]
        work[CC + HALF + i] += c * c
        work[CS + HALF + i] += c * s
        work[SS + HALF + i] += s * s


@compiled
def unexplained(
    yc: np.float32, ys: np.float32, c2: np.float32, s2: np.float32, cc: np.float32, cs: np.float32, ss: np.float32
) -> np.float32:
    """1 - p from the sums of the data, of the double angle, and the squares of the bands' sums."""
    half, one = np.float32(0.5), np.float32(1)
    cc, ss, cs = half + c2 - cc, half - c2 - ss, s2 - cs
    explained = yc * yc * ss + ys * ys * cc - (yc + yc) * ys * cs
    p = explained / max(cc * ss - cs * cs, SINGULAR)
    return one - min(max(p, np.float32(0)), PERFECT)


@compiled
def fill_unexplained(data: _Singles, double: _Singles, k: int, work: _Singles) -> None:
    """1 - p of block k into `work`, from the products with the data and with the double angle and the squares there."""
    m = data.shape[0] // 2
    y_cosine, y_sine, cosine, sine = data[k], data[m + k], double[k], double[m + k]
    for i in range(HALF):
        work[LEFT + i] = unexplained(
            y_cosine[i] - y_sine[HALF + i], y_sine[i] + y_cosine[HALF + i],
            cosine[i] - sine[HALF + i], sine[i] + cosine[HALF + i],
            work[CC + i], work[CS + i], work[SS + i],
        )  # fmt: skip
        work[LEFT + HALF + i] = unexplained(
            y_cosine[i] + y_sine[HALF + i], y_sine[i] - y_cosine[HALF + i],
            cosine[i] + sine[HALF + i], sine[i] - cosine[HALF + i],
            work[CC + HALF + i], work[CS + HALF + i], work[SS + HALF + i],
        )  # fmt: skip


@compiled
def logarithm(x: _Singles) -> None:
    """Natural logarithm in place, from exponent and mantissa: a call would not vectorise. Integers are cast back to 32
    bits, for Numba computes in 64: half as many to a register.
    """
    bits, ulp = x.view(np.int32), np.float32(2.0**-23)
    for i in range(x.size):
        part = np.float32(np.int32(bits[i] & 0x7FFFFF)) * ulp
        series = LOG[9]
        series = series * part + LOG[8]
        series = series * part + LOG[7]
        series = series * part + LOG[6]
        series = series * part + LOG[5]
        series = series * part + LOG[4]
        series = series * part + LOG[3]
        series = series * part + LOG[2]
        series = series * part + LOG[1]
        series = series * part + LOG[0]
        x[i] = np.float32(np.int32((bits[i] >> 23) - 127)) * LN2 + series * part


@compiled
def add_gain(slot: Slot, products: _Singles, k: int, work: _Singles, gain: _Singles) -> None:
    """Adds -freedom log(1 - p) at block k of `products` to `gain` (LANES,), in order of frequency."""
    work[:LEFT] = 0
    for band in range(slot.edge.size - 1):
        add_band(products[2 + band], k, work)
    fill_unexplained(products[0], products[1], k, work)
    logarithm(work[LEFT : LEFT + LANES])
    freedom = np.float32(slot.freedom)
    for i in range(HALF):
        gain[HALF + i] -= freedom * work[LEFT + i]
    for i in range(HALF):
        gain[HALF - 1 - i] -= freedom * work[LEFT + HALF + i]


@compiled
def add_slot(slot: Slot, first: float, step: float, room: tuple[_Singles, _Singles, _Singles], gain: _Singles) -> None:
    """Adds the gain of `slot` at first + k step to `gain` (blocks * LANES,). `room`: flat arrays to work in."""
    n, n_product, n_block = slot.time.size, 1 + slot.edge.size, gain.size // LANES
    n_tile = -(-n_block * n_product // (3 * TILE))
    m = -(-n_block // n_tile)  # tiles of like size, with at most 3 TILE + n_product rows of products in all
    lanes = room[0][: 2 * n * LANES].reshape(2, n, LANES)
    rows = room[1][: 6 * n * m].reshape(3, n, 2 * m)
    products = room[2][: n_product * 2 * m * LANES].reshape(n_product, 2 * m, LANES)
    work = np.empty(4 * LANES, np.float32)
    fill_lanes(slot, step, lanes)
    for start in range(0, n_block, m):
        fill_rows(slot, first + (start * LANES + HALF - 0.5) * step, LANES * step, rows)
        multiply(slot, rows, lanes, products)
        for k in range(min(m, n_block - start)):
            at = (start + k) * LANES
            add_gain(slot, products, k, work, gain[at : at + LANES])


@compiled
def make_room(bands: _Ints, slot_offsets: _Ints) -> tuple[_Singles, _Singles, _Singles]:
    """Flat arrays for the lanes, rows and products of any of the slots."""
    n, n_band = 1, 1
    for slot in range(slot_offsets.size - 1):
        of_slot = bands[slot_offsets[slot] : slot_offsets[slot + 1]]
        n, n_band = max(n, np.sum(of_slot[:, 1] - of_slot[:, 0])), max(n_band, of_slot.shape[0])
    return (
        np.empty(2 * n * LANES, np.float32),
        np.empty(6 * n * TILE, np.float32),
        np.empty(2 * (3 * TILE + 2 + n_band) * LANES, np.float32),
    )


@compiled
def add_slots(
    time: _Floats,
    residual: _Floats,
    weight: _Floats,
    bands: _Ints,
    slot_offsets: _Ints,
    first: float,
    step: float,
    room: tuple[_Singles, _Singles, _Singles],
    gain: _Singles,
) -> None:
    """Sets `gain` (blocks * LANES,) to that of one object, the sum over the slots bounded by `slot_offsets`."""
    gain[:] = 0
    for k in range(slot_offsets.size - 1):
        slot = build_slot(time, residual, weight, bands[slot_offsets[k] : slot_offsets[k + 1]])
        if slot.freedom > 0:
            add_slot(slot, first, step, room, gain)


@compiled
def slots_gain(
    time: _Floats,
    residual: _Floats,
    weight: _Floats,
    bands: _Ints,
    slot_offsets: _Ints,
    first: float,
    step: float,
    n_point: int,
) -> _Singles:
    """Gain of one object, (n_point,): arguments as for `scan`, the slots bounded by `slot_offsets`."""
    gain = np.empty(-(-n_point // LANES) * LANES, np.float32)
    add_slots(time, residual, weight, bands, slot_offsets, first, step, make_room(bands, slot_offsets), gain)
    return gain[:n_point]


@compiled
def maximum(values: _Singles) -> float:
    """The highest of `values`; np.max does not vectorise."""
    top = values[0]
    for value in values:
        if value > top:
            top = value
    return top


@njit(cache=True, nogil=True)
def insert_peak(k: int, value: float, place: _Ints, height: _Singles) -> None:
    """Puts a peak in its order and the lowest out."""
    at = height.size - 1
    while at > 0 and value > height[at - 1]:
        place[at], height[at] = place[at - 1], height[at - 1]
        at -= 1
    place[at], height[at] = k, value


@njit(cache=True, nogil=True)
def highest_peaks(gain: _Singles, n_peak: int) -> tuple[_Ints, _Singles]:
    """Places and heights of the n_peak highest local maxima above 0, highest first, an end of the grid only where it is
    the highest; place -1 and height 0 where there are fewer. Of equal neighbours the last is the maximum.
    """
    place, height = np.full(n_peak, -1), np.zeros(n_peak, np.float32)
    last = gain.size - 1
    for start in range(1, last, LANES):
        stop = min(start + LANES, last)
        if maximum(gain[start:stop]) > height[-1]:
            for k in range(start, stop):
                if gain[k] > height[-1] and gain[k] >= gain[k - 1] and gain[k] > gain[k + 1]:
                    insert_peak(k, gain[k], place, height)
    end = last if gain[last] >= gain[0] else 0
    if gain[end] > height[0]:
        insert_peak(end, gain[end], place, height)
    return place, height


@njit(cache=True, nogil=True)
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
) -> tuple[_Floats, _Floats]:
    """Frequencies (S,n_peak) in 1/day and gains (S,n_peak) of the highest peaks of S objects, highest first, else NaN.

    time (N,) day, best small (the phase is f t); residual (N,) mag, each band minus its weighted mean; weight (N,)
    mag^-2; all finite. bands (F,2): start and stop of each band in these. slot_offsets (L+1,) bounds the bands of each
    slot, object_offsets (S+1,) the slots of each object. The grid of an object is first + k step, k < n_point.

    The gain sums -(n - B - 2) log(1 - p) over the slots, n epochs and B bands each: under noise of unknown scale it is
    chi2 with 2 degrees of freedom a slot, whatever the slot's size. Memory: one object's grid and one slot's lanes.
    """
    frequency = np.full((object_offsets.size - 1, n_peak), np.nan)
    gain = np.full((object_offsets.size - 1, n_peak), np.nan)
    room = make_room(bands, slot_offsets)
    curve = np.empty(np.max(n_point) + LANES if n_point.size else 0, np.float32)
    for i in range(object_offsets.size - 1):
        if n_point[i] < 1 or object_offsets[i] == object_offsets[i + 1]:
            continue
        of_slots = slot_offsets[object_offsets[i] : object_offsets[i + 1] + 1]
        blocks = curve[: -(-n_point[i] // LANES) * LANES]
        add_slots(time, residual, weight, bands, of_slots, first[i], step[i], room, blocks)
        place, height = highest_peaks(blocks[: n_point[i]], n_peak)
        for k in range(n_peak):
            if place[k] >= 0:
                frequency[i, k], gain[i, k] = first[i] + place[k] * step[i], height[k]
    return frequency, gain


def compile_kernels() -> None:
    """Compiles what the period search calls, or loads it from numba's cache, before many processes would each do so."""
    time = np.arange(8.0)
    series = (time, np.cos(time), np.ones(8), np.array([[0, 8]]), np.array([0, 1]))
    scan(*series, np.array([0, 1]), np.array([0.1]), np.array([0.01]), np.array([9]), 1)
    highest_peaks(slots_gain(*series, 0.1, 0.01, 9), 1)
