"""The words of a text as numbers, by a table that grows with the words.

Every kernel here is plain Python, compiled by numba (compilation.py); they are too slow uncompiled for a corpus.
"""

import numpy as np

LINE_FEED = 10
KEY_BYTES = 7
SPREAD = np.uint64(0x9E3779B97F4A7C15)


def number_tokens(data, first, behind, is_start, is_segmented, keys, places, offsets, known, arena, numbers):
    """Write the number of each token of UTF-8 bytes that starts in [first, behind); tokens are numbered as they come.

    Token 0 is white space: one for each piece of it, or if *is_segmented*, where it stands between words, for each end
    of a line. is_start: where tokens start. keys, places: a table of open addresses with room; the key of a token is
    its bytes, or for more than KEY_BYTES a hash, and its place the token's number. offsets (known + 1,), arena: where
    the bytes of the known tokens begin, and these bytes, a line feed behind each, with room.
    Returns the numbers written and the tokens known.
    """
    mask = len(keys) - 1
    written = 0
    position = first
    while position < behind:
        key = np.uint64(data[position])
        end = position + 1
        while end < len(data) and is_start[end] == 0:
            key = key << np.uint64(8) | np.uint64(data[end])
            end += 1
        if is_blank(data[position]):
            if not is_segmented or data[position] == LINE_FEED:
                numbers[written] = 0
                written += 1
            position = end
            continue
        is_long = end - position > KEY_BYTES
        if is_long:
            key = hash_of(data, position, end)
        slot = int(key * SPREAD >> np.uint64(20)) & mask
        while keys[slot] != 0:
            if keys[slot] == key and (not is_long or is_token(data, position, end, arena, offsets, places[slot])):
                break
            slot = slot + 1 & mask
        if keys[slot] == 0:
            keys[slot] = key
            places[slot] = known
            start = offsets[known]
            for place in range(position, end):
                arena[start + place - position] = data[place]
            arena[start + end - position] = LINE_FEED
            known += 1
            offsets[known] = start + end - position + 1
        numbers[written] = places[slot]
        written += 1
        position = end
    return written, known


def is_blank(byte):
    """Say whether a byte is white space, as str.split has it."""
    return byte == 32 or 9 <= byte <= 13 or 28 <= byte <= 31


def hash_of(data, first, behind):
    """Return the key of a token that is longer than a key: FNV-1a with the highest bit set, as in no shorter token."""
    value = np.uint64(0xCBF29CE484222325)
    for place in range(first, behind):
        value = (value ^ np.uint64(data[place])) * np.uint64(0x100000001B3)
    return value | np.uint64(1 << 63)


def is_token(data, first, behind, arena, offsets, number):
    """Say whether the bytes [first, behind) are those of a known token."""
    start = offsets[number]
    if offsets[number + 1] - start != behind - first + 1:
        return False
    for place in range(first, behind):
        if data[place] != arena[start + place - first]:
            return False
    return True


def move_tokens(keys, places, old_keys, old_places):
    """Put all entries of an old table into an empty larger one."""
    mask = len(keys) - 1
    for old in range(len(old_keys)):
        if old_keys[old] != 0:
            slot = int(old_keys[old] * SPREAD >> np.uint64(20)) & mask
            while keys[slot] != 0:
                slot = slot + 1 & mask
            keys[slot] = old_keys[old]
            places[slot] = old_places[old]
