"""Bootstrap intervals, against what is known of a coin."""

from kexue_cli.bootstrap import intervals


def share(sums):
    return {"share": sums["right"] / sums["records"]}


def test_the_interval_of_a_fair_coin_has_the_width_of_the_binomial():
    tosses = [0, 1] * 50  # standard deviation of the share: sqrt(0.25 / 100) = 0.05

    low, high = intervals({"right": tosses, "records": [1] * 100}, share)["share"]

    assert 0.38 <= low <= 0.42  # 0.5 - 1.96 * 0.05
    assert 0.58 <= high <= 0.62


def test_no_records_have_no_interval():
    assert intervals({"right": [], "records": []}, share) == {}


def test_the_seed_decides_the_interval():
    columns = {"right": [i / 100 for i in range(100)], "records": [1] * 100}

    assert intervals(columns, share, seed=3) == intervals(columns, share, seed=3)
    assert intervals(columns, share, seed=3) != intervals(columns, share, seed=4)
