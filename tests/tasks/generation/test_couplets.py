"""The rule of the couplet: the same form, characters that repeat at the same places, opposite tones."""

import pytest

from kexue_cli.tasks.generation.couplets import couplets, repetition, tones

pytest.importorskip("pypinyin")


def test_tones_count_at_every_second_place_and_at_the_end_of_a_clause():
    # 春水一篙撑绿去: 水 3, 篙 1, 绿 4, 去 4; 秋山万叶抱红来: 山 1, 叶 4, 红 2, 来 2
    assert tones("春水一篙撑绿去", "秋山万叶抱红来") == (4, 4)


def test_each_clause_is_counted_by_itself():
    # 月 4 and 走 3, 花 1 and 开 1, against 天 1 and 来 2, 草 3 and 长 3
    assert tones("月走，花开", "天来，草长") == (2, 2)  # only 走 against 来, 开 against 长


def test_a_character_without_a_tone_does_not_count():
    assert tones("一A", "两来") == (0, 0)  # the A has no tone
    assert tones("一A二", "两来三") == (1, 1)  # 二 4 against 三 1


@pytest.mark.parametrize(("line", "places"), [("山山水水", [0, 0, 2, 2]), ("天地玄黄", [0, 1, 2, 3]), ("", [])])
def test_repetition_tells_where_each_character_stood_first(line, places):
    assert repetition(line) == places


def test_scores_of_several_pairs():
    pairs = [
        ("山山水水", "处处明明"),  # the same form and repetition; 山 1 against 处 4, 水 3 against 明 2
        ("花开，鸟叫", "月落，鱼游"),  # the same form; 开 1 against 落 4, 叫 4 against 游 2
        ("天高地厚", "海阔，山青"),  # another form, so that the places are others: tones do not count either
        ("红红火火", "平安平安"),  # the same form, another repetition; 红 2 and 火 3 against 安 1 and 安 1
    ]

    scores = couplets(pairs).scores()

    assert (scores["same_form"], scores["same_repetition"], scores["opposite_tones"]) == (0.75, 0.5, 5 / 6)
    assert list(couplets(pairs, "_real").scores()) == [f"{name}_real" for name in scores]


def test_lines_whose_tones_are_the_same_are_not_opposite():
    assert couplets([("天空", "山川")]).scores()["opposite_tones"] == 0.0  # 空 1, 川 1


def test_without_pypinyin_it_is_told_what_to_install(monkeypatch):
    from kexue_cli.errors import KexueError

    monkeypatch.setitem(__import__("sys").modules, "pypinyin", None)
    with pytest.raises(KexueError, match=r"tones need pypinyin .*kexue\[train\]"):
        couplets([("天空", "山川")])
