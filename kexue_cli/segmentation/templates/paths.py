"""The paths through clauses whose words are linked: how many there are, and how often each begins alike.

A corpus is one array of word numbers in which 0 separates clauses. An edge leads from a word to a later one of its
clause, at most *window* words on, if the two make a bound pair. A path goes from a word that no edge leads to along
edges to a word that no edge leaves.

Letters: n words and separators of the corpus; m entries of a frontier: the places where paths of one length stand.
Every kernel here is plain Python, compiled by numba (compilation.py); they are too slow uncompiled for a corpus.
"""

import numpy as np

KEY_SHIFT = 32  # key of two numbers: first << KEY_SHIFT | second
GAP = 1 << 31  # in the second number of a key: words were passed over before the word
LEADING = 0  # number of the empty beginning that stands behind a gap; START of the one at the clause's first word
START = 1


def slot_of(keys, key):
    """Return where a key stands in a table of open addresses, or the free slot (0) where it would. Keys are not 0."""
    mask = len(keys) - 1
    spread = np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)
    slot = int(spread >> np.uint64(20)) & mask
    while keys[slot] != 0 and keys[slot] != key:
        slot = slot + 1 & mask
    return slot


def add_to_table(keys, values, old_keys, old_values):
    """Put all entries of an old table into an empty larger one."""
    for old in range(len(old_keys)):
        if old_keys[old] != 0:
            slot = slot_of(keys, old_keys[old])
            keys[slot] = old_keys[old]
            values[slot] = old_values[old]


def bucket_of(one, other, size):
    """Return the bucket that a pair is counted in before it has a place of its own; size: a power of 2."""
    spread = (np.uint64(one) << np.uint64(KEY_SHIFT) | np.uint64(other)) * np.uint64(0x9E3779B97F4A7C15)
    return int(spread >> np.uint64(40)) & size - 1


def count_buckets(ids, first, behind, window, numbers, buckets):
    """Count pairs as count_pairs does, many in a bucket: no pair occurs more often than its bucket has it."""
    local = numbers[ids[first:behind]]
    for place in range(len(local)):
        one = local[place]
        if one == 0:
            continue
        for other_place in range(place + 1, min(place + window + 1, len(local))):
            other = local[other_place]
            if other != 0:
                buckets[bucket_of(one, other, len(buckets))] += 1
            elif ids[first + other_place] == 0:
                break


def count_pairs(ids, first, behind, window, numbers, buckets, least, keys, totals):
    """Count ordered pairs of words at most *window* apart in the whole clauses of ids[first:behind].

    numbers: of each word, among those that may be in a bound pair, 0 for others. buckets: made by count_buckets; pairs
    of one with *least* or fewer are left out. keys, totals: the table, with room. Returns the number of new keys.
    """
    added = 0
    local = numbers[ids[first:behind]]
    for place in range(len(local)):
        one = local[place]
        if one == 0:
            continue
        for other_place in range(place + 1, min(place + window + 1, len(local))):
            other = local[other_place]
            if other == 0:
                if ids[first + other_place] == 0:
                    break
                continue
            if buckets[bucket_of(one, other, len(buckets))] <= least:
                continue
            slot = slot_of(keys, int(one) << KEY_SHIFT | int(other))
            if keys[slot] == 0:
                keys[slot] = int(one) << KEY_SHIFT | int(other)
                added += 1
            totals[slot] += 1
    return added


def link_words(ids, first, behind, window, numbers, bound, edges, bounds, most):
    """Find the edges and count the paths of the clauses in ids[first:behind], which end with a separator.

    bound: table of the bound pairs. edges (n,): set to bits, bit d - 1 for an edge to the word d places on.
    bounds (n,): set to the most paths from a word on that can look alike, see link_clause.
    Clauses with more than *most* paths are made separators.
    Returns the paths, the clauses, the clauses left out, and the paths of the largest clause.
    """
    total = 0.0
    largest = 0.0
    clauses = 0
    left_out = 0
    local = numbers[ids[first:behind]]
    ways = np.empty(behind - first)
    start = first
    while start < behind:
        end = start
        while ids[end] != 0:
            end += 1
        if end > start:
            one, other = start - first, end - first
            paths = link_clause(
                ids[start:end], window, local[one:other], bound, edges[start:end], ways[one:other], bounds[start:end]
            )
            largest = max(largest, paths)
            if paths > most:
                ids[start:end] = 0
                left_out += 1
            else:
                total += paths
                clauses += 1
        start = end + 1
    return total, clauses, left_out, largest


def link_clause(ids, window, numbers, bound, edges, ways, bounds):
    """Find the edges of a clause and return how many paths it has.

    numbers: of its words. ways: set to the paths from a word on. bounds: set to the most paths from a word on that can
    look alike: of the words that edges lead to, those that are the same word, and all behind a gap or all not, count
    together, and the best such group counts.
    """
    size = len(ids)
    for place in range(size - 1, -1, -1):
        one = numbers[place]
        bits = 0
        count = 0.0
        best = 0.0
        for distance in range(1, min(window, size - 1 - place) + 1 if one != 0 else 0):
            other = numbers[place + distance]
            if other == 0 or bound[slot_of(bound, int(one) << KEY_SHIFT | int(other))] == 0:
                continue
            bits |= 1 << distance - 1
            count += ways[place + distance]
            alike = bounds[place + distance]
            for nearer in range(2, distance):
                if bits >> nearer - 1 & 1 and ids[place + nearer] == ids[place + distance]:
                    alike += bounds[place + nearer]
            best = max(best, alike)
        edges[place] = bits
        ways[place] = count if bits else 1.0
        bounds[place] = best if bits else 1.0
    paths = 0.0
    reached = 0  # bit d: an edge leads to the word d places on
    for place in range(size):
        if reached & 1 == 0:
            paths += ways[place]
        reached = reached >> 1 | edges[place]
    return paths


def first_frontier(ids, edges, first, behind, window, places, beginnings, lone):
    """Write the words in [first, behind) at which paths of several words begin, each with LEADING or START.

    A place that is written is that of the word, which weigh and extend take first. ids[first] must begin a clause or
    separate two. lone (4, words): counts of paths of a single word; the row is 2 * LEADING or START, + 1 if
    its clause ends there. Returns the number written.
    """
    written = 0
    start = first
    reached = 0  # bit d: an edge leads to the word d places on; none leads beyond a clause
    for place in range(first, behind):
        is_source = reached & 1 == 0
        reached = reached >> 1 | edges[place]
        if ids[place] == 0:
            start = place + 1
        elif is_source:
            beginning = START if place == start else LEADING
            if edges[place] == 0:
                lone[2 * beginning + (1 if ids[place + 1] == 0 else 0), ids[place]] += 1
                continue
            places[written] = place
            beginnings[written] = beginning
            written += 1
    return written


def weigh(ids, edges, bounds, window, places, beginnings, counts, is_first, keys, sums):
    """Add up how many paths at most go on alike, for each beginning one word longer than those of a frontier.

    places, beginnings, counts (m,): the frontier. is_first: whether the words to take are those at the places
    themselves. keys, sums: the table by beginning and word, with room. Returns the number of new keys.
    """
    added = 0
    for entry in range(len(places)):
        place = places[entry]
        bits = 1 if is_first else edges[place]
        distance = 0 if is_first else 1
        while bits != 0:
            if bits & 1:
                key = key_of(beginnings[entry], ids[place + distance], distance)
                slot = slot_of(keys, key)
                if keys[slot] == 0:
                    keys[slot] = key
                    added += 1
                sums[slot] += counts[entry] * bounds[place + distance]
            bits >>= 1
            distance += 1
    return added


def key_of(beginning, word, distance):
    """Return the key of a beginning with one more word. It is never 0: words are numbered from 1."""
    return int(beginning) << KEY_SHIFT | (GAP if distance > 1 else 0) | int(word)


def extend(
    ids,
    edges,
    window,
    places,
    beginnings,
    counts,
    is_first,
    keys,
    numbers,
    ends,
    new_places,
    new_beginnings,
    new_counts,
):
    """Write the frontier of the beginnings that are one word longer; return its length.

    numbers: of each slot of the table made by weigh, the number of the longer beginning, -1 if it is too rare.
    ends (2, beginnings): gets the counts of the paths that end, where words follow and where the clause ends; they are
    not written.
    """
    written = 0
    for entry in range(len(places)):
        place = places[entry]
        bits = 1 if is_first else edges[place]
        distance = 0 if is_first else 1
        while bits != 0:
            if bits & 1:
                number = numbers[slot_of(keys, key_of(beginnings[entry], ids[place + distance], distance))]
                if number >= 0 and edges[place + distance] == 0:
                    ends[1 if ids[place + distance + 1] == 0 else 0, number] += counts[entry]
                elif number >= 0:
                    new_places[written] = place + distance
                    new_beginnings[written] = number
                    new_counts[written] = counts[entry]
                    written += 1
            bits >>= 1
            distance += 1
    return written


def merge_alike(order, places, beginnings, counts):
    """Keep one of the entries at the same place with the same beginning, in place, with all their counts.

    order (m,): that of the entries by place and beginning. Returns what is left, in that order, as three arrays.
    """
    kept_places = np.empty_like(places)
    kept_beginnings = np.empty_like(beginnings)
    kept_counts = np.empty_like(counts)
    written = 0
    for index in range(len(order)):
        entry = order[index]
        last = written - 1
        if written and kept_places[last] == places[entry] and kept_beginnings[last] == beginnings[entry]:
            kept_counts[last] += counts[entry]
            continue
        kept_places[written] = places[entry]
        kept_beginnings[written] = beginnings[entry]
        kept_counts[written] = counts[entry]
        written += 1
    return kept_places[:written], kept_beginnings[:written], kept_counts[:written]
