import numpy as np
from gogooku.models.targets import rank_normal
from scipy import stats


def test_rank_normal_scores_are_scipys_and_keep_the_order():
    labels = np.random.default_rng(2).standard_t(2, (2, 300, 2))
    labels[1, :40, 0] = np.nan
    scores = rank_normal(labels)
    known = labels[1, 40:, 0]
    expected = stats.norm.ppf(stats.rankdata(known) / (len(known) + 1))
    np.testing.assert_allclose(scores[1, 40:, 0], expected, rtol=1e-5)
    assert np.isnan(scores[1, :40, 0]).all()
    assert abs(scores[0].mean()) < 1e-6 and abs(scores[0].std() - 1) < 0.05
