"""Contact sheet: one image that shows the worst faces of each model, or of two side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.engine.core.errors import UsageError
from steadymark.engine.metrics.accuracy import mean_of_finite
from steadymark.engine.output.video.draw_style import GREEN, ORANGE, SKY_BLUE, WHITE, bgr
from steadymark.engine.output.video.drawing import draw_contours, draw_text
from steadymark.engine.sources import open_source
from steadymark.engine.sources.image_sequence import ImageSequence
from steadymark.engine.sources.video.video_file import VideoFile
from steadymark.models.face.crop import Crop, cut, transform

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from steadymark.engine.metrics.accuracy import Values
    from steadymark.engine.metrics.accuracy_scores import FacePlace, LandmarkComparison
    from steadymark.engine.output.video.draw_style import Bgr
    from steadymark.models.face.crop import Image

TILE, GAP, CAPTION, HEAD = 260, 10, 26, 44  # Sizes in pixels.
PAIR_GAP = 2  # Between the two tiles of a face, pixels.
PAIRS = 3  # Pairs of tiles in a row.
COLUMNS = 6
MARGIN = 1.5  # Side of a tile divided by the longer side of the true face.
_PAPER = 40
_DARK, _BRIGHT = 50.0, 160.0  # A tile whose light parts are below the one is lit to the other.


def contact_sheet(compared: Mapping[str, LandmarkComparison], count: int) -> Image:
    """Draw the worst faces of each model, with the error under each face.

    The true landmarks are blue and the predicted landmarks are orange. Dark pictures are
    brightened. If there are many faces that were not found, an even choice of them takes half of
    the sheet, and the largest errors of the others take the other half. Two models that were
    compared on the same faces are shown side by side: the faces with the largest error of either
    model, the first model on the left and the second on the right. The error of the better one is
    framed in green.

    Args:
        compared: Predicted and true landmarks by the model's name.
        count: Number of faces to show: for each model, or of both side by side.

    Returns:
        The contact sheet, (H, W, 3) uint8 BGR.

    Raises:
        SourceError: An image or video can no longer be read.
        UsageError: A face comes from a live source, whose images cannot be read again.
    """
    if len(compared) == 2 and _are_of_same_faces(*compared.values()):
        return _pairs(compared, count)
    worst = {name: _worst(c, count, c.errors()) for name, c in compared.items()}
    images = _images_of([c.places[i] for name, c in compared.items() for i in worst[name]])
    columns = max(1, min(COLUMNS, *(len(w) for w in worst.values())))
    width = max(columns * (TILE + GAP) + GAP, 3 * TILE)
    parts = [_legend(width)]
    for name, comparison in compared.items():
        errors = comparison.errors()
        tiles = [
            _tile(comparison, i, images[comparison.places[i]], float(errors[i]))
            for i in worst[name]
        ]
        heading = _titled(f"{name}: the worst of {_summary(errors)}", width)
        parts += [heading, *_rows(tiles, columns, width)]
    return np.concatenate(parts)


def _worst(compared: LandmarkComparison, count: int, errors: Values) -> list[int]:
    """Return the faces to show; at most half of them were not found, if there are enough others."""
    missed = np.flatnonzero(np.isnan(errors))
    most = (count + 1) // 2
    if len(missed) > most:
        shown = missed[np.linspace(0, len(missed) - 1, most).round().astype(int)]
        errors = errors.copy()
        errors[np.setdiff1d(missed, shown)] = -1.0  # After all faces that were found.
    return compared.worst(count, errors)


def _are_of_same_faces(first: LandmarkComparison, second: LandmarkComparison) -> bool:
    return (
        first.schema.name == second.schema.name
        and first.scored == second.scored
        and [p[:3] for p in first.places] == [p[:3] for p in second.places]
    )


def _pairs(compared: Mapping[str, LandmarkComparison], count: int) -> Image:
    """Draw the faces with the largest error of either of two models, both models side by side."""
    first, second = compared.values()
    errors = np.stack([first.errors(), second.errors()])
    worst = _worst(first, count, errors.max(0))
    images = _images_of([first.places[i] for i in worst])
    tiles = []
    for i in worst:
        image = images[first.places[i]]
        better = np.nan_to_num(errors[:, i], nan=np.inf)
        pair = []
        for number, each in enumerate((first, second)):
            tile = _tile(each, i, image, float(errors[number, i]), named=number == 0)
            if better[number] < better[1 - number]:
                corner = (TILE - 1, TILE + CAPTION - 1)
                cv2.rectangle(tile, (0, TILE), corner, bgr(GREEN), 2)
            pair += [tile, np.full((len(tile), PAIR_GAP, 3), _PAPER, np.uint8)]
        tiles.append(np.concatenate(pair[:-1], 1))
    columns = max(1, min(PAIRS, len(worst)))
    width = max(columns * (tiles[0].shape[1] + GAP) + GAP, 3 * TILE)
    pairs = zip(compared, errors, strict=True)
    headings = [_titled(f"{name}: {_summary(each)}", width) for name, each in pairs]
    text = f"left: {', right: '.join(compared)}; the faces with the largest error of either"
    return np.concatenate(
        [_legend(width), *headings, _titled(text, width), *_rows(tiles, columns, width)]
    )


def _images_of(places: Sequence[FacePlace]) -> dict[FacePlace, Image]:
    """Read the image of each face; each source is opened once and read forwards."""
    images = {place: place.load_image() for place in places if place.load_image is not None}
    places = [place for place in places if place.load_image is None]
    for text in dict.fromkeys(place.source for place in places):
        source = open_source(text)
        if not isinstance(source, VideoFile | ImageSequence):
            raise UsageError(f"{text} is live: its pictures are gone")
        try:
            for place in sorted({p for p in places if p.source == text}, key=_frame):
                images[place] = source.frame_at(_frame(place)).image
        finally:
            source.close()
    return images


def _frame(place: FacePlace) -> int:
    return place.frame or 0


def _tile(
    compared: LandmarkComparison, index: int, image: Image, error: float, *, named: bool = True
) -> Image:
    """Draw a face with its true and its predicted landmarks, (TILE + CAPTION, TILE, 3)."""
    scored = list(compared.scored)
    truth, found = compared.truth[index], compared.found[index]
    corner, far = truth[scored].min(0), truth[scored].max(0)
    middle = (corner + far) / 2
    side = max(8.0, MARGIN * float((far - corner).max()))
    crop = Crop(float(middle[0]), float(middle[1]), side)
    tile = _lit(cut(image, crop.matrix_to_image(TILE), TILE))
    is_scored = np.full(len(truth), False)
    is_scored[scored] = True
    for points, colour in ((truth, bgr(SKY_BLUE)), (found, bgr(ORANGE))):
        _draw(
            tile, np.where(is_scored[:, None], points, np.nan), crop, colour, compared.schema.name
        )
    place = compared.places[index]
    name = place.name if place.frame is None else f"{place.name} frame {place.frame}"
    error_text = "not found" if np.isnan(error) else f"{error:.1f} %"
    if np.isinf(error):
        error_text = "no eye distance"  # the true outer eye corners coincide
    caption = _line(name if named else "", TILE, CAPTION, right=error_text)
    return np.concatenate((tile, caption))


def _lit(tile: Image) -> Image:
    """Brighten a dark tile, so that the face can be seen."""
    light = float(np.percentile(tile, 98))
    if not 0 < light < _DARK:
        return tile
    return (tile * (_BRIGHT / light)).clip(0, 255).astype(np.uint8)


def _draw(tile: Image, points: Values, crop: Crop, colour: Bgr, schema: str) -> None:
    xy = transform(crop.matrix_from_image(TILE), points)
    draw_contours(tile, xy, colour, TILE / MARGIN, schema)
    for x, y in xy[np.isfinite(xy).all(1)].clip(-TILE, 2 * TILE):
        cv2.circle(tile, (round(16 * x), round(16 * y)), 28, colour, cv2.FILLED, cv2.LINE_AA, 4)


def _rows(tiles: list[Image], columns: int, width: int) -> list[Image]:
    """Arrange tiles of one size in rows."""
    rows = []
    for start in range(0, len(tiles), columns):
        row = np.full((TILE + CAPTION + GAP, width, 3), _PAPER, np.uint8)
        for i, tile in enumerate(tiles[start : start + columns]):
            left = GAP + i * (tile.shape[1] + GAP)
            row[: len(tile), left : left + tile.shape[1]] = tile
        rows.append(row)
    return rows


def _legend(width: int) -> Image:
    line = _line("", width, HEAD)
    draw_text(line, "true", (GAP, 29), 0.6, bgr(SKY_BLUE))
    draw_text(line, "found", (GAP + 60, 29), 0.6, bgr(ORANGE))
    draw_text(
        line,
        "error: mean distance in % of the outer-eye distance",
        (GAP + 135, 29),
        0.6,
        bgr(WHITE),
    )
    return line


def _summary(errors: Values) -> str:
    missed = int(np.isnan(errors).sum())
    text = f"{len(errors)} faces, mean error {float(mean_of_finite(errors)):.2f} %"
    return text + (f", {missed} not found" if missed else "")


def _titled(text: str, width: int) -> Image:
    line = _line("", width, HEAD)
    draw_text(line, text, (GAP, 29), 0.7, bgr(WHITE))
    return line


def _line(text: str, width: int, height: int, *, right: str = "") -> Image:
    """Draw a strip with text at its left end and at its right end; the left text is cut to fit."""
    line = np.full((height, width, 3), _PAPER, np.uint8)
    free = width - _width(right) - (GAP if right else 0)
    while text and _width(text) > free:
        text = text[:-2] + "…" if len(text) > 2 else ""
    draw_text(line, text, (2, height - 9), 0.5, bgr(WHITE))
    draw_text(line, right, (width - _width(right) - 2, height - 9), 0.5, bgr(WHITE))
    return line


def _width(text: str) -> int:
    return int(cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.5, 1)[0][0])
