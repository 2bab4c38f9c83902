import numpy as np
import pytest
from gogooku.panel.price_limits import daily_limit, tick_size


@pytest.mark.parametrize(
    ("base", "limit"),
    [(99.9, 30), (100, 50), (499, 80), (500, 100), (999, 150), (1000, 300), (1999, 400),
     (2999, 500), (3000, 700), (9999, 1500), (14_990, 3000), (15_000, 4000), (70_000, 15_000),
     (150_000, 40_000), (1_000_000, 300_000), (49_999_999, 7_000_000), (50_000_000, 10_000_000)],
)  # fmt: skip
def test_a_base_below_a_bound_takes_its_limit(base, limit):
    assert daily_limit(base) == limit


def test_the_limit_is_never_below_a_tenth_of_a_base_under_a_hundred_million_yen():
    base = np.geomspace(1, 9e7, 5000)
    assert (daily_limit(base) / base > 0.1).all()


@pytest.mark.parametrize(
    ("price", "tick"),
    [(0.4, 0.1), (1000, 0.1), (1000.5, 0.5), (3000, 0.5), (3001, 1), (30_005, 10)],
)
def test_a_price_at_a_bound_still_moves_by_the_smaller_tick(price, tick):
    assert tick_size(price) == tick


def test_no_price_has_no_limit_and_no_tick():
    assert np.isnan(daily_limit([np.nan, 100.0])).tolist() == [True, False]
    assert np.isnan(tick_size(np.nan))
