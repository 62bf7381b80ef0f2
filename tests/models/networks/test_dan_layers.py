from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from steadymark.models.face.crop import fit_crop, transform
from steadymark.models.face.schema import load_schema
from steadymark.models.networks.dan import PRESETS
from steadymark.models.networks.dan_layers import (
    Similarity,
    canonical_shape,
    estimate,
    landmark_heatmap,
    to_grey,
    warp,
)
from support.fakes.dan_references import (
    backward,
    connection_of,
    faces,
    fitted_similarity,
    random_dan,
)


def random_similarity(count: int) -> Similarity:
    rng = np.random.default_rng(4)
    turn = rng.normal(0, 0.2, (count, 2)) + np.array([1, 0])
    return Similarity(torch.from_numpy(turn), torch.from_numpy(rng.normal(0, 3, (count, 2))))


def as_matrix(similarity: Similarity, index: int) -> np.ndarray:
    (a, b), (x, y) = similarity.turn[index].tolist(), similarity.shift[index].tolist()
    return np.array([[a, -b, x], [b, a, y], [0, 0, 1]])


def test_the_canonical_shape_equals_the_mean_shape_in_a_fitted_crop() -> None:
    schema = load_schema("ibug68")
    turn = 90 * np.array([[math.cos(0.4), -math.sin(0.4)], [math.sin(0.4), math.cos(0.4)]])
    points = schema.mean_shape @ turn.T + (210.3, 150.7)
    crop = fit_crop(points, schema.mean_shape, margin=1.4)
    expected = transform(crop.matrix_from_image(112), points)
    np.testing.assert_allclose(canonical_shape(schema, 112, 1.4).numpy(), expected, atol=1e-3)


def test_the_transform_is_the_least_squares_similarity() -> None:
    rng = np.random.default_rng(3)
    canonical = canonical_shape(load_schema("ibug68"), 112, 1.4).double()
    shapes = np.stack([canonical.numpy() @ rng.normal(0, 1, (2, 2)) * 1.3 + 9 for _ in range(4)])
    shapes += rng.normal(0, 5, shapes.shape)
    similarity = estimate(torch.from_numpy(shapes), canonical)
    for i, shape in enumerate(shapes):
        expected = fitted_similarity(shape, canonical.numpy())
        np.testing.assert_allclose(as_matrix(similarity, i)[:2], expected, atol=1e-9)


def test_the_inverse_transform_restores_points() -> None:
    similarity, points = random_similarity(3), torch.randn(3, 68, 2, dtype=torch.float64) * 30
    restored = similarity.inverse().apply(similarity.apply(points))
    torch.testing.assert_close(restored, points)


def test_a_shape_collapsed_to_one_point_gives_finite_numbers() -> None:
    canonical = canonical_shape(load_schema("ibug68"), 112, 1.4)
    shape = torch.full((1, 68, 2), 50.0, requires_grad=True)
    similarity = estimate(shape, canonical)
    restored = similarity.inverse().apply(similarity.apply(shape))
    heat = landmark_heatmap(similarity.apply(shape), 112, 16)
    backward(restored.sum() + heat.sum())
    assert shape.grad is not None
    assert all(torch.isfinite(part).all() for part in (restored, heat, shape.grad))


def test_the_heatmap_is_equation_3_in_a_circle_around_each_landmark() -> None:
    rng = np.random.default_rng(5)
    side, radius = 40, 7.0
    shapes = rng.uniform(-6, 46, (2, 5, 2))
    shapes[0, 0] = (12, 20)  # on a pixel's centre
    result = landmark_heatmap(torch.from_numpy(shapes), side, radius).numpy()
    assert result.shape == (2, 1, side, side)
    for shape, heat in zip(shapes, result[:, 0], strict=True):
        for y in range(side):
            for x in range(side):
                distance = min(math.hypot(x - u, y - v) for u, v in shape)
                expected = 1 / (1 + distance) if distance <= radius else 0
                assert heat[y, x] == pytest.approx(expected, abs=2e-6)


def test_the_warped_image_is_sampled_bilinearly_at_the_inverse_transform() -> None:
    rng = np.random.default_rng(6)
    side, similarity = 24, random_similarity(2)
    images = rng.normal(size=(2, 1, side, side))
    result = warp(torch.from_numpy(images), similarity).numpy()
    for i, image in enumerate(images[:, 0]):
        inverse_matrix = np.linalg.inv(as_matrix(similarity, i))
        for y in range(side):
            for x in range(side):
                u, v = np.clip((inverse_matrix @ (x, y, 1))[:2], 0, side - 1)
                left, top = math.floor(u), math.floor(v)
                expected = 0.0
                for row, of_row in ((top, 1 - (v - top)), (top + 1, v - top)):
                    for column, of_column in ((left, 1 - (u - left)), (left + 1, u - left)):
                        value = image[min(row, side - 1), min(column, side - 1)]
                        expected += of_row * of_column * value
                assert result[i, 0, y, x] == pytest.approx(expected, abs=1e-9)


def test_a_pixel_is_warped_like_its_landmark() -> None:
    image = torch.zeros(1, 1, 40, 40, dtype=torch.float64)
    image[0, 0, 12, 25] = 1  # x = 25, y = 12
    turn = torch.tensor([[0.0, 1.0]], dtype=torch.float64)  # a quarter, x to y
    similarity = Similarity(turn, torch.tensor([[30.0, -3.0]], dtype=torch.float64))
    x, y = similarity.apply(torch.tensor([[[25.0, 12.0]]], dtype=torch.float64))[0, 0].tolist()
    assert (x, y) == (18, 22)
    assert warp(image, similarity)[0, 0, 22, 18].item() == pytest.approx(1)


def test_connection_layers_are_differentiable() -> None:
    rng = np.random.default_rng(7)
    canonical = torch.from_numpy(rng.uniform(2, 9, (5, 2)))
    shape = (canonical + torch.from_numpy(rng.normal(0, 1, (2, 5, 2)))).requires_grad_()
    image = torch.from_numpy(rng.normal(size=(2, 1, 12, 12))).requires_grad_()

    def layers(image: torch.Tensor, shape: torch.Tensor) -> tuple[torch.Tensor, ...]:
        similarity = estimate(shape, canonical)
        moved = similarity.apply(shape)
        restored = similarity.inverse().apply(moved + 1)
        return warp(image, similarity), landmark_heatmap(moved, 12, 50.0), restored

    assert torch.autograd.gradcheck(layers, (image, shape))


def test_grey_is_the_weighted_sum_of_blue_green_and_red() -> None:
    image = torch.tensor([1.0, 10.0, 100.0]).reshape(1, 3, 1, 1)
    assert to_grey(image).item() == pytest.approx(0.114 + 5.87 + 29.9, rel=1e-6)


def test_a_connection_returns_image_heatmap_and_feature_image() -> None:
    network = random_dan(PRESETS["lite"])
    (connect, dense), fc1 = connection_of(network), torch.rand(1, 192)
    grey, shape = torch.rand(1, 1, 112, 112), faces(1) * 0.8 + 20
    with torch.no_grad():
        result, similarity = connect(grey, shape, network.canonical, fc1)
    matrix = fitted_similarity(shape[0].double().numpy(), network.canonical.double().numpy())
    np.testing.assert_allclose(as_matrix(similarity, 0)[:2], matrix, atol=1e-4)
    canonical_points = torch.from_numpy(shape[0].numpy() @ matrix[:, :2].T + matrix[:, 2])
    torch.testing.assert_close(result[:, :1], warp(grey, similarity))
    heat = landmark_heatmap(canonical_points[None].float(), 112, 16)
    torch.testing.assert_close(result[:, 1:2], heat, atol=1e-3, rtol=0)
    weight, bias = dense.weight.detach().numpy(), dense.bias.detach().numpy()
    feature = np.maximum(weight @ fc1[0].numpy() + bias, 0)
    expected = np.kron(feature.reshape(56, 56), np.ones((2, 2)))  # each pixel, repeated
    np.testing.assert_allclose(result[0, 2].numpy(), expected, atol=1e-5)
