"""How well orders of an epoch mix rows that are sorted by their label, and what a model learns from an epoch of each.

quality.py GROUPS ROWS_OF_A_GROUP SEEDS
Prints a JSON object a line: `order`, and the means over the seeds of

- displacements: the greatest distance between the distribution of |place after - place before| / rows and that of a
  uniform permutation, 2d - d^2 (0 is uniform, 1 the worst);
- lagN: the correlation of the labels of rows that lie N apart;
- batches: the variance of a batch's mean label, over what a uniform order's has (1 is uniform);
- accuracy, worst: the share of test rows that the model gets right after the epoch, and that of the worst seed.
"""

import json
import sys

import numpy as np
from numpy.typing import NDArray
from orders import ORDERS, Order

CLASSES = 10
FEATURES = 16
HIDDEN = 32
BATCH = 256
LEARNING_RATE = 0.05
LAGS = (1, 8, 64, 1024)
TEST_ROWS = 20_000

Floats = NDArray[np.float32]


class Rows:
    """Points around a centre for each class, sorted by the class."""

    def __init__(self, count: int) -> None:
        random = np.random.default_rng(0)
        self._centres = random.normal(scale=0.6, size=(CLASSES, FEATURES)).astype(np.float32)
        self.labels = np.arange(count) * CLASSES // count
        self.features = self._points(self.labels, random)
        self.test_labels = random.integers(CLASSES, size=TEST_ROWS)
        self.test_features = self._points(self.test_labels, random)

    def _points(self, labels: NDArray[np.int64], random: np.random.Generator) -> Floats:
        points = random.standard_normal((labels.size, FEATURES), dtype=np.float32)
        points += self._centres[labels]
        return points


def displacement_distance(order: Order) -> float:
    rows = order.size
    displacements = np.sort(np.abs(order - np.arange(rows)) / rows)
    uniform = 2 * displacements - displacements**2
    ranks = np.arange(rows) / rows
    return float(max(np.abs(ranks - uniform).max(), np.abs(ranks + 1 / rows - uniform).max()))


def autocorrelation(labels: NDArray[np.float64], lag: int) -> float:
    centred = labels - labels.mean()
    return float((centred[lag:] * centred[:-lag]).mean() / (centred**2).mean())


def batch_spread(labels: NDArray[np.float64]) -> float:
    means = labels[: labels.size // BATCH * BATCH].reshape(-1, BATCH).mean(axis=1)
    return float(((means - labels.mean()) ** 2).mean() / (labels.var() / BATCH))


def accuracy_after_epoch(rows: Rows, order: Order, seed: int) -> float:
    """One hidden layer, plain stochastic gradient descent at a constant rate."""
    random = np.random.default_rng(seed)
    w1 = random.normal(scale=FEATURES**-0.5, size=(FEATURES, HIDDEN)).astype(np.float32)
    w2 = random.normal(scale=HIDDEN**-0.5, size=(HIDDEN, CLASSES)).astype(np.float32)
    b1, b2 = np.zeros(HIDDEN, np.float32), np.zeros(CLASSES, np.float32)
    step = np.float32(LEARNING_RATE / BATCH)
    everyone = np.arange(BATCH)
    for start in range(0, order.size - BATCH + 1, BATCH):
        batch = order[start : start + BATCH]
        x = rows.features[batch]
        hidden = np.maximum(x @ w1 + b1, 0)
        scores = hidden @ w2 + b2
        scores -= scores.max(axis=1, keepdims=True)
        error = np.exp(scores)
        error /= error.sum(axis=1, keepdims=True)
        error[everyone, rows.labels[batch]] -= 1
        back = error @ w2.T
        back[hidden <= 0] = 0
        w2 -= step * (hidden.T @ error)
        b2 -= step * error.sum(axis=0)
        w1 -= step * (x.T @ back)
        b1 -= step * back.sum(axis=0)
    guesses = (np.maximum(rows.test_features @ w1 + b1, 0) @ w2 + b2).argmax(axis=1)
    return float((guesses == rows.test_labels).mean())


def main() -> None:
    groups, group_rows, seeds = (int(argument) for argument in sys.argv[1:4])
    rows = Rows(groups * group_rows)
    for name, order_of in ORDERS.items():
        figures: list[dict[str, float]] = []
        for seed in range(1, seeds + 1):
            order = order_of(groups, group_rows, seed)
            assert np.array_equal(np.bincount(order, minlength=order.size), np.ones(order.size)), name
            labels = rows.labels[order].astype(np.float64)
            figures.append(
                {"displacements": displacement_distance(order)}
                | {f"lag{lag}": autocorrelation(labels, lag) for lag in LAGS}
                | {"batches": batch_spread(labels), "accuracy": accuracy_after_epoch(rows, order, seed)}
            )
        means = {figure: float(np.mean([each[figure] for each in figures])) for figure in figures[0]}
        print(json.dumps({"order": name, **means, "worst": min(each["accuracy"] for each in figures)}), flush=True)


main()
