"""The vendor's tables of options and futures on the simulated indices.

A trading day is a night session, which begins where the index closed, and a day session. A contract
has no night before its first day. Where nothing is traded prices are zero, as the vendor has them.
On days of a very large move a second row with EmMrgnTrgDiv 001 holds the settlement of the
emergency margin call, at the index's opening.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
import polars as pl
from gogooku.raw.catalogue import DATASETS

from simulated_exchange.market import contracts
from simulated_exchange.market.contracts import Underlying
from simulated_exchange.market.listings import Days, Floats

REACH = 0.15  # strikes are listed so far below and above where the index has been
LIVES = {1: 84, 3: 189}  # sessions: monthly contracts, and quarterly ones
WIDTH = 0.06  # distance from the money over which volume falls to a third, in log price
BUSY = 60.0  # contracts a day at the money
QUIET = 10  # a day with fewer contracts has none at night
PUTS = 0.3  # growth of log volume of puts by a unit of fear
AUCTION = 0.95  # share of the volume traded by auction
OPTIONS = {
    "NK225E": (0, 250.0, 1000),
    "TOPIXE": (1, 25.0, 10000),
}  # digit, strike step, yen a point
FUTURES = {  # digit, step of months, tick [points], yen a point, contracts a day
    "NK225F": (2, 3, 10.0, 1000, 30000), "NK225MF": (3, 1, 5.0, 100, 500000),
    "TOPIXF": (4, 3, 0.5, 10000, 45000), "TOPIXMF": (5, 3, 0.25, 1000, 15000),
}  # fmt: skip
NIGHT, DAY = ("EO", "EH", "EL", "EC"), ("AO", "AH", "AL", "AC")


@dataclass(frozen=True)
class Board:
    """Where contracts trade: an index, all sessions, and the first one that is served."""

    index: Underlying
    timeline: Days
    first: int


def options(rng: np.random.Generator, board: Board, product: str) -> pl.DataFrame:
    """Write the option chain of a product, with the fields of all data sets of options."""
    live = contracts.contracts(board.index.days, board.timeline, 1, LIVES)
    rows = pl.concat(
        [_chain(rng, board, contract, product) for contract in live if _served(board, contract)]
    )
    return _finished(rows, product)


def futures(rng: np.random.Generator, boards: dict[str, Board]) -> pl.DataFrame:
    """Write the futures of the products whose names begin with a board's."""
    tables = []
    for product, (_, months, *_) in FUTURES.items():
        board = next(board for name, board in boards.items() if product.startswith(name))
        live = contracts.contracts(board.index.days, board.timeline, months, LIVES)
        tables += [
            _finished(_future(rng, board, contract, product), product)
            for contract in live
            if _served(board, contract)
        ]
    return table("futures", pl.concat(tables))


def table(dataset: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Write rows of contracts as a data set; one contract month is central, the nearest."""
    fields = DATASETS[dataset]
    nearest = pl.col("CM") == pl.col("CM").min().over("Date", "ProdCat")
    central = pl.when(nearest).then(pl.lit("1")).otherwise(pl.lit("0")).alias("CCMFlag")
    morning = [pl.lit(None, pl.Float64).alias(name) for name in ("MO", "MH", "ML", "MC")]
    rows = rows.with_columns(central, *morning, UndSSO=pl.lit("-"))
    return rows.select(*fields.schema).sort(fields.key)


def _served(board, contract):
    return contract.sessions[-1] >= board.first


def _chain(rng, board, contract, product):
    """All strikes of a contract month over its life, puts and calls."""
    digit, step, yen = OPTIONS[product]
    index, sessions = board.index, contract.sessions
    path, years = index.path, contracts.maturity(index, contract)
    low = np.minimum.accumulate(path.close[sessions]) * (1 - REACH)
    high = np.maximum.accumulate(path.close[sessions]) * (1 + REACH)
    strikes = np.arange(np.ceil(low.min() / step), np.floor(high.max() / step) + 1) * step
    listed = (strikes >= low[:, None]) & (strikes <= high[:, None])
    fresh = listed & ~np.vstack([np.zeros((1, len(strikes)), bool), listed[:-1]])
    volatility = contracts.implied(index, sessions, years, strikes)
    distance = np.log(strikes / path.close[sessions, None]) / WIDTH
    alive = listed & (sessions >= board.first)[:, None]
    at, column = np.nonzero(alive)
    common = {
        "session": sessions[at],
        "CM": np.full(len(at), contract.month),
        "Strike": strikes[column],
        "fresh": fresh[alive],
        "IV": np.round(volatility[alive] * 100, 4),
        "BaseVol": np.round(contracts.level(index, sessions, years) * 100, 5)[at],
        "IR": np.round(index.rate[sessions] * 100, 4)[at],
    }
    tables = []
    for call in (False, True):
        wanted = np.exp(-(distance**2) + (0 if call else PUTS) * index.fear[sessions, None])
        wanted *= BUSY * np.exp(rng.normal(0, 0.7, distance.shape)) / (1 + 6 * years[:, None])
        volume = np.where(listed, np.floor(wanted), 0)
        interest = np.cumsum(volume * rng.uniform(-0.2, 0.7, volume.shape), axis=0).clip(min=0)
        worth = partial(_worth, index, common, years[at], call)

        code = [
            f"1{4 if call else 3}{digit}{contract.number % 1000:03d}{int(strike / step) % 1000:03d}"
            for strike in strikes
        ]
        tables.append(_rows(
            board, contract, worth, _option_tick, volume[alive], np.round(interest[alive]), yen,
            common | {
                "Code": np.array(code)[column],
                "PCDiv": np.full(len(at), "2" if call else "1"),
            },
        ))  # fmt: skip
    return pl.concat(tables)


def _worth(index, common, years, call, spot):
    """Prices (M,) of options for an index at `spot` (T,)."""
    session = common["session"]
    return contracts.price(
        spot[session], common["Strike"], years, common["IR"] / 100, common["IV"] / 100, call
    )


def _option_tick(value):
    """Round an option's price [points] to its step, one at least."""
    tick = np.where(value > 100, 5.0, 1.0)
    return np.maximum(np.round(value / tick) * tick, 1.0)


def _future(rng, board, contract, product):
    digit, _, tick, yen, busy = FUTURES[product]
    index, years = board.index, contracts.maturity(board.index, contract)
    served = contract.sessions >= board.first
    sessions, years, count = contract.sessions[served], years[served], served.sum()
    growth = np.exp(index.rate[sessions] * years)
    volume = np.round(busy * np.exp(rng.normal(0, 0.3, count) - 12 * years) + 1)
    interest = np.round(busy * 8 * np.exp(-4 * years) * np.exp(rng.normal(0, 0.05, count)))
    return _rows(
        board, contract, lambda spot: spot[sessions] * growth,
        lambda value: np.round(np.round(value / tick) * tick, 2), volume, interest, yen,
        {
            "session": sessions,
            "CM": np.full(count, contract.month),
            "fresh": sessions == contract.sessions[0],
            "Code": np.full(count, f"16{digit}{contract.number % 1000:03d}000"),
        },
    )  # fmt: skip


def _rows(board, contract, worth, to_tick, volume, interest, yen, common):
    """Prices of both sessions and settlement, (M,) rows, and their doubles in an emergency."""
    index, path = board.index, board.index.path
    session, fresh = common["session"], common["fresh"]
    begin, start, end = (to_tick(worth(spot)) for spot in (index.before, path.open, path.close))
    edges = np.sort([to_tick(worth(path.low)), to_tick(worth(path.high))], axis=0)
    night = volume >= QUIET
    prices = {
        "E": (begin, np.maximum(begin, start), np.minimum(begin, start), start, night & ~fresh),
        "A": (start, edges[1], edges[0], end, volume > 0),
    }
    columns: dict[str, Floats] = {}
    for half, (*quoted, traded) in prices.items():
        columns |= {
            half + name: np.where(traded, part, 0.0)
            for name, part in zip("OHLC", quoted, strict=True)
        }
    whole = _whole(columns, night & ~fresh)
    for name in NIGHT:
        columns[name] = np.where(fresh, np.nan, columns[name])
    mean = (whole["O"] + whole["H"] + whole["L"] + whole["C"]) / 4
    rows = pl.DataFrame({
        **common,
        "Date": index.days[session],
        **whole,
        **columns,
        "Vo": volume,
        "OI": interest,
        "Va": np.round(volume * mean * yen),
        "VoOA": np.round(volume * AUCTION),
        "EmMrgnTrgDiv": np.full(len(session), "002"),
        "LTD": np.full(len(session), contract.last),
        "SQD": np.full(len(session), contract.quotation),
        "Settle": end,
        "Theo": np.round(worth(path.close), 4),
        "UnderPx": np.round(path.close[session], 2),
    }, nan_to_null=True)  # fmt: skip
    urgent = np.isin(session, contracts.emergencies(index, board.first))
    called = rows.with_columns(
        EmMrgnTrgDiv=pl.lit("001"),
        Settle=pl.Series(start),
        Theo=pl.Series(np.round(worth(path.open), 4)),
        UnderPx=pl.Series(np.round(path.open[session], 2)),
    )
    return pl.concat([rows, called.filter(pl.Series(urgent))])


def _whole(columns, night):
    """Open, high, low and close of night and day together; one that did not trade has no say."""
    first, last = ([columns[name] for name in names] for names in (NIGHT, DAY))
    return {
        "O": np.where(night, first[0], last[0]),
        "H": np.where(night, np.maximum(first[1], last[1]), last[1]),
        "L": np.where(night, np.minimum(first[2], last[2]), last[2]),
        "C": last[3],
    }


def _finished(rows, product):
    return rows.drop("session", "fresh").with_columns(ProdCat=pl.lit(product))
