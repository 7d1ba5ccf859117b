"""Exact counts of all n-grams of a corpus, in memory or through sorted runs on disk.

A corpus is encoded as one array of 16-bit characters in which 0 separates runs of text. All positions are
sorted by the DEPTH characters that follow them: a radix sort on the first two, then group by group on the
next, where a group of one is done. n-grams of every length n <= DEPTH then stand side by side, so one walk
counts them all. A run is that walk written out as packed keys and counts; runs are merged by key.

Letters: c characters of the corpus; u distinct DEPTH-grams; g n-grams of one length.
Every kernel here is plain Python, compiled by numba (compilation.py); they are too slow uncompiled for a corpus.
"""

import numpy as np

DEPTH = 6  # characters; words of up to DEPTH - 1 have counted neighbours on both sides
SMALL_GROUP = 24  # positions; below, insertion sort


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


def radix_pass(ranks, source, target, offset, counts):
    """Sort the positions *source* stably by ranks[position + offset] into *target*; counts (k + 1,): work space."""
    counts[:] = 0
    for index in range(len(source)):
        counts[ranks[source[index] + offset] + 1] += 1
    for rank in range(1, len(counts)):
        counts[rank] += counts[rank - 1]
    for index in range(len(source)):
        rank = ranks[source[index] + offset]
        target[counts[rank]] = source[index]
        counts[rank] += 1


def sort_group(order, keys, first, behind, order_work, keys_work, digits):
    """Sort keys[first:behind] stably, and order with them."""
    if behind - first <= SMALL_GROUP:
        for index in range(first + 1, behind):
            key = keys[index]
            position = order[index]
            place = index
            while place > first and keys[place - 1] > key:
                keys[place] = keys[place - 1]
                order[place] = order[place - 1]
                place -= 1
            keys[place] = key
            order[place] = position
        return
    for shift in (0, 8):
        digits[:] = 0
        for index in range(first, behind):
            digits[(keys[index] >> shift & 255) + 1] += 1
        if digits[(keys[first] >> shift & 255) + 1] == behind - first:
            continue
        for digit in range(1, 257):
            digits[digit] += digits[digit - 1]
        for index in range(first, behind):
            digit = keys[index] >> shift & 255
            place = digits[digit]
            digits[digit] += 1
            order_work[place] = order[index]
            keys_work[place] = keys[index]
        for index in range(behind - first):
            order[first + index] = order_work[index]
            keys[first + index] = keys_work[index]


def sort_positions(ranks, order, work, shared, keys, keys_work, counts, digits):
    """Sort all positions of a corpus by the DEPTH ranks that follow each.

    ranks (c + DEPTH,): rank of each character among those of the corpus, 0 between runs and beyond the end.
    order, work (n,): order holds the n positions whose rank is not 0, ascending.
    shared (n,): set to the number of leading ranks that order[i] shares with order[i - 1]; DEPTH if all that
    matter (behind a 0 none does) are the same.
    """
    total = len(order)
    radix_pass(ranks, order, work, 1, counts)
    radix_pass(ranks, work, order, 0, counts)
    for index in range(total):
        shared[index] = DEPTH
    shared[0] = 0
    for index in range(1, total):
        here = order[index]
        before = order[index - 1]
        if ranks[here] != ranks[before]:
            shared[index] = 0
        elif ranks[here + 1] != ranks[before + 1]:
            shared[index] = 1
    for depth in range(2, DEPTH):
        first = 0
        while first < total:
            behind = first + 1
            while behind < total and shared[behind] == DEPTH:
                behind += 1
            if behind - first > 1 and ranks[order[first] + depth - 1] != 0:
                for index in range(first, behind):
                    keys[index] = ranks[order[index] + depth]
                sort_group(order, keys, first, behind, work, keys_work, digits)
                for index in range(first + 1, behind):
                    if keys[index] != keys[index - 1]:
                        shared[index] = depth
            first = behind


def write_run(ranks, order, shared, alphabet, high, low, counts):
    """Write the distinct DEPTH-grams of sorted positions as keys and counts; return their number u.

    high (u,): the first four characters, 16 bits each; low (u,): the last two. Characters are code points, 0
    behind the end of a run of text.
    """
    written = -1
    for index in range(len(order)):
        if shared[index] == DEPTH:
            counts[written] += 1
            continue
        written += 1
        key = 0
        rest = 0
        is_inside = True
        for offset in range(DEPTH):
            rank = ranks[order[index] + offset] if is_inside else 0
            is_inside = rank != 0
            code = int(alphabet[rank]) if is_inside else 0
            if offset < 4:
                key = key << 16 | code
            else:
                rest = rest << 16 | code
        high[written] = key
        low[written] = rest
        counts[written] = 1
    return written + 1


def merge_runs(high, low, counts, heads, fills, merged_high, merged_low, merged_counts):
    """Merge the sorted keys of r runs, adding up equal ones, until a run's buffer is empty or the output is full.

    high, low, counts (r, n): buffers; run i stands in columns heads[i] to fills[i], and heads are moved on.
    A run that has come to its end has fills[i] = 0. Returns the number of keys written.
    """
    room = len(merged_high)
    written = 0
    while written < room:
        best = -1
        for run in range(len(heads)):
            if fills[run] == 0:
                continue
            if heads[run] == fills[run]:
                return written
            if best >= 0:
                here = high[run, heads[run]]
                there = high[best, heads[best]]
                if here > there or (here == there and low[run, heads[run]] >= low[best, heads[best]]):
                    continue
            best = run
        if best < 0:
            return written
        key = high[best, heads[best]]
        rest = low[best, heads[best]]
        total = 0
        for run in range(len(heads)):
            if fills[run] != 0 and high[run, heads[run]] == key and low[run, heads[run]] == rest:
                total += counts[run, heads[run]]
                heads[run] += 1
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
