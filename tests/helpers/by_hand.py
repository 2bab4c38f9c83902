"""Which test asserts the value of which column, where a family's cases are worked out by hand."""

INDICES = (
    "0000 0001 0070 0091 0500 0501 0502 0503 0028 0029 002A 002B 002C 002D 002E 002F "
    "8100 812C 812D 8200 822C 822D 0075 8501 8502 8503"
).split()
PAIRS = (
    "value_growth core30_small prime_standard prime_growth reit_office_residential "
    "reit_office_retail reit_residential_retail"
).split()

TESTS = {
    "test_flow::test_every_column_agrees_with_its_definition_by_hand": """
        flow_foreign_net_ratio flow_individual_net_ratio flow_activity_ratio flow_foreign_share
        flow_breadth_pos flow_foreign_net_z flow_individual_net_z flow_activity_z flow_smart_idx
        flow_smart_mom4 flow_shock_flag flow_foreign_net_pos flow_smart_pos flow_activity_high
        flow_activity_low flow_impulse flow_days_since institutional_accumulation foreign_sentiment
        retail_institutional_divergence foreign_domestic_divergence institutional_persistence
        foreign_persistence smart_flow_indicator flow_concentration concentrated_flow_signal
    """,
    "test_statement::test_each_figure_grows_at_its_own_rate": """
        stmt_yoy_sales stmt_yoy_op stmt_yoy_np
    """,
    "test_statement::test_margins_are_those_of_the_cumulated_period": "stmt_opm stmt_npm",
    "test_statement::test_progress_is_measured_against_the_guidance_of_the_same_year": """
        stmt_progress_op stmt_progress_np
    """,
    "test_statement::test_a_revision_is_measured_against_what_was_in_force_before_its_day": """
        stmt_rev_fore_op stmt_rev_fore_eps stmt_rev_div_fore
    """,
    "test_statement::test_guidance_for_a_loss_improved_is_a_positive_revision": """
        stmt_rev_fore_np
    """,
    "test_statement::test_returns_on_equity_and_assets_take_twelve_months": "stmt_roe stmt_roa",
    "test_statement::test_a_change_of_estimates_is_that_of_the_newest_statement": """
        stmt_change_in_est
    """,
    "test_statement::test_figures_of_the_parent_alone_are_flagged_and_not_mixed_with_the_group": """
        stmt_nc_flag
    """,
    "test_statement::test_a_filing_counts_on_its_day_only_if_public_before_the_close": """
        stmt_imp_statement stmt_days_since_statement
    """,
    "test_statement::test_per_share_ratios_take_the_days_price_and_the_shares_without_treasury": """
        stmt_ep stmt_bp stmt_sp
    """,
    "test_statement::test_a_split_after_the_filing_leaves_the_ratios_as_they_were": """
        stmt_div_yield_fore
    """,
    "test_earnings::test_random_schedules_agree_with_a_telling_row_by_row": "days_to_earnings",
    "test_earnings::test_the_day_of_an_announcement_is_the_first_session_that_could_know_it": """
        days_since_earnings is_earnings_week earnings_day_return pead_strength
    """,
    "test_earnings::test_surprise_and_momentum_are_those_of_the_simulated_exchange": """
        earnings_surprise earnings_momentum
    """,
    "test_option::test_random_chains_agree_with_a_telling_row_by_row": """
        put_call_ratio oi_call_put_imbalance smart_money_indicator avg_iv term_structure_slope
        iv_dispersion
    """,
    "test_option::test_skew_is_taken_where_deltas_are_a_quarter_on_the_nearest_two_expiries": """
        iv_skew
    """,
    "test_option::test_rank_is_the_share_of_a_year_below": "iv_percentile_rank",
    "test_option::test_momentum_sets_a_week_against_a_month": """
        option_flow_momentum pcr_momentum
    """,
    "test_short::test_sums_are_those_of_a_plain_walk_through_the_reports": """
        short_ratio days_to_cover
    """,
    "test_short::test_changes_and_means_are_those_of_the_daily_sums": """
        short_ratio_change_5d short_ratio_ma5 short_ratio_ma20
    """,
    "test_short::test_the_risk_of_a_squeeze_is_the_mean_rank_in_the_universe": """
        short_squeeze_risk
    """,
    "test_short::test_a_stock_takes_the_share_of_its_sector_one_session_later": """
        ss_sec33_short_share ss_sec33_restrict_share ss_mkt_short_share ss_rel_short_share
    """,
    "test_short::test_scores_count_sessions_with_a_print": "ss_sec33_mom5 ss_sec33_z60",
    "test_listed::test_market_value_is_shares_outstanding_times_close": """
        market_cap_log liquidity_score shares_float_ratio
    """,
    "test_listed::test_sector_momentum_is_that_of_a_plain_walk_through_the_members": """
        sector_momentum
    """,
    "test_listed::test_a_segments_premium_is_the_score_of_size_among_its_members": """
        market_segment_premium
    """,
    "test_listed::test_segments_continue_the_sections_that_they_took_over": """
        mkt_prime mkt_standard mkt_growth
    """,
    "test_listed::test_classes_of_size_are_in_order": "scale_cat",
    "test_listed::test_a_class_counts_from_the_day_on_which_the_list_names_it": "is_loanable",
    "test_margin::test_columns_of_a_print": """
        margin_balance_ratio margin_credit_ratio institutional_margin_ratio margin_buy_velocity
        margin_sell_velocity margin_divergence margin_buy_to_mcap margin_sell_to_mcap
        margin_long_to_adv20 margin_short_to_adv20 margin_d_long_to_adv20 margin_d_short_to_adv20
    """,
    "test_margin::test_windows_count_prints": """
        margin_long_z52 margin_short_z52 margin_momentum
    """,
    "test_margin::test_stress_is_the_mean_rank_of_size_side_and_growth": """
        margin_stress_indicator
    """,
    "test_margin::test_columns_are_those_of_a_plain_walk_through_the_prints": """
        margin_impulse margin_days_since
    """,
    "test_margin::test_columns_of_an_alert": """
        dmi_credit_ratio dmi_imbalance dmi_long_to_adv20 dmi_short_to_adv20 dmi_reason_count
        dmi_tse_reg_level dmi_days_since_pub
    """,
    "test_correlation::test_peers_returns_follow_the_sign_of_their_edges": """
        peer_ret_1d peer_ret_5d peer_rel_5d peer_corr_mean
    """,
    "test_correlation::test_the_place_of_a_stock_in_the_graph": """
        graph_degree graph_clustering graph_core
    """,
    "test_correlation::test_page_rank_solves_its_equation": "graph_pagerank",
    "test_index::test_every_index_agrees_with_pandas": " ".join(
        f"idx_{code}_{name}"
        for code in INDICES
        for name in ("r_1d", "r_5d", "r_20d", "vol_20d", "z_close_20", "rel_r_5d")
        if (code, name) != ("0000", "rel_r_5d")
    ),
    "test_index::test_range_is_wilders_by_talib_before_the_outage": " ".join(
        f"idx_{code}_natr_14" for code in INDICES if code != "0503"
    ),
    "test_index::test_an_index_that_has_a_range_is_measured_by_it": "idx_0503_natr_14",
    "test_index::test_a_spread_is_what_one_index_gains_on_another": " ".join(
        f"spread_{pair}_{h}d" for pair in PAIRS for h in (1, 5, 20)
    ),
    "test_index::test_breadth_counts_sectors_above_their_mean": "breadth_sector_gt_ma50",
    "test_index::test_every_measure_of_a_sector_agrees_with_pandas": """
        sect_r_1d sect_r_5d sect_r_20d sect_natr_14 sect_vol_20d sect_z_close_20 sect_rel_r_5d
        sect_rel_to_sec_5d sect17_r_1d sect17_r_5d sect17_r_20d sect17_natr_14 sect17_vol_20d
        sect17_z_close_20 sect17_rel_r_5d
    """,
}
"""Test → the columns whose values it asserts."""
