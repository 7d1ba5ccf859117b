"""A double-array trie over characters: words to weights, read in place from a file.

A node is one 64-bit unit: weight (20 bits, signed) << 44 | base (28 bits) << 16 | label (16 bits).
The child of a node for the character with label x stands at base + x and bears the label x; no two
nodes share a base, so the label alone proves the parent. Labels number the characters of the lexicon,
most frequent first; characters that are written differently but mean the same (traditional forms) may
share one. Unit 0 is the root. A weight is a whole number of 1/WEIGHT_SCALE nats.

Article: double arrays, Aoe 1989; one unit a node as in Yata's Darts-clone, characters instead of bytes.
"""

from kexue_cli.segmentation.rules import LABEL_MASK
from kexue_cli.segmentation.viterbi import BASE_MASK, BASE_SHIFT, NO_WEIGHT, WEIGHT_SHIFT

WEIGHT_SCALE = 2048  # of a nat, so a weight lies within +-256 nats
NODE_MASK = (1 << WEIGHT_SHIFT) - 1  # base and label of a unit


def has_room(letters, units, first, behind, depth, base):
    """Say whether the children of a node, the words [first, behind) at *depth*, all find free places at *base*."""
    word = first
    while word < behind:
        label = letters[word][depth]
        if units[base + label] != 0:
            return False
        word += 1
        while word < behind and letters[word][depth] == label:
            word += 1
    return True


def insert_words(letters, lengths, weights, patience, units, places, next_free, previous_free, base_used, work):
    """Build the trie of sorted distinct words; return the number of units used, or -1 if *units* is too short.

    letters (w, l): labels of each word, 0 beyond its end; lengths, weights (w,): of each word, see WEIGHT_SCALE.
    patience: places tried for one node before later nodes start their search behind them; more of it makes a
    smaller trie in more time. units (u,): filled with 0. places (w,): set to the unit at which each word ends.
    next_free, previous_free (u,): work space, a ring of free places. base_used (u,): filled with 0.
    work (4, q): a queue of nodes: first word, behind the last word, depth, place.
    """
    room = len(units)
    for place in range(room):
        next_free[place] = place + 1
        previous_free[place] = place - 1
    first_free = 1  # place 0 is the root
    search_from = 1
    last = 0  # the highest place used
    head = 0
    tail = 1
    work[0][0] = 0
    work[1][0] = len(lengths)
    work[2][0] = 0
    work[3][0] = 0
    units[0] = NO_WEIGHT << WEIGHT_SHIFT
    while head < tail:
        first = work[0][head]
        behind = work[1][head]
        depth = work[2][head]
        node = work[3][head]
        head += 1
        if first < behind and lengths[first] == depth:
            units[node] = units[node] & NODE_MASK | weights[first] << WEIGHT_SHIFT
            places[first] = node
            first += 1
        if first == behind:
            continue
        lowest = letters[first][depth]
        highest = letters[behind - 1][depth]
        is_single = lowest == highest
        base = 0
        place = first_free if is_single else search_from
        tried = 0
        while base == 0:
            if place + highest - lowest >= room:
                return -1
            candidate = place - lowest
            if (
                candidate > 0
                and base_used[candidate] == 0
                and has_room(letters, units, first, behind, depth, candidate)
            ):
                base = candidate
            else:
                tried += 1
                place = next_free[place]
        if tried > patience and not is_single:
            search_from = place  # what lies before is too full to be searched again for several children
        base_used[base] = 1
        units[node] = units[node] | base << BASE_SHIFT
        word = first
        while word < behind:
            label = letters[word][depth]
            child = base + label
            units[child] = NO_WEIGHT << WEIGHT_SHIFT | label
            before = previous_free[child]
            after = next_free[child]
            next_free[before] = after
            if after < room:
                previous_free[after] = before
            if child == first_free:
                first_free = after
            if child == search_from:
                search_from = after
            if child > last:
                last = child
            work[0][tail] = word
            word += 1
            while word < behind and letters[word][depth] == label:
                word += 1
            work[1][tail] = word
            work[2][tail] = depth + 1
            work[3][tail] = child
            tail += 1
    return last + 1


def find_words(letters, lengths, units, places):
    """Set places (w,) to the unit at which each word ends in the trie, -1 where it is no word of it."""
    for word in range(len(lengths)):
        node = 0
        for depth in range(lengths[word]):
            label = letters[word][depth]
            child = (units[node] >> BASE_SHIFT & BASE_MASK) + label
            if label == 0 or units[child] & LABEL_MASK != label:
                node = -1
                break
            node = child
        places[word] = node if node >= 0 and units[node] >> WEIGHT_SHIFT != NO_WEIGHT else -1
