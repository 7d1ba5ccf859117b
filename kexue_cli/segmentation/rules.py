"""Tokens that a rule keeps whole: numbers, dates, Latin words, addresses, repeated marks.

A line is a sequence of symbols, one integer a character (see character_table). Every function here is
plain Python on integers and is also compiled by numba (compilation.py), so that a single line and a
gigabyte meet the same rules. Each returns the end of the token that starts at *start*, or *start* itself
where there is none.
"""

import sys
from array import array

# The bit of each rule, in the order in which help shows them.
DIGITS = 1
LATIN = 2
DATE = 4
UNIT = 8
NUMERAL = 16
URL = 32
EMAIL = 64
REPEAT = 128

RULES = {
    "digits": (DIGITS, "a number with its decimal point, thousands commas and percent sign: 3.14 1,234 50%"),
    "latin": (LATIN, "a word of Latin, Greek or Cyrillic letters and digits: iPhone15 COVID-19 C++ Node.js"),
    "date": (DATE, "a date or a time of day in digits: 2024-05-01 2024/5/1 12:30:05"),
    "unit": (UNIT, "a number, in digits or Han numerals, with 年 月 日 时 or 分: 2024年 三十一日"),
    "numeral": (NUMERAL, "two or more Han numerals in a row: 三百二十 二○○一 百分之五"),
    "url": (URL, "a web address: https://example.com/a?b=1"),
    "email": (EMAIL, "an e-mail address: name@example.com"),
    "repeat": (REPEAT, "one mark repeated: …… —— !!!"),
}
ALL_RULES = sum(bit for bit, _ in RULES.values())

# Kinds of characters.
OTHER = 0  # a token by itself
HAN = 1  # ideographs, cut by the lexicon
DIGIT = 2  # 0-9 and their full-width forms
LETTER = 3  # letters of alphabetic scripts
SPACE = 4
MARK = 5  # joins the character before it: accents, variation selectors, joiners

KINDS = (  # first and last code point, kind; what is not listed is OTHER
    (0x09, 0x0D, SPACE), (0x1C, 0x20, SPACE), (0x85, 0x85, SPACE), (0xA0, 0xA0, SPACE), (0x1680, 0x1680, SPACE),
    (0x2000, 0x200A, SPACE), (0x2028, 0x2029, SPACE), (0x202F, 0x202F, SPACE), (0x205F, 0x205F, SPACE),
    (0x3000, 0x3000, SPACE),
    (0x30, 0x39, DIGIT), (0xFF10, 0xFF19, DIGIT),
    (0x41, 0x5A, LETTER), (0x61, 0x7A, LETTER), (0xAA, 0xAA, LETTER), (0xB5, 0xB5, LETTER), (0xBA, 0xBA, LETTER),
    (0xC0, 0xD6, LETTER), (0xD8, 0xF6, LETTER), (0xF8, 0x2AF, LETTER), (0x370, 0x1AAF, LETTER),
    (0x1B00, 0x1DBF, LETTER), (0x1E00, 0x1FFF, LETTER), (0x3041, 0x3096, LETTER), (0x309D, 0x30FA, LETTER),
    (0x30FC, 0x312F, LETTER), (0x3131, 0x318E, LETTER), (0xAC00, 0xD7AF, LETTER), (0xFF21, 0xFF3A, LETTER),
    (0xFF41, 0xFF5A, LETTER), (0xFF66, 0xFF9F, LETTER),
    (0x300, 0x36F, MARK), (0x1AB0, 0x1AFF, MARK), (0x1DC0, 0x1DFF, MARK), (0x200C, 0x200D, MARK),
    (0x20D0, 0x20FF, MARK), (0x3099, 0x309A, MARK), (0xFE00, 0xFE0F, MARK), (0xFE20, 0xFE2F, MARK),
    (0x1F3FB, 0x1F3FF, MARK), (0xE0020, 0xE007F, MARK), (0xE0100, 0xE01EF, MARK),
    (0x25CB, 0x25CB, HAN),  # the circle that much printed text writes for 〇
    (0x3005, 0x3005, HAN), (0x3007, 0x3007, HAN), (0x3400, 0x4DBF, HAN), (0x4E00, 0x9FFF, HAN),
    (0xF900, 0xFAFF, HAN), (0x20000, 0x3FFFF, HAN),
)  # fmt: skip

NUMERAL_DIGIT = 1
NUMERAL_SCALE = 2
NUMERALS = {
    **dict.fromkeys("〇○零一二三四五六七八九两兩", NUMERAL_DIGIT),
    **dict.fromkeys("十百千万亿萬億", NUMERAL_SCALE),
}
UNITS = "年月日时時分"

# A symbol is code point << 32 | flags | kind << 16 | label, where all but the code point comes from a table
# of 32-bit entries by code point. The label numbers the character in a lexicon (double_array.py), 0 if it has none.
CODE_SHIFT = 32
KIND_SHIFT = 16
KIND_MASK = 15
LABEL_MASK = (1 << KIND_SHIFT) - 1
NUMERAL_SHIFT = 20
NUMERAL_MASK = 3
UNIT_FLAG = 1 << 22
CODE_POINTS = 0x110000

# Marks by what they do in a token, as code points.
NOT_IN_URLS = tuple(map(ord, '"<>\\^`'))
SENTENCE_ENDS = tuple(map(ord, ".,;:!?)]'"))  # behind an address they belong to the sentence
LOCAL_PART_MARKS = tuple(map(ord, "._%+-"))  # of an e-mail address
DATE_MARKS = tuple(map(ord, "-/.:"))
DECIMAL_MARKS = tuple(map(ord, ".．·"))
PERCENT_MARKS = tuple(map(ord, "%％‰"))
INNER_MARKS = tuple(map(ord, "-'’_.&"))  # of a Latin word
FINAL_MARKS = tuple(map(ord, "+#"))  # C++, C#
AT, COLON, COMMA, HYPHEN, POINT = map(ord, "@:,-.")
FEN, ZHI = map(ord, "分之")
JOINER = 0x200D  # makes one emoji of two
HTTP, HTTPS, FTP, WWW = (tuple(map(ord, text)) for text in ("http://", "https://", "ftp://", "www."))
LOCAL_PART_LIMIT = 64  # characters before the @ of an e-mail address (RFC 5321)


def character_table():
    """Return the kinds and flags by code point, an array of CODE_POINTS 32-bit entries whose labels are 0."""
    table = array("i", bytes(4 * CODE_POINTS))
    for first, last, kind in KINDS:
        entry = (kind << KIND_SHIFT).to_bytes(4, sys.byteorder)
        table[first : last + 1] = array("i", entry * (last - first + 1))
    for character, kind in NUMERALS.items():
        table[ord(character)] |= kind << NUMERAL_SHIFT
    for character in UNITS:
        table[ord(character)] |= UNIT_FLAG
    return table


def kind_of(symbol):
    """Return the kind of a symbol, one of the constants above."""
    return symbol >> KIND_SHIFT & KIND_MASK


def is_joining(kind):
    """Say whether characters of this kind stick to one another, so that no word ends between two of them."""
    return kind in (DIGIT, LETTER)


def narrow(code):
    """Return the ASCII code point of a full-width character, any other as it is."""
    if 0xFF01 <= code <= 0xFF5E:
        return code - 0xFEE0
    return code


def is_ascii_alphanumeric(code):
    """Say whether this is one of 0-9, A-Z, a-z."""
    return 0x30 <= code <= 0x39 or 0x41 <= code <= 0x5A or 0x61 <= code <= 0x7A


def digits_end(symbols, start, end):
    """Return the end of the run of digits at *start*."""
    position = start
    while position < end and kind_of(symbols[position]) == DIGIT:
        position += 1
    return position


def starts_with(symbols, start, end, letters):
    """Say whether the text at *start* is *letters* (small ones, as code points), whatever the case."""
    if end - start < len(letters):
        return False
    for index in range(len(letters)):
        code = symbols[start + index] >> CODE_SHIFT
        if 0x41 <= code <= 0x5A:
            code += 0x20
        if code != letters[index]:
            return False
    return True


def scheme_end(symbols, start, end):
    """Return the end of http://, https://, ftp:// or www. at *start*."""
    if starts_with(symbols, start, end, HTTP):
        return start + len(HTTP)
    if starts_with(symbols, start, end, HTTPS):
        return start + len(HTTPS)
    if starts_with(symbols, start, end, FTP):
        return start + len(FTP)
    if starts_with(symbols, start, end, WWW):
        return start + len(WWW)
    return start


def url_end(symbols, start, end):
    """Return the end of the web address at *start*; only ASCII goes on with one, so Chinese text ends it."""
    scheme = scheme_end(symbols, start, end)
    position = scheme
    if scheme > start:
        while position < end:
            code = symbols[position] >> CODE_SHIFT
            if not 0x20 < code < 0x7B or code in NOT_IN_URLS:
                break
            position += 1
        while position > scheme and symbols[position - 1] >> CODE_SHIFT in SENTENCE_ENDS:
            position -= 1
    return position if position > scheme else start


def email_end(symbols, start, end):
    """Return the end of the e-mail address at *start*."""
    position = start
    limit = min(end, start + LOCAL_PART_LIMIT)
    while position < limit:
        code = symbols[position] >> CODE_SHIFT
        if not is_ascii_alphanumeric(code) and code not in LOCAL_PART_MARKS:
            break
        position += 1
    if position >= end or symbols[position] >> CODE_SHIFT != AT:
        return start
    position += 1
    label = position  # of the domain; it needs two, each of letters, digits and -
    token_end = start
    while position < end:
        code = symbols[position] >> CODE_SHIFT
        if code == POINT and position > label:
            label = position + 1
        elif is_ascii_alphanumeric(code) or (code == HYPHEN and position > label):
            if symbols[label - 1] >> CODE_SHIFT == POINT:
                token_end = position + 1
        else:
            break
        position += 1
    return token_end


def date_end(symbols, start, end):
    """Return the end of a date (2024-05-01) or a time of day (12:30, 12:30:05) at *start*."""
    first = digits_end(symbols, start, min(end, start + 5))
    if first - start > 4 or first + 1 >= end:
        return start
    mark = narrow(symbols[first] >> CODE_SHIFT)
    if mark not in DATE_MARKS:
        return start
    is_time = mark == COLON
    second = digits_end(symbols, first + 1, min(end, first + 4))
    if second == first + 1 or second - first > 3 or (is_time and second - first != 3):
        return start
    if second + 1 < end and narrow(symbols[second] >> CODE_SHIFT) == mark:
        third = digits_end(symbols, second + 1, min(end, second + 4))
        has_length = third - second == 3 or (third - second == 2 and not is_time)
        if has_length and (is_time or first - start == 4):
            return third
    return second if is_time and first - start <= 2 else start


def number_end(symbols, start, end):
    """Return the end of the number at *start*: digits, decimal part, thousands groups and per cent sign."""
    position = digits_end(symbols, start, end)
    while position + 1 < end:
        mark = symbols[position] >> CODE_SHIFT
        following = digits_end(symbols, position + 1, end)
        is_group = mark == COMMA and following == position + 4
        is_decimal = mark in DECIMAL_MARKS and following > position + 1
        if not is_group and not is_decimal:
            break
        position = following
    if position < end and symbols[position] >> CODE_SHIFT in PERCENT_MARKS:
        position += 1
    return position


def latin_end(symbols, start, end):
    """Return the end of the run of letters and digits at *start*, with marks inside (COVID-19) and behind it (C++)."""
    position = start
    while position < end:
        kind = kind_of(symbols[position])
        if not is_joining(kind) and kind != MARK:
            if symbols[position] >> CODE_SHIFT not in INNER_MARKS:
                break
            if position + 1 >= end or not is_joining(kind_of(symbols[position + 1])):
                break
        position += 1
    while position < end and symbols[position] >> CODE_SHIFT in FINAL_MARKS:
        position += 1
    return position


def numeral_run_end(symbols, start, end):
    """Return the end of the run of Han numerals at *start*."""
    position = start
    while position < end and symbols[position] >> NUMERAL_SHIFT & NUMERAL_MASK:
        position += 1
    return position


def numeral_end(symbols, start, end):
    """Return the end of the Han numeral at *start*, with 分之 and another numeral behind; *start* inside a number."""
    if start > 0:
        before = symbols[start - 1]
        if before >> NUMERAL_SHIFT & NUMERAL_MASK or kind_of(before) == DIGIT:
            return start
    position = numeral_run_end(symbols, start, end)
    if position + 2 < end and symbols[position] >> CODE_SHIFT == FEN and symbols[position + 1] >> CODE_SHIFT == ZHI:
        following = numeral_run_end(symbols, position + 2, end)
        if following > position + 2:
            return following
    return position


def digit_token_end(symbols, start, end, rules):
    """Return the end of the token at *start*, a digit."""
    if rules & DATE:
        position = date_end(symbols, start, end)
        if position > start:
            return position
    if not rules & DIGITS:
        return start + 1
    return number_end(symbols, start, end)


def starts_with_letter(symbols, start, end):
    """Say whether the run of letters and digits at *start* has a letter before any mark."""
    position = digits_end(symbols, start, end)
    return position < end and kind_of(symbols[position]) == LETTER


def is_regional(symbol):
    """Say whether this is a regional indicator, half of a flag."""
    return 0x1F1E6 <= symbol >> CODE_SHIFT <= 0x1F1FF


def rule_end(symbols, start, end, rules):
    """Return the end of the token at *start*, which is not a Han character; start + 1 where no rule holds.

    symbols: of the line (t,), of which [start, end) is read; rules: bits.
    """
    kind = kind_of(symbols[start])
    position = start
    if kind == SPACE:
        while position < end and kind_of(symbols[position]) == SPACE:
            position += 1
        return position
    if is_joining(kind):
        if rules & URL and kind == LETTER:
            position = url_end(symbols, start, end)
        if position == start and rules & EMAIL:
            position = email_end(symbols, start, end)
        if position > start:
            return position
        if rules & LATIN and (kind == LETTER or starts_with_letter(symbols, start, end)):
            return latin_end(symbols, start, end)
        if kind == DIGIT:
            return digit_token_end(symbols, start, end, rules)
    position = start + 1
    if rules & REPEAT and kind == OTHER:
        while position < end and symbols[position] == symbols[start]:
            position += 1
    if is_regional(symbols[start]) and position == start + 1 and position < end and is_regional(symbols[position]):
        position += 1  # two of them are a flag
    while position < end:
        is_joined = symbols[position - 1] >> CODE_SHIFT == JOINER and kind_of(symbols[position]) == OTHER
        if not is_joined and kind_of(symbols[position]) != MARK:
            break
        position += 1
    return position
