import numpy as np
from gogooku.arrays import agreement


def test_a_days_rank_ic_has_the_same_bits_in_any_order_and_company():
    draw = np.random.default_rng(0)
    prediction, label = draw.normal(size=(2, 5, 2000))
    label[:, ::7] = np.nan
    together = agreement.rank_ic(prediction, label)
    order = draw.permutation(2000)
    mixed = agreement.rank_ic(prediction[:, order], label[:, order])
    alone = [agreement.rank_ic(prediction[[t]], label[[t]])[0] for t in range(5)]
    np.testing.assert_array_equal(together, mixed)
    np.testing.assert_array_equal(together, alone)


def test_twenty_stocks_say_something_and_nineteen_nothing():
    values = np.arange(40.0).reshape(2, 20)
    values[1, 0] = np.nan
    np.testing.assert_array_equal(agreement.rank_ic(values, values**2), [1, np.nan])
