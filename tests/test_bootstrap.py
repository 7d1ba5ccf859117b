"""Bootstrap intervals and paired tests, against what is known of a coin."""

import numpy as np
import pytest

from kexue_cli.bootstrap import Halves, Sums, differences, intervals, nested


def share(sums):
    return {"share": sums["right"] / sums["records"]}


def tossed(right):
    return Sums({"right": right, "records": [1] * len(right)}, share)


def test_the_interval_of_a_fair_coin_has_the_width_of_the_binomial():
    # standard deviation of the share: sqrt(0.25 / 100) = 0.05
    low, high = intervals(tossed([0, 1] * 50))["share"]

    assert 0.38 <= low <= 0.42  # 0.5 - 1.96 * 0.05
    assert 0.58 <= high <= 0.62


def test_no_records_have_no_interval():
    assert intervals(tossed([])) == {}


def test_the_seed_decides_the_interval():
    sheet = tossed([i / 100 for i in range(100)])

    assert intervals(sheet, seed=3) == intervals(sheet, seed=3)
    assert intervals(sheet, seed=3) != intervals(sheet, seed=4)


def test_a_model_is_no_better_than_itself():
    found = differences(tossed([0, 1, 1, 0]), tossed([0, 1, 1, 0]))

    assert found == {"share": {"first": 0.5, "second": 0.5, "difference": 0, "interval": [0, 0], "p": 1}}


def test_draws_are_paired():
    # on each record the second is better by 0.1: however records are drawn, so is its mean
    first = [i / 100 for i in range(50)]

    (row,) = differences(tossed(first), tossed([value + 0.1 for value in first])).values()

    assert row["difference"] == pytest.approx(0.1)
    assert row["interval"] == pytest.approx([0.1, 0.1])
    assert row["p"] == pytest.approx(2 / 1001, abs=1e-6)  # none of 1,000 draws speaks against it


def test_what_each_wins_as_often_is_no_difference_that_counts():
    (row,) = differences(tossed([0, 1] * 20), tossed([1, 0] * 20)).values()

    assert row["difference"] == 0
    assert row["p"] > 0.8
    # the difference of a record is 1 or -1: standard deviation of the mean 1 / sqrt(40) = 0.158
    assert row["interval"] == pytest.approx([-0.31, 0.31], abs=0.05)


def test_the_p_value_is_that_of_the_sign_test():
    # of 20 records that only one of two answers, the second answers 15: with a normal distribution z = 10 / sqrt(20)
    # under the bootstrap's own spread 20 - 100 / 20 = 15, so z = 10 / sqrt(15) = 2.58 and p = 0.01
    (row,) = differences(tossed([0] * 15 + [1] * 5), tossed([1] * 15 + [0] * 5)).values()

    assert 0.002 < row["p"] < 0.03


def test_sheets_of_other_records_are_not_compared():
    with pytest.raises(ValueError, match="sheets of 1 and 2 records"):
        differences(tossed([0]), tossed([0, 1]))


def test_halves_tell_as_much_as_draws_of_a_mean():
    values = np.array([0.0, 1.0] * 50)
    generator = np.random.default_rng(0)
    generator.shuffle(values)

    sheet = Halves(100, lambda mask: {"mean": float(values[mask].mean())})

    low, high = intervals(sheet)["mean"]
    assert (low + high) / 2 == pytest.approx(0.5, abs=0.02)
    assert 0.15 < high - low < 0.25  # 2 * 1.96 * 0.05 = 0.196


def test_a_single_record_has_no_halves():
    assert intervals(Halves(1, lambda mask: {"count": float(mask.sum())})) == {}


def test_names_with_a_dot_stand_together():
    assert nested({"f1": 1, "by.a": 2, "by.b.c": 3}) == {"f1": 1, "by": {"a": 2, "b.c": 3}}
