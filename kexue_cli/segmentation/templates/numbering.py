"""The words of a text as numbers, by a table that grows with the words.

Every kernel here is plain Python, compiled by numba (compilation.py); they are too slow uncompiled for a corpus.
"""

import numpy as np

LINE_FEED = 10
BLANK = 2  # in is_start, where it is else 0 or 1
KEY_BYTES = 7
SPREAD = np.uint64(0x9E3779B97F4A7C15)


def number_tokens(data, first, behind, is_start, keys, places, offsets, known, arena, numbers):
    """Write the number of each token of UTF-8 bytes that starts in [first, behind); tokens are numbered as they come.

    Token 0 is white space; where is_start is BLANK nothing is written. is_start: where tokens start. keys, places: a
    table of open addresses with room; the key of a token is its bytes, or for more than KEY_BYTES a hash, and its place
    the token's number. offsets (known + 1,), arena: where the bytes of the known tokens begin, and these bytes, a line
    feed behind each, with room.
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
        if is_start[position] == BLANK:
            position = end
            continue
        if is_blank(data[position]):
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


def word_starts(data, is_start):
    """Mark in zeros where words start that white space separates, and each end of a line; other white space is BLANK.

    data: UTF-8. White space is what str.split takes for it.
    """
    is_behind_blank = True
    for place in range(len(data)):
        byte = data[place]
        if byte & 0xC0 == 0x80:
            continue  # within a character
        if is_blank(byte) or ((byte == 0xC2 or 0xE1 <= byte <= 0xE3) and is_wide_blank(data, place)):
            is_start[place] = 1 if byte == LINE_FEED else BLANK
            is_behind_blank = True
        else:
            is_start[place] = is_behind_blank
            is_behind_blank = False


def is_blank(byte):
    """Say whether a byte is white space."""
    return byte == 32 or 9 <= byte <= 13 or 28 <= byte <= 31


def is_wide_blank(data, place):
    """Say whether the character at a place, of two bytes or three, is white space."""
    code = (data[place] & 31) << 6 | (data[place + 1] & 63)
    if data[place] >= 0xE0:
        code = (data[place] & 15) << 12 | (data[place + 1] & 63) << 6 | (data[place + 2] & 63)
    if 0x2000 <= code <= 0x200A or code == 0x2028 or code == 0x2029 or code == 0x202F or code == 0x205F:
        return True
    return code == 0x85 or code == 0xA0 or code == 0x1680 or code == 0x3000


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
