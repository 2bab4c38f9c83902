"""The catalogue is whole, names nothing twice, and its page is what it says."""

from pathlib import Path

import pytest
import yaml
from gogooku.families import FAMILIES
from gogooku.features import catalogue, graph

ROOT = Path(__file__).parents[2]
COLUMNS = [
    (family, column) for family, columns in catalogue.CATALOGUE.items() for column in columns
]

NAMES = {
    "technical": """
        returns_1d returns_2d returns_3d returns_5d returns_10d returns_20d returns_60d
        returns_120d momentum_12_1 log_returns_1d log_returns_5d log_returns_10d log_returns_20d
        overnight_return intraday_return volatility_5d volatility_10d volatility_20d
        volatility_60d volatility_120d parkinson_20 garman_klass_20 rogers_satchell_20
        yang_zhang_20 yang_zhang_60 vol_of_vol_20 vol_of_vol_60 price_to_sma_5 price_to_sma_20
        price_to_sma_60 price_to_sma_120 price_to_sma_200 price_to_ema_5 price_to_ema_10
        price_to_ema_20 price_to_ema_60 price_to_ema_200 ma_gap_5_20 ma_gap_20_60 ma_gap_60_200
        ema5_slope ema20_slope ema60_slope high_low_ratio close_to_high close_to_low
        dist_to_high_60 dist_to_high_245 dist_to_low_60 dist_to_low_245 rsi_2 rsi_14 rsi_delta
        macd macd_signal macd_histogram macd_hist_slope bb_pct_b bb_width atr_14 natr_14 adx_14
        plus_di_14 minus_di_14 stoch_k stoch_d cci_20 williams_r_14 mfi_14 obv_z60 cmf_20
        volume_ratio_5 volume_ratio_20 volume_ratio_60 volume_accel turnover_rate amihud_20
        dollar_volume_log skew_60 kurt_60 zscore_20 zscore_60 autocorr_20 up_streak down_streak
        mom_persist_5d rsi_vol_interact vol_confirmed_mom limit_up limit_down
        days_since_listing_log weekday_0 weekday_1 weekday_2 weekday_3 weekday_4 month_start
        month_end sessions_to_month_end
    """,
    "market": """
        mkt_ret_1d mkt_ret_5d mkt_ret_10d mkt_ret_20d mkt_dev_5 mkt_dev_20 mkt_dev_60
        mkt_dev_200 mkt_gap_5_20 mkt_ema20_slope_3 mkt_vol_20d mkt_natr_14 mkt_atr_ratio_5_20
        mkt_bb_pct_b mkt_bb_bw mkt_dd_from_peak mkt_big_move_flag mkt_ret_1d_z mkt_vol_20d_z
        mkt_bb_bw_z mkt_dd_from_peak_z mkt_bull_200 mkt_trend_up mkt_high_vol mkt_squeeze
        mkt_breadth_up mkt_dispersion
    """,
    "relative": """
        beta_60d beta_lagged_60d alpha_1d alpha_5d rel_strength_5d trend_align_mkt
        alpha_vs_regime idio_vol_ratio beta_stability_60d
    """,
    "sector": """
        sec_ret_1d sec_ret_5d sec_ret_20d sec_mom_20 sec_gap_5_20 sec_vol_20 sec_vol_20_z
        sec_member_cnt sec_small_flag rel_to_sec_1d rel_to_sec_5d rel_to_sec_20d beta_to_sec_60
        alpha_vs_sec_1d returns_1d_in_sec_z returns_5d_in_sec_z volume_ratio_20_in_sec_z
        volatility_20d_in_sec_z rsi_14_in_sec_z ma_gap_5_20_in_sec_z ret_1d_rank_in_sec
    """,
    "flow": """
        flow_foreign_net_ratio flow_individual_net_ratio flow_activity_ratio flow_foreign_share
        flow_breadth_pos flow_foreign_net_z flow_individual_net_z flow_activity_z flow_smart_idx
        flow_smart_mom4 flow_shock_flag flow_foreign_net_pos flow_smart_pos flow_activity_high
        flow_activity_low flow_impulse flow_days_since institutional_accumulation
        foreign_sentiment retail_institutional_divergence foreign_domestic_divergence
        institutional_persistence foreign_persistence smart_flow_indicator flow_concentration
        concentrated_flow_signal
    """,
    "statement": """
        stmt_yoy_sales stmt_yoy_op stmt_yoy_np stmt_opm stmt_npm stmt_progress_op
        stmt_progress_np stmt_rev_fore_op stmt_rev_fore_np stmt_rev_fore_eps stmt_rev_div_fore
        stmt_roe stmt_roa stmt_change_in_est stmt_nc_flag stmt_imp_statement
        stmt_days_since_statement stmt_ep stmt_bp stmt_sp stmt_div_yield_fore
    """,
    "earnings": """
        days_to_earnings days_since_earnings is_earnings_week earnings_surprise
        earnings_momentum earnings_day_return pead_strength
    """,
    "short": """
        short_ratio short_ratio_change_5d short_ratio_ma5 short_ratio_ma20 days_to_cover
        short_squeeze_risk ss_sec33_short_share ss_sec33_restrict_share ss_sec33_mom5
        ss_sec33_z60 ss_mkt_short_share ss_rel_short_share
    """,
    "listed": """
        market_cap_log liquidity_score sector_momentum market_segment_premium shares_float_ratio
        mkt_prime mkt_standard mkt_growth scale_cat is_loanable
    """,
    "margin": """
        margin_balance_ratio margin_buy_velocity margin_sell_velocity margin_divergence
        margin_momentum institutional_margin_ratio margin_stress_indicator margin_buy_to_mcap
        margin_sell_to_mcap margin_credit_ratio margin_long_z52 margin_short_z52
        margin_long_to_adv20 margin_short_to_adv20 margin_d_long_to_adv20
        margin_d_short_to_adv20 margin_impulse margin_days_since dmi_credit_ratio dmi_imbalance
        dmi_long_to_adv20 dmi_short_to_adv20 dmi_reason_count dmi_tse_reg_level
        dmi_days_since_pub
    """,
    "option": """
        put_call_ratio iv_skew oi_call_put_imbalance avg_iv iv_dispersion term_structure_slope
        smart_money_indicator iv_percentile_rank option_flow_momentum pcr_momentum
    """,
    "index": """
        breadth_sector_gt_ma50 sect_r_1d sect_r_5d sect_vol_20d sect_natr_14 sect_z_close_20
        sect_rel_r_5d sect_rel_to_sec_5d
    """,
    "graph": """
        graph_degree graph_clustering graph_core graph_pagerank peer_corr_mean peer_ret_1d
        peer_ret_5d peer_rel_5d
    """,
}
"""Family → the names that users of such data sets expect.

The measures of each sector's index (`idx_*` for TOPIX-17 and the 33 sectors) are given to the
stocks of the sector alone, as `sect_*` and `sect17_*`; those of other indices have our own names.
"""


def test_the_catalogue_holds_every_family_that_the_rules_build():
    own = "user"  # its columns are known once its settings are
    assert [*catalogue.CATALOGUE, own] == list(FAMILIES)


@pytest.mark.parametrize("family", catalogue.CATALOGUE)
def test_a_family_has_every_name_that_is_expected_of_it(family):
    names = {column.name for column in catalogue.CATALOGUE[family]}
    assert not set(NAMES.get(family, "").split()) - names


def test_no_column_is_named_twice():
    names = [column.name for _, column in COLUMNS]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("family, column", COLUMNS, ids=lambda x: getattr(x, "name", x))
def test_a_column_says_what_it_is_and_stays_within_its_familys_look_back(family, column):
    assert column.kind in ("stock", "market", "flag")
    assert column.unit and column.definition and column.source
    edges = graph.WINDOW if family == "graph" else 0  # which look back in their own files
    assert (
        0 <= column.look_back <= max(edges, *(read.look_back for read in FAMILIES[family].values()))
    )


def test_columns_of_the_graph_look_back_as_far_as_its_edges_do():
    settings = yaml.safe_load((ROOT / "config" / "default.yaml").read_text())["graph"]
    assert {column.look_back for column in graph.COLUMNS} == {settings["window"]}
    fewest = {c.min_obs for c in graph.COLUMNS if c.name.startswith("peer_")}
    assert fewest == {settings["min_observations"] + 1}


def test_the_page_says_what_each_family_reads_and_how_far_back():
    page = catalogue.page()
    assert "## `index`: 218 columns\n\nReads `panel` (250), `indices` (250).\n" in page
    assert page.count("\nReads `panel` (") == len(catalogue.CATALOGUE)


def test_the_page_is_current():
    page = ROOT / "docs" / "features.md"
    assert page.read_text() == catalogue.page()
