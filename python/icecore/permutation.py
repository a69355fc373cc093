"""The hash, the words of an epoch, and permutations that are computed and not stored (docs/order.md)."""

import hashlib
from typing import Literal

import numpy as np
from numpy.typing import NDArray

ORDER_NAME = "icecore-order/1"

Purpose = Literal["groups", "rows", "all"]
Words = NDArray[np.uint32]

#: Over fewer bits, some permutations of five or six groups would come out more often than others.
_NETWORK_BITS_MIN = 8


def mix32(values: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """A bijection of 32-bit numbers in which every bit of the input sways every bit of the outcome."""
    # In place: memory that is new is dearer than what is done with it.
    mixed = values >> np.uint32(16)
    mixed ^= values
    mixed *= np.uint32(0x21F0AAAD)
    mixed ^= mixed >> np.uint32(15)
    mixed *= np.uint32(0x735A2D97)
    mixed ^= mixed >> np.uint32(15)
    return mixed


def order_words(purpose: Purpose, seed: int, epoch: int) -> Words:
    """The eight 32-bit words from which everything random of an epoch follows."""
    digest = hashlib.sha256(f"{ORDER_NAME}:{purpose}:{seed}:{epoch}".encode()).digest()
    return np.frombuffer(digest, dtype="<u4").astype(np.uint32)


def permute(indices: NDArray[np.uint64], count: int, words: Words) -> NDArray[np.uint64]:
    """The images of indices below `count` in the permutation of the numbers below `count` that the words make.

    A Feistel network of one round a word over as many bits as hold them, and at least eight, walked on where it
    leaves the range. Raises ValueError for a count beyond 2^53 - 1.
    """
    if not 0 <= count < 2**53:
        raise ValueError(f"A permutation of {count} rows cannot be computed: 2^53 - 1 are the most.")
    if count <= 1:
        return np.zeros_like(indices)
    bits = max(_NETWORK_BITS_MIN, (count - 1).bit_length())
    images = _encrypt(indices, bits, words)
    outside = np.flatnonzero(images >= count)
    while outside.size > 0:
        images[outside] = _encrypt(images[outside], bits, words)
        outside = outside[images[outside] >= count]
    return images


def unpermute(images: NDArray[np.uint64], count: int, words: Words) -> NDArray[np.uint64]:
    """The indices that `permute` takes to these images."""
    if not 0 <= count < 2**53:
        raise ValueError(f"A permutation of {count} rows cannot be computed: 2^53 - 1 are the most.")
    if count <= 1:
        return np.zeros_like(images)
    bits = max(_NETWORK_BITS_MIN, (count - 1).bit_length())
    indices = _decrypt(images, bits, words)
    outside = np.flatnonzero(indices >= count)
    while outside.size > 0:
        indices[outside] = _decrypt(indices[outside], bits, words)
        outside = outside[indices[outside] >= count]
    return indices


def _encrypt(values: NDArray[np.uint64], bits: int, words: Words) -> NDArray[np.uint64]:
    low_bits = bits // 2
    left_mask = np.uint32((1 << (bits - low_bits)) - 1)
    right_mask = np.uint32((1 << low_bits) - 1)
    left = (values >> np.uint64(low_bits)).astype(np.uint32)
    right = values.astype(np.uint32) & right_mask
    for word in words:
        left, right = right, (left ^ mix32(right + word)) & left_mask
        left_mask, right_mask = right_mask, left_mask
    return (left.astype(np.uint64) << np.uint64(low_bits)) | right.astype(np.uint64)


def _decrypt(values: NDArray[np.uint64], bits: int, words: Words) -> NDArray[np.uint64]:
    low_bits = bits // 2
    masks = (np.uint32((1 << (bits - low_bits)) - 1), np.uint32((1 << low_bits) - 1))
    left = (values >> np.uint64(low_bits)).astype(np.uint32)
    right = values.astype(np.uint32) & masks[1]
    for turn in reversed(range(len(words))):
        left, right = (right ^ mix32(left + words[turn])) & masks[turn % 2], left
    return (left.astype(np.uint64) << np.uint64(low_bits)) | right.astype(np.uint64)
