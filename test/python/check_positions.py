"""Compares the positions of rows, group by group, with the order read forwards, for random groups and orders.

The arguments are a seed and how many epochs to try.
"""

import random
import sys

import numpy as np

from icecore.group_positions import GroupPositions
from icecore.order import LANES, SHUFFLES, EpochOrder, Span
from icecore.permutation import order_words, permute, unpermute


def differing(chance: random.Random) -> bool:
    groups = [chance.choice([0, 1, 2, chance.randrange(300), chance.randrange(200_000)]) for _ in range(chance.randrange(9))]
    of = {"shuffle": chance.choice(SHUFFLES), "seed": chance.randrange(-9, 9), "epoch": chance.randrange(3)}
    order = EpochOrder(groups, lanes=chance.choice(LANES), **of)
    read = order.read(Span(0, order.rows, 0, order.lanes))
    positions = GroupPositions(order.rows, lanes=order.lanes, **of)
    for place, rows in enumerate(groups):
        placed = order.placed(place)
        if (placed is None) != (rows == 0):
            return True
        if placed is None:
            continue
        found = np.concatenate(list(positions.blocks(placed)))
        if not (np.array_equal(read.groups[found], np.full(rows, place)) and np.array_equal(read.indices[found], np.arange(rows))):
            return True
    return False


def turned(chance: random.Random) -> bool:
    count = chance.choice([1, 2, 255, 256, 257, chance.randrange(1, 10_000), chance.randrange(1, 2**53)])
    words = order_words("all", chance.randrange(99), 0)
    indices = np.array([chance.randrange(count) for _ in range(50)], np.uint64)
    return not np.array_equal(unpermute(permute(indices.copy(), count, words), count, words), indices)


chance = random.Random(int(sys.argv[1]))
tries = range(int(sys.argv[2]))
print(f"{sum(differing(chance) for _ in tries)} epochs and {sum(turned(chance) for _ in tries)} permutations of {len(tries)} differ")
