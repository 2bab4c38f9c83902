"""Who trades on credit: margin balances of all issues, and alerts on issues that are watched.

A print is the balance of one stock on one day. A stock's newest print counts for 20 sessions at
most. Until September 2026 there was one print a week, without a publication date; since then there
is one a day, with a date. A step back is a week in both eras, so that columns keep their meaning:
from a weekly print to the one before it, from a daily print to the newest that is a week older.
Windows take such steps from the newest print back, within 55 weeks, and all balances of a window
are in shares of its newest day.

Long is what customers have bought on credit, short what they have sold. ADV is the mean volume of
20 sessions in the shares of the day.
"""

from functools import partial

import numpy as np
import polars as pl

from gogooku.arrays import time_series
from gogooku.arrays.jit import kernel
from gogooku.arrays.time_series import Array, enough, ratio
from gogooku.features import balances
from gogooku.features.column import Column, Values
from gogooku.features.inputs import Inputs

YEAR, MONTH = 52, 4  # prints
FEWEST = 35  # prints, two thirds of a year's; a number, as numba keeps what it compiled with it
WEEK, WINDOW = 7, 55 * 7  # days
LASTING = 20  # sessions from a balance day to the day on which it lapses
FLAT = 1e-5  # relative deviation that rounded split factors can give to a constant balance

LEVELS = {"101": 0, "001": 1, "002": 1, "102": 1, "003": 2, "004": 3, "005": 4, "006": 5}
REASON = r""":\s*['"]?1\b"""  # one that holds, in JSON text

BACK = 300  # sessions
ADV = ("volume_factor", "raw_volume")
REBASED = ("volume_factor", "margin_interest")
_stock = partial(Column, kind="stock", look_back=LASTING, min_obs=1)
_print = partial(_stock, source="J-Quants margin-interest", inputs=("margin_interest",))
_step = partial(_print, look_back=BACK, min_obs=2, inputs=REBASED)
_year = partial(_print, unit="sd", look_back=BACK, min_obs=FEWEST, inputs=REBASED)
_adv = partial(_print, unit="sessions", min_obs=enough(20), inputs=(*ADV, "margin_interest"))
_size = partial(_print, unit="share", look_back=BACK, inputs=(*REBASED, "summary"))
_alert = partial(_stock, source="J-Quants margin-alert", inputs=("margin_alert",))
_alert_adv = partial(_alert, unit="sessions", min_obs=enough(20), inputs=(*ADV, "margin_alert"))

COLUMNS = [
    _print("margin_balance_ratio", unit="ratio", definition="(long − short) / (long + short)"),
    _step("margin_buy_velocity", unit="share", definition="long / that of the print before − 1"),
    _step("margin_sell_velocity", unit="share", definition="short / that of the print before − 1"),
    _step("margin_divergence", unit="share",
          definition="margin_buy_velocity − margin_sell_velocity"),
    _step("margin_momentum", unit="share", min_obs=MONTH, definition="long / mean of 4 prints − 1"),
    _print("institutional_margin_ratio", unit="share",
           definition="long and short by standardised contracts / long and short"),
    _adv("margin_stress_indicator", unit="0–1", look_back=BACK,
         inputs=("volume_factor", "universe", "raw_volume", "margin_interest"),
         definition="mean rank of margin_long_to_adv20, margin_balance_ratio and "
         "margin_buy_velocity in the day's universe"),
    _size("margin_buy_to_mcap", definition="long / shares outstanding"),
    _size("margin_sell_to_mcap", definition="short / shares outstanding"),
    _print("margin_credit_ratio", unit="ratio", definition="long / short"),
    _year("margin_long_z52", definition="long as a z-score of 52 prints"),
    _year("margin_short_z52", definition="short as a z-score of 52 prints"),
    _adv("margin_long_to_adv20", definition="long / ADV"),
    _adv("margin_short_to_adv20", definition="short / ADV"),
    _adv("margin_d_long_to_adv20", look_back=BACK,
         definition="(long − that of the print before) / ADV"),
    _adv("margin_d_short_to_adv20", look_back=BACK,
         definition="(short − that of the print before) / ADV"),
    _print("margin_impulse", kind="flag", unit="0/1",
           definition="first session on which the newest print counts"),
    _print("margin_days_since", unit="sessions",
           definition="sessions since that session"),
    _alert("dmi_credit_ratio", unit="ratio", definition="long / short of the newest alert"),
    _alert("dmi_imbalance", unit="ratio", definition="(long − short) / (long + short)"),
    _alert_adv("dmi_long_to_adv20", definition="its long / ADV"),
    _alert_adv("dmi_short_to_adv20", definition="its short / ADV"),
    _alert("dmi_reason_count", unit="reasons", definition="reasons given for its publication"),
    _alert("dmi_tse_reg_level", unit="level",
           definition="0 lifted, 1 watched or published daily, 2 regulated, 3 to 5 second to "
           "fourth stage"),
    _alert("dmi_days_since_pub", unit="sessions",
           definition="sessions since the newest alert first counted"),
]  # fmt: skip

STEPS = "buy_velocity sell_velocity d_long d_short momentum long_z52 short_z52".split()


def compute(inputs: Inputs) -> Values:
    """Make the family's columns, name → (T − start, N) float32; NaN where nothing was known.

    margin_interest   balances of all issues [shares] as published, with `known_at`
    margin_alert      balances of watched issues [shares] likewise, and why they are watched
    summary           rows of fins/summary with `known_at`, for the shares outstanding
    """
    splits = balances.splits(inputs.panel)
    volume = balances.mean_volume(inputs.panel, inputs.start)
    columns = _of_all(inputs, splits, volume) | _watched(inputs, splits, volume)
    return {name: time_series.known(values, np.float32) for name, values in columns.items()}


# ---- balances of all issues ----------------------------------------------------------------------


def _of_all(inputs: Inputs, splits: Array, volume: Array) -> Values:
    panel, start = inputs.panel, inputs.start
    without = "no statement is known: the columns margin_…_to_mcap are null"
    summary = inputs.rows("summary", without)
    _, outstanding = balances.shares(panel, summary, inputs.moments, start)
    rows = _states(inputs, splits)
    shares = ("LongVol", "ShrtVol", "d_long", "d_short", "standard")
    long, short, d_long, d_short, standard = balances.totals(rows, shares, splits, start)
    buy, sell, momentum, long_z, short_z, since = balances.totals(
        rows, (*STEPS[:2], *STEPS[4:], "since"), splits, start, rebased=False
    )
    age = np.arange(start, len(splits))[:, None] - since
    balance, to_volume = ratio(long - short, long + short), ratio(long, volume)
    return {
        "margin_balance_ratio": balance,
        "margin_buy_velocity": buy,
        "margin_sell_velocity": sell,
        "margin_divergence": buy - sell,
        "margin_momentum": momentum,
        "institutional_margin_ratio": ratio(standard, long + short),
        "margin_stress_indicator": balances.mean_rank(
            [to_volume, balance, buy], panel.since(start)["universe"]
        ),
        "margin_buy_to_mcap": ratio(long, outstanding),
        "margin_sell_to_mcap": ratio(short, outstanding),
        "margin_credit_ratio": ratio(long, short),
        "margin_long_z52": long_z,
        "margin_short_z52": short_z,
        "margin_long_to_adv20": to_volume,
        "margin_short_to_adv20": ratio(short, volume),
        "margin_d_long_to_adv20": ratio(d_long, volume),
        "margin_d_short_to_adv20": ratio(d_short, volume),
        "margin_impulse": time_series.where_known(age, age == 0),
        "margin_days_since": age,
    }


def _states(inputs: Inputs, splits: Array) -> pl.DataFrame:
    """Give what is known of a stock from each of its rows on until the next one.

    Returns slot, start, end; basis, LongVol, ShrtVol and `standard` of the newest print, `since`,
    the session on which that first counted, and STEPS, share counts in its basis.
    """
    without = "no margin balance is known: the columns margin_… are null"
    interest = inputs.rows("margin_interest", without).drop_nulls(["LongVol", "ShrtVol"])
    rows = balances.in_order(interest, inputs.panel.grid, inputs.moments)
    slot, basis, start, long, short = (
        rows[name].to_numpy(writable=True)
        for name in ("slot", "basis", "start", "LongVol", "ShrtVol")
    )
    day = rows["Date"].to_physical().to_numpy().astype(np.int64)
    daily = rows["PubDate"].is_not_null().to_numpy()
    newest, since, steps = _walk(slot, day, daily, basis, start, long, short, splits)
    prints = rows[newest].with_columns(standard=pl.col("LongStdVol") + pl.col("ShrtStdVol"))
    states = prints.with_columns(
        rows["slot"], rows["start"], since=since, **dict(zip(STEPS, steps.T, strict=True))
    )
    return balances.until_next(states, pl.col("basis") + LASTING)


@kernel
def _walk(slot, day, daily, basis, start, long, short, splits):
    """Give the newest print after each row, when it first counted, and STEPS."""
    newest, since = np.empty(len(slot), np.int64), start.copy()
    steps = np.empty((len(slot), 7))
    prints, count = np.empty(len(slot), np.int64), 0
    factor = splits[:, 0].copy()
    for e in range(len(slot)):
        if e == 0 or slot[e] != slot[e - 1]:
            count, factor = 0, splits[:, slot[e]].copy()
        count = _insert(prints, count, e, day, since)
        newest[e] = prints[count - 1]
        window = _window(prints[:count], day, daily)
        bought = _rebased(long, window, basis, factor)
        sold = _rebased(short, window, basis, factor)
        steps[e, 0], steps[e, 2] = _change(bought)
        steps[e, 1], steps[e, 3] = _change(sold)
        steps[e, 4] = bought[0] / bought[:MONTH].mean() - 1 if len(bought) >= MONTH else np.nan
        steps[e, 5], steps[e, 6] = _zscore(bought), _zscore(sold)
    return newest, since[newest], steps


@kernel
def _insert(prints, count, row, day, since):
    """Put a row among the `count` prints, by balance day, or in place of that day's."""
    position = count
    while position > 0 and day[prints[position - 1]] > day[row]:
        position -= 1
    if position > 0 and day[prints[position - 1]] == day[row]:
        since[row] = since[prints[position - 1]]
        prints[position - 1] = row
        return count
    for i in range(count, position, -1):
        prints[i] = prints[i - 1]
    prints[position] = row
    return count + 1


@kernel
def _window(prints, day, daily):
    """Step back from the newest print, the first of the window."""
    window, size = np.empty(YEAR, np.int64), 0
    position = len(prints) - 1
    oldest = day[prints[position]] - WINDOW
    while position >= 0 and size < YEAR and day[prints[position]] >= oldest:
        at = prints[position]
        window[size] = at
        size += 1
        latest = day[at] - (WEEK if daily[at] else 1)
        while position >= 0 and day[prints[position]] > latest:
            position -= 1
    return window[:size]


@kernel
def _rebased(shares, window, basis, factor):
    """Give the balances of a window in the shares of its first row."""
    out, scale = np.empty(len(window)), 1.0
    session = basis[window[0]]
    for i in range(len(window)):
        while session > basis[window[i]]:
            scale *= factor[session]
            session -= 1
        out[i] = shares[window[i]] / scale
    return out


@kernel
def _change(balances):
    """Give the relative and the absolute change from the second balance to the first."""
    if len(balances) < 2:
        return np.nan, np.nan
    return balances[0] / balances[1] - 1, balances[0] - balances[1]


@kernel
def _zscore(balances):
    """Give the first balance's distance from the mean in population deviations; NaN if flat."""
    if len(balances) < FEWEST:
        return np.nan
    mean = balances[0] + (balances - balances[0]).mean()
    spread = np.sqrt(((balances - mean) ** 2).mean())
    return (balances[0] - mean) / spread if spread > FLAT * mean else np.nan


# ---- alerts --------------------------------------------------------------------------------------


def _watched(inputs: Inputs, splits: Array, volume: Array) -> Values:
    start = inputs.start
    without = "no margin alert is known: the columns dmi_… are null"
    alerts = inputs.rows("margin_alert", without).drop_nulls(["LongOut", "ShrtOut"])
    alerts = alerts.with_columns(
        reasons=pl.col("PubReason").str.count_matches(REASON),
        level=pl.col("TSEMrgnRegCls").replace_strict(LEVELS, default=None, return_dtype=pl.Int64),
    )
    rows = balances.standing(alerts, inputs.panel.grid, inputs.moments, LASTING, day="AppDate")
    long, short = balances.totals(rows, ("LongOut", "ShrtOut"), splits, start)
    reasons, level, since = balances.totals(
        rows, ("reasons", "level", "since"), splits, start, rebased=False
    )
    return {
        "dmi_credit_ratio": ratio(long, short),
        "dmi_imbalance": ratio(long - short, long + short),
        "dmi_long_to_adv20": ratio(long, volume),
        "dmi_short_to_adv20": ratio(short, volume),
        "dmi_reason_count": reasons,
        "dmi_tse_reg_level": level,
        "dmi_days_since_pub": np.arange(start, len(splits))[:, None] - since,
    }
