"""How light becomes a photo: from linear radiance to 8-bit R'G'B' as a phone, an SLR or a webcam gives it.

Pure functions on arrays of one picture, a few milliseconds each at 160×224. Most results look like ordinary good photos; the
rest are spread thinly over what photos also are: hazy, blurred, noisy, badly compressed, black and white, painted.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from addon.vision.texture import linear_to_srgb

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Random = np.random.Generator

LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
_LEVELS = 4096
_BRIGHTEST = 16.0
"""The table of a tone curve reaches from 0 to this radiance, spaced by square roots."""
_NOISE = 1 << 20


def photo(light: Floats, disparity: Floats, random: Random, strength: float = 1.0) -> Bytes:
    """uint8 H×W×3 R'G'B' from linear radiance `light` (float32 H×W×3, about 0.2 on average, white about 1).

    disparity: float32 H×W in 1/metres, 0 in the sky: haze and defocus follow it. strength: scales how often anything beyond
    exposure, tone and compression happens; 0 for the plainest photos.
    """

    def happens(share: float) -> bool:
        return bool(random.random() < share * strength)

    light = light * _balance(random, strength)
    if happens(0.12):
        light = hazy(light, disparity, random)
    if happens(0.2):
        light = defocused(light, disparity, random)
    if happens(0.05):
        light = shaken(light, random)
    if happens(0.12):
        light = bloomed(light, random)
    if happens(0.35):
        light = vignetted(light, random)
    if happens(0.5):
        sigma = random.uniform(0.3, 0.8)
        light = cv2.GaussianBlur(light, (0, 0), sigma)
    if happens(0.6):
        light = noisy(light, random)
    values = curved(np.maximum(light, 0), tone_table(random))
    values = saturated(values, float(np.clip(random.normal(1.05, 0.2), 0.3, 1.7)))
    if happens(0.08):
        values = fringed(values, random)
    if happens(0.3):
        values = sharpened(values, random)
    if happens(0.12):
        values = coarser(values, random)
    picture = (np.clip(values, 0, 1) * 255 + 0.5).astype(np.uint8)
    kind = random.random() / max(strength, 1e-6)
    if kind < 0.06:
        picture = grey(picture, random)
    elif kind < 0.10:
        picture = aged(picture, random)
    elif kind < 0.14:
        picture = mixed(picture, random)
    elif kind < 0.19:
        picture = painted(picture, random)
    if happens(0.03):
        picture = lettered(picture, random)
    if happens(0.05):
        picture = framed(picture, random)
    if random.random() < 0.75:
        picture = compressed(picture, int(100 - 65 * random.beta(1.3, 2.5)))
    return picture


# Light -----------------------------------------------------------------------------------------------------------------


def _balance(random: Random, strength: float) -> Floats:
    """Exposure and white balance as gains of R, G and B."""
    exposure = 2.0 ** float(np.clip(random.normal(0.0, 0.45), -1.4, 1.2))
    spread = (0.22 if random.random() < 0.12 else 0.07) * strength
    warm, tint = random.normal(0, spread), random.normal(0, spread * 0.4)
    return np.array([exposure * np.exp(warm), exposure * np.exp(tint), exposure * np.exp(-warm)], np.float32)


def hazy(light: Floats, disparity: Floats, random: Random) -> Floats:
    """Airlight by distance (Koschmieder 1924). The sky counts as a few times as far as what is farthest before it."""
    solid = disparity[disparity > 0]
    if solid.size == 0:
        return light
    farthest = 1.0 / max(float(np.percentile(solid, 5)), 1e-4)
    depth = np.minimum(1.0 / np.maximum(disparity, 1e-6), 3.0 * farthest)
    clear = np.exp(depth * np.float32(np.log(random.uniform(0.25, 0.95)) / farthest)).astype(np.float32)[..., None]
    level = random.uniform(0.5, 1.1) * float(np.percentile(light[::4, ::4], 90))
    air = (level * np.array([1.0, 1.03, 1.1]) ** random.uniform(-0.5, 2.0)).astype(np.float32)
    return light * clear + air * (1 - clear)


def defocused(light: Floats, disparity: Floats, random: Random) -> Floats:
    """Blur by the circle of confusion, which is linear in disparity, blended from four levels of blur."""
    h, w = disparity.shape
    y, x = (int(np.clip(random.normal(0.55, 0.2), 0.05, 0.95) * n) for n in (h, w))
    largest = float(np.percentile(disparity[::4, ::4], 99))
    if largest <= 0:
        return light
    radius = random.uniform(0.8, 3.5) * np.abs(disparity - disparity[y, x]) / largest
    radius = cv2.blur(np.minimum(radius, 3.5).astype(np.float32), (3, 3))
    result, below = light, 0.0
    for sigma in (0.8, 1.8, 3.5):
        blurred = cv2.GaussianBlur(light, (0, 0), sigma)
        share = np.clip((radius - below) / (sigma - below), 0, 1)[..., None]
        result = result + (blurred - result) * share
        below = sigma
    return result


def shaken(light: Floats, random: Random) -> Floats:
    """Motion blur of the whole picture along one direction."""
    length = int(random.integers(3, 8))
    kernel = np.zeros((length, length), np.float32)
    middle, angle = (length - 1) / 2, random.uniform(0, np.pi)
    reach = middle * np.array([np.cos(angle), np.sin(angle)])
    a, b = np.rint(middle - reach).astype(int), np.rint(middle + reach).astype(int)
    cv2.line(kernel, (int(a[0]), int(a[1])), (int(b[0]), int(b[1])), 1.0)
    return cv2.filter2D(light, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT)


def bloomed(light: Floats, random: Random) -> Floats:
    """Glare around what is brighter than white."""
    bright = np.maximum(light - 0.8, 0)
    small = cv2.resize(bright, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), random.uniform(1.0, 5.0))
    return light + random.uniform(0.1, 0.6) * cv2.resize(small, light.shape[1::-1])


def vignetted(light: Floats, random: Random) -> Floats:
    """Darker corners, as cos^4 of the angle to the axis."""
    h, w = light.shape[:2]
    y, x = np.linspace(-1, 1, h, dtype=np.float32)[:, None], np.linspace(-1, 1, w, dtype=np.float32)
    return light / (1 + random.uniform(0.05, 0.45) * (x * x + y * y) / 2)[..., None] ** 2


@lru_cache(maxsize=1)
def _bank() -> Floats:
    """Normal noise to cut pieces from: drawing it anew would take longer than everything else."""
    return np.random.default_rng(0).standard_normal(_NOISE, np.float32)


def _normal(shape: tuple[int, ...], random: Random) -> Floats:
    start, count = int(random.integers(0, _NOISE // 2)), int(np.prod(shape))
    return _bank()[start : start + count].reshape(shape)


def noisy(light: Floats, random: Random) -> Floats:
    """Shot noise that grows with the light, read noise, and coarse colour noise as left over by a denoiser."""
    amount = float(np.exp(random.uniform(np.log(0.002), np.log(0.022))))
    h, w = light.shape[:2]
    sigma = np.sqrt(np.maximum(light, 0) * (amount * amount * 4) + (amount * 0.25) ** 2)
    noise = _normal(light.shape, random)
    if random.random() < 0.5:
        step = int(random.integers(2, 5))
        coarse = cv2.resize(_normal((h // step, w // step, 3), random), (w, h))
        noise = 0.7 * noise.mean(2, keepdims=True) + 0.8 * coarse
    return light + sigma * noise


# Tone and colour -------------------------------------------------------------------------------------------------------


def tone_table(random: Random) -> Floats:
    """A tone curve: 4096 displayed values in [0, 1], for radiances from 0 to 16 spaced by square roots."""
    light = (np.linspace(0, 1, _LEVELS, dtype=np.float32) ** 2) * _BRIGHTEST
    kind = random.random()
    if kind < 0.35:  # highlights clip
        values = linear_to_srgb(np.minimum(light, 1))
    elif kind < 0.8:  # a shoulder that begins at `knee` and reaches white far above it
        knee = random.uniform(0.4, 0.85)
        over = np.maximum(light - knee, 0)
        room = 1 - knee
        values = linear_to_srgb(np.minimum(light, knee) + room * (1 - np.exp(-over / room)))
    else:  # Hable's film curve with its white at 6 to 12
        a, b, c, d, e, f = 0.22, 0.30, 0.10, 0.20, 0.01, 0.30
        x = light * random.uniform(1.6, 2.6)
        white = random.uniform(6, 12)

        def film(v: Floats | float) -> Floats:
            return np.asarray((v * (a * v + c * b) + d * e) / (v * (a * v + b) + d * f) - e / f, np.float32)

        values = linear_to_srgb(np.clip(film(x) / film(white), 0, 1))
    contrast = float(np.clip(random.normal(0.15, 0.25), -0.4, 0.9))
    values = values + contrast * values * (1 - values) * (2 * values - 1)
    values = values ** float(np.exp(random.normal(0, 0.12)))
    if random.random() < 0.08:  # faded blacks
        values = random.uniform(0.03, 0.15) + values * random.uniform(0.78, 0.92)
    return np.clip(values, 0, 1).astype(np.float32)


def curved(light: Floats, table: Floats) -> Floats:
    """Look `light` (at least 0) up in a table of `tone_table`."""
    place = cv2.sqrt(np.minimum(light, _BRIGHTEST)) * np.float32((_LEVELS - 1) / np.sqrt(_BRIGHTEST)) + 0.5
    return table[place.astype(np.int32)]


def saturated(values: Floats, amount: float) -> Floats:
    luma = values @ LUMA
    return luma[..., None] + (values - luma[..., None]) * np.float32(amount)


def fringed(values: Floats, random: Random) -> Floats:
    """Red and blue a little larger or smaller than green, or shifted."""
    h, w = values.shape[:2]
    result = values.copy()
    scale, shift = random.normal(0, 0.003), random.normal(0, 0.3, 2)
    for channel, sign in ((0, 1), (2, -1)):
        k = 1 + sign * scale
        matrix = np.array([[k, 0, (1 - k) * w / 2 + sign * shift[0]], [0, k, (1 - k) * h / 2 + sign * shift[1]]], np.float32)
        result[..., channel] = cv2.warpAffine(values[..., channel], matrix, (w, h), borderMode=cv2.BORDER_REFLECT)
    return result


def sharpened(values: Floats, random: Random) -> Floats:
    """Unsharp masking, halos included."""
    blurred = cv2.GaussianBlur(values, (0, 0), random.uniform(0.6, 1.5))
    return values + random.uniform(0.3, 1.2) * (values - blurred)


def coarser(values: Floats, random: Random) -> Floats:
    """Made smaller and larger again."""
    h, w = values.shape[:2]
    share = random.uniform(0.45, 0.85)
    small = cv2.resize(values, (round(w * share), round(h * share)), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR if random.random() < 0.7 else cv2.INTER_CUBIC)


# Pictures that are more than photos ------------------------------------------------------------------------------------


def _luma(picture: Bytes, random: Random) -> Floats:
    """One channel, as film of some sensitivity to colours would show it."""
    weights = random.dirichlet((3, 6, 2)).astype(np.float32)
    return np.clip(picture.astype(np.float32) @ weights, 0, 255)


def grey(picture: Bytes, random: Random) -> Bytes:
    return np.repeat(_luma(picture, random).astype(np.uint8)[..., None], 3, 2)


def aged(picture: Bytes, random: Random) -> Bytes:
    """A print that has yellowed and lost contrast, with some grain; brown, or with what is left of its colours."""
    values = picture.astype(np.float32)
    values += (_luma(picture, random)[..., None] - values) * np.float32(random.uniform(0.5, 1.0))
    paper = np.array([random.uniform(225, 255), random.uniform(205, 235), random.uniform(150, 205)], np.float32)
    ink = np.array([random.uniform(30, 70), random.uniform(20, 50), random.uniform(10, 40)], np.float32)
    values = ink + (paper - ink) * values / 255
    values += random.uniform(0, 8) * _normal((*picture.shape[:2], 1), random)
    return np.clip(values, 0, 255).astype(np.uint8)


def mixed(picture: Bytes, random: Random) -> Bytes:
    """Channels exchanged or mixed."""
    if random.random() < 0.4:
        return np.ascontiguousarray(picture[..., random.permutation(3)])
    matrix = np.eye(3) * random.uniform(0.5, 0.9) + random.dirichlet((1, 1, 1), 3) * random.uniform(0.1, 0.5)
    return np.clip(picture.astype(np.float32) @ matrix.T.astype(np.float32), 0, 255).astype(np.uint8)


def painted(picture: Bytes, random: Random) -> Bytes:
    """Flat patches, as in paintings and drawings."""
    kind = random.random()
    if kind < 0.3:
        return np.asarray(cv2.edgePreservingFilter(picture, flags=1, sigma_s=random.uniform(5, 30), sigma_r=random.uniform(0.2, 0.5)))
    if kind < 0.5:
        return np.asarray(cv2.stylization(picture, sigma_s=random.uniform(5, 30), sigma_r=random.uniform(0.2, 0.5)))
    if kind < 0.75:
        return np.asarray(cv2.bilateralFilter(picture, 7, random.uniform(30, 80), 4))
    step = 256 // int(random.integers(5, 14))
    smooth = cv2.medianBlur(picture, 5)
    return np.clip(smooth.astype(np.int32) // step * step + step // 2, 0, 255).astype(np.uint8)


def lettered(picture: Bytes, random: Random) -> Bytes:
    """A date or a line of writing near the border."""
    h, w = picture.shape[:2]
    text = "".join(random.choice(list("0123456789.:'/ ABCDEFGHIKLMNOPRSTUW"), int(random.integers(5, 16))))
    scale = random.uniform(0.25, 0.6)
    at = (int(random.uniform(0, 0.6) * w), int(random.choice([random.uniform(0.08, 0.18), random.uniform(0.85, 0.97)]) * h))
    colour = tuple(int(c) for c in random.integers(0, 256, 3)) if random.random() < 0.5 else (255, 150, 40)
    return np.asarray(cv2.putText(picture.copy(), text, at, int(random.integers(0, 5)), scale, colour, 1, cv2.LINE_AA))


def framed(picture: Bytes, random: Random) -> Bytes:
    """Within the white, black or paper-coloured border of a print or of a frame taken from a film; the scene goes on behind it."""
    h, w = picture.shape[:2]
    top, bottom, left, right = (int(random.uniform(0.005, 0.04) * w) for _ in range(4))
    if random.random() < 0.3:
        left = right = 0
    result = np.empty_like(picture)
    result[:] = (255, 0, int(random.integers(170, 250)))[int(random.choice(3, p=(0.5, 0.35, 0.15)))]
    result[top : h - bottom, left : w - right] = picture[top : h - bottom, left : w - right]
    return result


def compressed(picture: Bytes, quality: int) -> Bytes:
    """As JPEG leaves it."""
    done, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError("OpenCV wrote no JPEG")
    return np.asarray(cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB))
