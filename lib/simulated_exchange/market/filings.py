"""What the simulated companies report, when, and how much of it is news.

The news of a filing is one number, the surprise z ~ N(0, 1). A quarter's operating profit stands
at its share (1/4, 1/2, 3/4, 1) of the guidance known before, plus 0.12 z of that share; a revision
moves the guidance by 0.12 z. So z can be read off the rows. After a quarter with |z| > 0.4 the
guidance follows six tenths of the way, in the same filing and, now and then, in a revision of the
same minute too. A filing counts from the session during which it is published; from the next
one if it comes at the close or later.
"""

import numpy as np
import polars as pl

from simulated_exchange.market.listings import Floats, Listings

SURPRISE = 0.12  # of a filing, share of the guidance known before
FOLLOW = 0.6  # share of a quarter's surprise that new guidance takes up
THRESHOLD = 0.4  # surprises below it leave the guidance as it was
REVISIONS = 0.18  # probability of a revision between two quarters
COMPANIONS = 0.06  # of a revision in the same minute as a quarter that changes the guidance
LOSSES = 0.06  # share of companies that expect a loss

YEAR_ENDS = {3: 0.62, 12: 0.14, 2: 0.06, 6: 0.05, 9: 0.06, 8: 0.03, 5: 0.02, 1: 0.02}
STANDARDS = {
    "Consolidated_JP": 0.74, "Consolidated_IFRS": 0.12, "NonConsolidated_JP": 0.12,
    "Consolidated_US": 0.02,
}  # fmt: skip
MINUTES = {
    510: 0.02, 690: 0.08, 720: 0.08, 780: 0.07, 840: 0.05, 900: 0.3, 915: 0.1, 930: 0.15,
    960: 0.1, 1020: 0.05,
}  # fmt: skip
OPENING = 540
CLOSE_MOVED = np.datetime64("2024-11-05")


def draw(rng: np.random.Generator, listings: Listings) -> pl.DataFrame:
    """Draw the filings of all issues, one row each, from the beginning of the warm-up on.

    Columns: issue, kind (statement | revision), day, minute [after midnight], standard, start and
    end (of the period's fiscal year), month_end (of the period), quarter (1-4), shares issued on
    the day, z, before (guidance known before) and actual (null in a revision) and guidance (from
    now on; for the next year after the fourth quarter) of operating profit [JPY], and the standing
    ratios margin (profit to sales), assets (to sales) and equity (to assets).
    """
    company = _companies(rng, listings)
    quarters = _quarters(rng, listings, company)
    guidance, events = company["profit"].to_numpy(), []
    for now, later in zip(quarters[:-1], quarters[1:], strict=True):
        statement, guidance = _report(rng, now, guidance)
        companion = (rng.random(len(guidance)) < COMPANIONS) & (now["quarter"] < 4)
        companion &= statement["guidance"] != statement["before"]
        wanted, revision, guidance = _revise(rng, listings, now, later["day"], guidance)
        events += [
            _frame(statement, "statement"),
            _frame(dict(statement, z=np.zeros(len(guidance))), "revision").filter(companion),
            _frame(revision, "revision").filter(wanted),
        ]
    standing = company.drop("profit", "year_end", "delay")
    return pl.concat(events, how="diagonal").join(standing, on="issue", maintain_order="left")


def reports(rng: np.random.Generator, listings: Listings) -> dict[str, np.ndarray]:
    """Give issue, day, quarter and end of the fiscal year of every statement, (M,) each.

    rng   the stream that `draw` takes, from its beginning

    They go on for some weeks beyond the last session.
    """
    quarters = _quarters(rng, listings, _companies(rng, listings))
    return {
        name: np.concatenate([period[name] for period in quarters])
        for name in ("issue", "day", "quarter", "end")
    }


def book_to_price(events: pl.DataFrame, listings: Listings) -> Floats:
    """(N,) equity that the first filing implies over the market value at the beginning."""
    first = events.unique("issue", keep="first", maintain_order=True)
    equity = pl.col("before").abs() / pl.col("margin") * pl.col("assets") * pl.col("equity")
    found = np.zeros(len(listings.codes))
    found[first["issue"].to_numpy()] = first.select(equity).to_series().to_numpy()
    return found / listings.size


def surprises(events: pl.DataFrame, listings: Listings) -> tuple[Floats, Floats]:
    """Sum the surprises (T, N) over the session whose close first knows them.

    Returns all of them, and those published before the session's opening.
    """
    day, minute = events["day"].to_numpy(), events["minute"].to_numpy()
    late = minute >= np.where(day < CLOSE_MOVED, 900, 930)
    session = np.searchsorted(listings.days, day) + late
    inside = (session < len(listings.days)) & (day >= listings.days[0])
    early = inside & (late | (minute < OPENING))
    return _sum_up(events, listings, session, inside), _sum_up(events, listings, session, early)


def _sum_up(events, listings, session, kept):
    total = np.zeros(listings.listed.shape)
    issue, z = events["issue"].to_numpy()[kept], events["z"].to_numpy()[kept]
    np.add.at(total, (session[kept], issue), z)
    return np.where(listings.listed & listings.common, total, 0.0)


def _companies(rng, listings):
    count = len(listings.codes)
    loss = rng.random(count) < LOSSES
    profit = listings.size / rng.uniform(8, 25, count) / 0.66
    return pl.DataFrame({
        "issue": np.arange(count),
        "profit": np.where(loss, -0.3, 1.0) * profit,
        "year_end": rng.choice(list(YEAR_ENDS), count, p=list(YEAR_ENDS.values())),
        "delay": rng.normal(39, 4, count),
        "standard": rng.choice(list(STANDARDS), count, p=list(STANDARDS.values())),
        "margin": np.exp(rng.normal(np.log(0.08), 0.5, count)),
        "assets": np.exp(rng.normal(0.1, 0.3, count)),
        "equity": rng.uniform(0.25, 0.75, count),
    })  # fmt: skip


def _quarters(rng, listings, company):
    """Periods of all issues in time, a dict of (N,) arrays each; the day is that of the report."""
    year_end = company["year_end"].to_numpy()
    first, last = listings.days[[0, -1]].astype("datetime64[M]").astype(np.int64)
    found = []
    for month in range(first - 3, last + 3, 3):
        period = month + (year_end - 1 - month) % 3
        quarter = (period + 1 - year_end) // 3 % 4
        quarter = np.where(quarter == 0, 4, quarter)
        delay = company["delay"].to_numpy() + rng.normal(0, 2, len(year_end)) + (quarter == 4) * 4
        day = _month_end(period) + np.clip(delay, 24, 50).astype(np.int64)
        found.append(_period(listings, period, quarter, _session_from(listings, day)))
    return found


def _period(listings, month, quarter, day):
    start = month - 3 * quarter + 1
    session = np.searchsorted(listings.days, day).clip(max=len(listings.days) - 1)
    issue = np.arange(len(month))
    return {
        "issue": issue,
        "day": day,
        "quarter": quarter,
        "start": start.astype("datetime64[M]").astype("datetime64[D]"),
        "end": _month_end(start + 11),
        "month_end": _month_end(month),
        "shares": listings.shares[session, issue],
    }


def _month_end(month):
    return (month + 1).astype("datetime64[M]").astype("datetime64[D]") - 1


def _session_from(listings, day):
    """First session on or after `day`; the day itself where there is none."""
    position = np.searchsorted(listings.days, day)
    session = listings.days[position.clip(max=len(listings.days) - 1)]
    return np.where(position < len(listings.days), session, day)


def _report(rng, period, before):
    """Statement of a period, and the guidance (N,) from then on."""
    quarter, z = period["quarter"], rng.normal(size=len(before))
    due = quarter / 4 * before
    actual = due + SURPRISE * np.abs(due) * z
    moved = np.where(np.abs(z) > THRESHOLD, FOLLOW * SURPRISE * z, 0.0)
    grown = actual + np.abs(actual) * rng.normal(0.03, 0.05, len(z))
    guidance = np.where(quarter == 4, grown, before + np.abs(before) * moved)
    news = {"minute": _minutes(rng, len(z)), "z": z, "before": before, "actual": actual}
    return dict(period, **news, guidance=guidance), guidance


def _revise(rng, listings, period, later, before):
    """Which issues revise their forecast before the next report, how, and the guidance then.

    A revision speaks of the running year, which after the fourth quarter is the next.
    """
    room = (later - period["day"]).astype(np.int64)
    wait = 5 + rng.random(len(before)) * np.maximum(room - 8, 0)
    day = _session_from(listings, period["day"] + wait.astype(np.int64))
    wanted = (rng.random(len(before)) < REVISIONS) & (day < later)
    z = np.where(wanted, rng.normal(size=len(before)), 0.0)
    guidance = before + SURPRISE * np.abs(before) * z
    months = period["end"].astype("datetime64[M]") - period["start"].astype("datetime64[M]")
    year = period["start"].astype("datetime64[M]") + np.where(period["quarter"] == 4, 12, 0)
    row = _period(listings, (year + months).astype(np.int64), np.full(len(z), 4), day)
    news = {"minute": _minutes(rng, len(z)), "z": z, "before": before, "guidance": guidance}
    return wanted, dict(row, **news), guidance


def _minutes(rng, count):
    return rng.choice(list(MINUTES), count, p=list(MINUTES.values()))


def _frame(columns, kind):
    return pl.DataFrame(columns).with_columns(kind=pl.lit(kind))
