"""The cut of a line with the greatest total weight, found over UTF-8 bytes.

One implementation, run in two ways: as plain Python for small inputs, so that a single line never
waits for a compiler, and compiled by numba for large ones (machine_code.py). Weights are integers
(see double_array.py), so both add up to the same totals and break ties alike.

Letters: t characters of a line; b bytes of a block.
Article: maximum-probability segmentation, https://kexue.fm/archives/5476 (a unigram model of least
entropy); here the weights are those of the lexicon, whatever method found them.
"""

from kexue_cli.segmentation.rules import (
    CODE_SHIFT,
    DIGIT,
    HAN,
    KIND_MASK,
    KIND_SHIFT,
    LABEL_MASK,
    MARK,
    NUMERAL,
    NUMERAL_MASK,
    NUMERAL_SHIFT,
    SPACE,
    UNIT,
    UNIT_FLAG,
    is_joining,
    kind_of,
    numeral_end,
    rule_end,
)

# A unit of the trie (double_array.py): weight << 44 | base << 16 | label.
BASE_SHIFT = 16
BASE_MASK = (1 << 28) - 1
WEIGHT_SHIFT = 44
NO_WEIGHT = -(1 << 19)  # the weight of a node that ends no word
FORCED_WEIGHT = (1 << 19) - 1  # of a user's word without a frequency: kept whole wherever it can be
FORCED_BONUS = 1 << 36  # for each character of such a word; more than any sum of weights in a window
UNREACHED = -(1 << 62)
WINDOW = 4096  # characters; a longer stretch without a certain boundary is cut at its end
LINE_FEED, CARRIAGE_RETURN = 10, 13
HAN_END = HAN << KIND_SHIFT  # stands behind the last character of a line; it has no label


def decode_line(data, start, end, table, symbols, offsets):
    """Decode the UTF-8 bytes of one line, data[start:end] up to a line feed, strictly into symbols (see rules.py).

    Fills symbols and offsets (t + 1,), the byte offset of each character and of the end of the line.
    Returns t, or -1 - p where p is the offset of the first byte that is not valid UTF-8.
    """
    count = 0
    position = start
    while position < end:
        lead = int(data[position])
        offsets[count] = position
        code = lead
        if 0xE0 <= lead < 0xF0:
            if position + 2 >= end:
                return -1 - position
            second = int(data[position + 1])
            third = int(data[position + 2])
            code = (lead & 0x0F) << 12 | (second & 0x3F) << 6 | third & 0x3F
            if second & 0xC0 != 0x80 or third & 0xC0 != 0x80 or code < 0x800 or 0xD800 <= code < 0xE000:
                return -1 - position
            position += 3
        elif lead < 0x80:
            if lead == LINE_FEED:
                break
            position += 1
        elif 0xC2 <= lead < 0xE0:
            if position + 1 >= end or int(data[position + 1]) & 0xC0 != 0x80:
                return -1 - position
            code = (lead & 0x1F) << 6 | int(data[position + 1]) & 0x3F
            position += 2
        elif 0xF0 <= lead < 0xF5:
            if position + 3 >= end:
                return -1 - position
            code = lead & 0x07
            for index in range(1, 4):
                byte = int(data[position + index])
                if byte & 0xC0 != 0x80:
                    return -1 - position
                code = code << 6 | byte & 0x3F
            if code < 0x10000 or code > 0x10FFFF:
                return -1 - position
            position += 4
        else:
            return -1 - position
        symbols[count] = code << CODE_SHIFT | int(table[code])
        count += 1
    symbols[count] = HAN_END
    offsets[count] = position
    return count


def may_end(symbols, position):
    """Say whether a word may end before *position*: not inside a run of letters and digits, nor before an accent."""
    after = symbols[position] >> KIND_SHIFT & KIND_MASK
    if after == HAN:
        return True
    if after == MARK:
        return False
    return not (is_joining(after) and is_joining(kind_of(symbols[position - 1])))


def walk_user_words(symbols, start, reach, units, table, best, previous):
    """Relax the edges of the user's words that start at *start*; return the furthest end of any edge."""
    base = units[0] >> BASE_SHIFT & BASE_MASK
    total = best[start]
    position = start
    label = int(table[symbols[position] >> CODE_SHIFT]) & LABEL_MASK
    while label != 0:
        unit = units[base + label]
        if unit & LABEL_MASK != label:
            break
        position += 1
        weight = unit >> WEIGHT_SHIFT
        if weight != NO_WEIGHT and may_end(symbols, position):
            if weight == FORCED_WEIGHT:
                weight = FORCED_BONUS * (position - start) - 1
            reach = max(reach, position)
            if total + weight > best[position]:
                best[position] = total + weight
                previous[position] = start
        base = unit >> BASE_SHIFT & BASE_MASK
        label = int(table[symbols[position] >> CODE_SHIFT]) & LABEL_MASK
    return reach


def segment_line(
    symbols,
    end,
    units,
    user_units,
    user_table,
    rules,
    weights,
    best,
    previous,
    offsets,
    is_start,
):
    """Find the cut of symbols[0:end] with the greatest weight; set is_start[offsets[i]] to 1 where a token starts.

    best (end + 1,): the greatest weight of a way to each boundary, filled with UNREACHED and left so;
    previous (end + 1,): the last step of that way, work space.
    Where no edge of the lattice crosses a boundary, the best way must pass: there the window is closed, so
    memory and sums stay small however long the line is. The walk through the lexicon stands here in full
    and not in a function of its own: the call would double the time of the whole.
    weights: of an unknown character, a Han numeral, a unit of time (segmenter.DecodingConfig).
    """
    unknown_weight, numeral_weight, unit_weight = weights[0], weights[1], weights[2]
    window = 0  # where the open window starts
    reach = 0  # the furthest end of an edge so far
    root = units[0] >> BASE_SHIFT & BASE_MASK
    has_user_words = user_units[0] != 0  # the root of a trie that has words is not 0
    best[0] = 0
    start = 0
    while start < end:
        total = best[start]
        if total != UNREACHED:
            symbol = symbols[start]
            stop = start + 1
            weight = unknown_weight
            if symbol >> KIND_SHIFT & KIND_MASK != HAN:
                stop = rule_end(symbols, start, end, rules)
                if not is_joining(symbol >> KIND_SHIFT & KIND_MASK):
                    weight = 0  # letters and digits weigh as much as an unknown character, so that T恤 is a word
                if symbols[stop] & UNIT_FLAG and rules & UNIT and symbol >> KIND_SHIFT & KIND_MASK == DIGIT:
                    # 2024年; the number alone stays possible, for 90|年代
                    if total + weight + unit_weight > best[stop + 1]:
                        best[stop + 1] = total + weight + unit_weight
                        previous[stop + 1] = start
                    reach = max(reach, stop + 1)
            else:
                if symbol >> NUMERAL_SHIFT & NUMERAL_MASK and rules & (NUMERAL | UNIT):
                    weight = total + numeral_weight
                    stop = numeral_end(symbols, start, end)
                    if stop > start + 1 and rules & NUMERAL and weight > best[stop]:
                        best[stop] = weight
                        previous[stop] = start
                        reach = max(reach, stop)
                    weight += unit_weight
                    if stop > start and rules & UNIT and symbols[stop] & UNIT_FLAG and weight > best[stop + 1]:
                        best[stop + 1] = weight
                        previous[stop + 1] = start
                        reach = max(reach, stop + 1)
                    weight = unknown_weight
                stop = start + 1
                while stop < end and symbols[stop] >> KIND_SHIFT & KIND_MASK == MARK:
                    stop += 1
            if total + weight > best[stop]:
                best[stop] = total + weight
                previous[stop] = start
            reach = max(reach, stop)
            base = root
            position = start
            label = symbol & LABEL_MASK
            while label != 0:
                unit = units[base + label]
                if unit & LABEL_MASK != label:
                    break
                position += 1
                symbol = symbols[position]
                label = symbol & LABEL_MASK
                base = unit >> BASE_SHIFT & BASE_MASK
                weight = unit >> WEIGHT_SHIFT
                if weight != NO_WEIGHT and (symbol >> KIND_SHIFT & KIND_MASK == HAN or may_end(symbols, position)):
                    reach = max(reach, position)
                    if total + weight > best[position]:
                        best[position] = total + weight
                        previous[position] = start
            if has_user_words:
                reach = walk_user_words(symbols, start, reach, user_units, user_table, best, previous)
        start += 1
        if start == reach or (start - window >= WINDOW and best[start] != UNREACHED):
            position = start
            while position > window:
                position = previous[position]
                is_start[offsets[position]] = 1
            for position in range(window, reach + 1):
                best[position] = UNREACHED
            best[start] = 0
            window = start
            reach = start
    best[end] = UNREACHED


def segment_block(
    data, size, units, table, user_units, user_table, rules, weights, is_start, best, previous, symbols, offsets
):
    """Cut every line of the UTF-8 bytes data[0:size]; a line ends with a line feed, the last one may not.

    is_start (b + 1,): filled with 0 before; set to 1 at each byte where a token starts. A line feed, and a
    carriage return before it, belong to no token and are marked 2.
    best, previous, symbols, offsets (n,): work space for lines of n - 1 characters.
    Returns 0, or -1 - p where p is the offset of the first byte that is not valid UTF-8.
    """
    clean = 0  # best[0:clean] is UNREACHED
    line_start = 0
    while line_start < size:
        count = decode_line(data, line_start, size, table, symbols, offsets)
        if count < 0:
            return count
        while clean <= count:
            best[clean] = UNREACHED
            clean += 1
        line_end = offsets[count]
        if line_end < size:
            is_start[line_end] = 2
            if count > 0 and data[line_end - 1] == CARRIAGE_RETURN:
                count -= 1
                is_start[line_end - 1] = 2
                symbols[count] = HAN_END
        segment_line(symbols, count, units, user_units, user_table, rules, weights, best, previous, offsets, is_start)
        line_start = line_end + 1
    return 0


def highest_base(units, count):
    """Return the highest base of the units of a trie."""
    highest = 0
    for place in range(count):
        highest = max(highest, units[place] >> BASE_SHIFT & BASE_MASK)
    return highest


def write_block(data, size, is_start, table, separator, width, output, may_separate):
    """Write the block with *separator* between the tokens of a line; return the number of bytes written.

    White space is itself a boundary and is passed through: no separator is put beside it.
    separator (width,). output: room for size + width * (size + 1) bytes. may_separate: whether a word ends before
    the block, as when a line is cut in two.
    """
    written = 0
    for position in range(size):
        byte = data[position]
        if is_start[position] != 0:
            is_space = is_start[position] == 2 or starts_with_space(data, position, table)
            if may_separate and not is_space:
                for index in range(width):
                    output[written] = separator[index]
                    written += 1
            may_separate = not is_space
        output[written] = byte
        written += 1
    return written


def starts_with_space(data, position, table):
    """Say whether the token that starts at this byte is white space."""
    code = int(data[position])
    if code == 0xC2:
        code = int(data[position + 1])
    elif 0xE1 <= code <= 0xE3:
        code = (code & 0x0F) << 12 | (int(data[position + 1]) & 0x3F) << 6 | int(data[position + 2]) & 0x3F
    elif code >= 0x80:
        return False
    return kind_of(int(table[code])) == SPACE
