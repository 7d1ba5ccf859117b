"""Exact counts of all n-grams of a corpus, in memory or through sorted runs on disk.

A corpus is encoded as one array of 16-bit characters in which 0 separates runs of text. The DEPTH characters at
each position are packed into a key; the keys are sorted by radix. n-grams of every length n <= DEPTH then stand
side by side, so one walk counts them all. A run is the distinct keys with their counts; runs are merged by key.

Letters: c characters of the corpus; n positions; u distinct DEPTH-grams; g n-grams of one length.
Every kernel here is plain Python, compiled by numba (compilation.py); they are too slow uncompiled for a corpus.
"""

import numpy as np

DEPTH = 6  # characters; words of up to DEPTH - 1 have counted neighbours on both sides
SMALL_BUCKET = 32  # keys; up to here, insertion sort
LARGEST_DIGIT = 13  # bits


def encode_block(data, size, table, accepted, codes):
    """Write the characters of UTF-8 bytes data[0:size] whose kind bit is in *accepted* to codes, 0 for any others.

    Neighbouring zeros are written once. Characters beyond U+FFFF count as separators.
    codes: room for size + 1 characters. Returns the number written; the last one is 0.
    """
    written = 0
    position = 0
    last = 0
    while position < size:
        lead = int(data[position])
        if 0xE0 <= lead < 0xF0:
            code = (lead & 0x0F) << 12 | (int(data[position + 1]) & 0x3F) << 6 | int(data[position + 2]) & 0x3F
            position += 3
        elif lead < 0x80:
            code = lead
            position += 1
        elif lead < 0xE0:
            code = (lead & 0x1F) << 6 | int(data[position + 1]) & 0x3F
            position += 2
        else:
            code = 0
            position += 4
        if code != 0 and not accepted >> (int(table[code]) >> 16 & 15) & 1:
            code = 0
        if code != 0 or last != 0:
            codes[written] = code
            written += 1
        last = code
    if last != 0:
        codes[written] = 0
        written += 1
    return written


def pack_grams(ranks, bits, high, low):
    """Write the DEPTH-gram at each position of a text as a key of two words; return their number n.

    ranks (c,): rank of each character among those of the text, below 2 ** bits, 0 between runs of text. A gram ends
    where its run does; what is beyond counts as 0. high, low (n,): the first four ranks and the last two.
    """
    mask = (1 << bits) - 1
    first = 0
    rest = 0
    written = 0
    for position in range(len(ranks) - 1, -1, -1):
        rank = int(ranks[position])
        if rank == 0:
            first = 0
            rest = 0
            continue
        rest = rest >> bits | (first & mask) << bits
        first = first >> bits | rank << 3 * bits
        high[written] = first
        low[written] = rest
        written += 1
    return written


def radix_pass(high, low, high_out, low_out, first, behind, word, shift, width, counts):
    """Sort the keys [first, behind) stably by *width* bits of their high (word 0) or low word into the output arrays.

    Returns False, and moves nothing, if all have the same bits. counts: room for 2 ** width + 1 integers.
    """
    mask = (1 << width) - 1
    counts[: mask + 2] = 0
    for index in range(first, behind):
        digit = (high[index] if word == 0 else low[index]) >> shift & mask
        counts[digit + 1] += 1
    digit = (high[first] if word == 0 else low[first]) >> shift & mask
    if counts[digit + 1] == behind - first:
        return False
    counts[0] = first
    for digit in range(1, mask + 1):
        counts[digit] += counts[digit - 1]
    for index in range(first, behind):
        digit = (high[index] if word == 0 else low[index]) >> shift & mask
        place = counts[digit]
        counts[digit] = place + 1
        high_out[place] = high[index]
        low_out[place] = low[index]
    return True


def sort_small(high, low, first, behind):
    """Sort the few keys [first, behind) in place."""
    for index in range(first + 1, behind):
        key = high[index]
        rest = low[index]
        place = index
        while place > first and (high[place - 1] > key or (high[place - 1] == key and low[place - 1] > rest)):
            high[place] = high[place - 1]
            low[place] = low[place - 1]
            place -= 1
        high[place] = key
        low[place] = rest


def digit_width(size):
    """Return the bits to sort by at a time: with few keys, clearing the counts would cost more than a pass saves."""
    if size > 8000:
        return LARGEST_DIGIT
    return 9 if size > 1500 else 7


def sort_grams(high, low, high_work, low_work, bits, counts):
    """Sort keys made by pack_grams in place: once by the first character, then each bucket, which fits in the cache.

    high_work, low_work: as long as high and low. counts: room for 2 ** max(bits, LARGEST_DIGIT) + 1 integers.
    """
    total = len(high)
    if not radix_pass(high, low, high_work, low_work, 0, total, 0, 3 * bits, bits, counts):
        high_work[:] = high
        low_work[:] = low
    first = 0
    while first < total:
        bucket = high_work[first] >> 3 * bits
        behind = first + 1
        while behind < total and high_work[behind] >> 3 * bits == bucket:
            behind += 1
        if behind - first <= SMALL_BUCKET:
            sort_small(high_work, low_work, first, behind)
            high[first:behind] = high_work[first:behind]
            low[first:behind] = low_work[first:behind]
            first = behind
            continue
        is_in_work = True
        for word in (1, 0):
            end = 2 * bits if word == 1 else 3 * bits
            shift = 0
            while shift < end:
                width = min(digit_width(behind - first), end - shift)
                if is_in_work:
                    has_moved = radix_pass(high_work, low_work, high, low, first, behind, word, shift, width, counts)
                else:
                    has_moved = radix_pass(high, low, high_work, low_work, first, behind, word, shift, width, counts)
                is_in_work = is_in_work != has_moved
                shift += width
        if is_in_work:
            high[first:behind] = high_work[first:behind]
            low[first:behind] = low_work[first:behind]
        first = behind


def unique_grams(high, low, bits, alphabet, counts):
    """Keep one of each sorted key, in place, as code points of 16 bits each; return the number u of distinct keys.

    alphabet: code point of each rank. counts (n,): set to how often each key occurs.
    """
    mask = (1 << bits) - 1
    written = 0
    index = 0
    while index < len(high):
        key = high[index]
        rest = low[index]
        behind = index + 1
        while behind < len(high) and high[behind] == key and low[behind] == rest:
            behind += 1
        first = 0
        for place in range(3, -1, -1):
            first = first << 16 | int(alphabet[key >> place * bits & mask])
        high[written] = first
        low[written] = int(alphabet[rest >> bits & mask]) << 16 | int(alphabet[rest & mask])
        counts[written] = behind - index
        written += 1
        index = behind
    return written


def sink_run(order, size, place, high, low, heads):
    """Let the run at a place of the heap order[0:size] sink until the runs below it begin with greater keys."""
    run = order[place]
    key = high[run, heads[run]]
    rest = low[run, heads[run]]
    while 2 * place + 1 < size:
        child = 2 * place + 1
        below = order[child]
        if child + 1 < size:
            other = order[child + 1]
            here = high[other, heads[other]]
            there = high[below, heads[below]]
            if here < there or (here == there and low[other, heads[other]] < low[below, heads[below]]):
                child += 1
                below = other
        there = high[below, heads[below]]
        if there > key or (there == key and low[below, heads[below]] >= rest):
            break
        order[place] = below
        place = child
    order[place] = run


def merge_runs(high, low, counts, heads, fills, merged_high, merged_low, merged_counts):
    """Merge the sorted keys of r runs, adding up equal ones, until a run's buffer is empty or the output is full.

    high, low, counts (r, n): buffers; run i stands in columns heads[i] to fills[i], and heads are moved on.
    A run that has come to its end has heads[i] = fills[i] when it is called; all others have keys.
    Returns the number of keys written.
    """
    order = np.empty(len(heads), np.int64)  # a heap, the run with the smallest key first
    size = 0
    for run in range(len(heads)):
        if heads[run] < fills[run]:
            order[size] = run
            size += 1
    for place in range(size // 2 - 1, -1, -1):
        sink_run(order, size, place, high, low, heads)
    room = len(merged_high)
    written = 0
    is_empty = False
    while written < room and size > 0 and not is_empty:
        key = high[order[0], heads[order[0]]]
        rest = low[order[0], heads[order[0]]]
        total = 0
        while size > 0 and high[order[0], heads[order[0]]] == key and low[order[0], heads[order[0]]] == rest:
            run = order[0]
            total += counts[run, heads[run]]
            heads[run] += 1
            if heads[run] == fills[run]:
                is_empty = True
                size -= 1
                order[0] = order[size]
            if size > 0:
                sink_run(order, size, 0, high, low, heads)
        merged_high[written] = key
        merged_low[written] = rest
        merged_counts[written] = total
        written += 1
    return written


def add_grams(high, low, counts, size, least, path, open_nodes, depth, characters, parents, lengths, totals, used):
    """Add sorted distinct DEPTH-grams to the tree of n-grams; a node is one n-gram of 1 to DEPTH characters.

    characters, parents, lengths, totals: the nodes in lexicographic order; *used* of them exist, and there is
    room for DEPTH * size more. A node whose total stays below *least* is dropped when it is closed.
    path, open_nodes (DEPTH + 1,), depth (1,): the open branch, kept from call to call; size 0 closes it.
    Returns the number of nodes.
    """
    branch = np.zeros(DEPTH + 1, np.int64)
    for index in range(size if size > 0 else 1):
        length = 0
        common = 0
        if size > 0:
            for offset in range(DEPTH):
                word = high[index] if offset < 4 else np.uint64(low[index])
                code = int(word >> np.uint64(16 * ((3 - offset) if offset < 4 else (5 - offset)))) & 0xFFFF
                if code == 0:
                    break
                length = offset + 1
                branch[length] = code
            while common < length and common < depth[0] and branch[common + 1] == path[common + 1]:
                common += 1
        for level in range(depth[0], common, -1):
            if totals[open_nodes[level]] < least:
                used = open_nodes[level]
        for level in range(common + 1, length + 1):
            path[level] = branch[level]
            open_nodes[level] = used
            characters[used] = branch[level]
            parents[used] = open_nodes[level - 1] if level > 1 else -1
            lengths[used] = level
            totals[used] = 0
            used += 1
        depth[0] = length
        if size > 0:
            for level in range(1, length + 1):
                totals[open_nodes[level]] += counts[index]
    return used


def link_suffixes(characters, parents, first_child, behind_child, roots, suffixes, start):
    """Set suffixes[x] of each node x >= start to the node of its n-gram without the first character.

    The nodes are sorted by length and then by their characters, so the children of a node stand together:
    first_child[x] to behind_child[x]. roots (65536,): node of each single character.
    """
    for node in range(start, len(characters)):
        shorter = suffixes[parents[node]]
        if shorter < 0:
            suffixes[node] = roots[characters[node]]
            continue
        low = first_child[shorter]
        high = behind_child[shorter]
        while low < high:
            middle = (low + high) // 2
            if characters[middle] < characters[node]:
                low = middle + 1
            else:
                high = middle
        suffixes[node] = low


def count_tokens(data, size, is_start, units, table, totals):
    """Add 1 to totals[p] for each token of a cut block that is a word of the trie, p the unit at which it ends."""
    position = 0
    while position < size:
        behind = position + 1
        while behind < size and is_start[behind] == 0:
            behind += 1
        place = 0
        unit = units[0]
        while position < behind:
            lead = int(data[position])
            if lead < 0xE0 or lead >= 0xF0:
                place = 0
                break
            code = (lead & 0x0F) << 12 | (int(data[position + 1]) & 0x3F) << 6 | int(data[position + 2]) & 0x3F
            label = int(table[code]) & 0xFFFF
            place = int(unit >> 16 & 0xFFFFFFF) + label
            unit = units[place]
            if label == 0 or unit & 0xFFFF != label:
                place = 0
                break
            position += 3
        if place != 0:
            totals[place] += 1
        position = behind


def cut_outside(codes, units, table, output):
    """Copy encoded text (encode_block) with a 0 wherever no n-gram of the trie stands across; return its length.

    output: room for twice the text.
    """
    written = 0
    reach = 0  # the furthest end of an n-gram that starts before here
    for start in range(len(codes)):
        if start >= reach:
            output[written] = 0
            written += 1
            reach = start + 1
        unit = units[0]
        position = start
        while position < len(codes):
            label = int(table[codes[position]]) & 0xFFFF
            unit = units[int(unit >> 16 & 0xFFFFFFF) + label]
            if label == 0 or unit & 0xFFFF != label:
                break
            position += 1
            if unit >> 44 != -(1 << 19):
                reach = max(reach, position)
        output[written] = codes[start]
        written += 1
    return written
