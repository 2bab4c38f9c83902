"""A simulated exchange with the fields, traps and calendar of the vendor, and with a known truth.

The noise is described in market_prices.py, the planted parts of expected return and their exact
expectations in market_signals.py, the filings in market_filings.py, the traders in
market_shorts.py, market_margin.py, market_flows.py and market_contracts.py. Everything is drawn at
once for all days from streams of random numbers that are named after what they are used for:
switching a part off, or leaving a table out, changes no other draw.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from gogooku import errors

from simulated_exchange.market import (
    accounts,
    calendar,
    contracts,
    derivatives,
    dividends,
    filings,
    prices,
    signals,
)
from simulated_exchange.market import bars as market_bars
from simulated_exchange.market import flows as market_flows
from simulated_exchange.market import indices as market_indices
from simulated_exchange.market import listings as market_listings
from simulated_exchange.market import margin as market_margin
from simulated_exchange.market import schedule as market_schedule
from simulated_exchange.market import shorts as market_shorts
from simulated_exchange.market import summary as market_summary
from simulated_exchange.market.listings import Days, Floats, Listings
from simulated_exchange.market.signals import Ahead

WARM_UP = dt.timedelta(days=450)
CALENDAR = dt.timedelta(days=120)  # the calendar is known so far beyond the last day that is served
FUTURE = dt.timedelta(days=500)  # and the exchange's own so far, for contracts that end later
BUSY = 0.5  # amplitude of the planted cycle in log volume


class Tables(Mapping[str, pl.DataFrame]):
    """Tables by data set. Each is made when it is asked for, and not kept: a market is large."""

    def __init__(self, makers: Mapping[str, Callable[[], pl.DataFrame]]) -> None:
        self._makers = makers

    def __getitem__(self, dataset: str) -> pl.DataFrame:
        return self._makers[dataset]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


@dataclass(frozen=True)
class Market:
    """Everything that the simulated exchange publishes, and what nobody there can know.

    tables  rows per data set of sources/catalogue.py
    """

    tables: Mapping[str, pl.DataFrame]
    _world: "_World"

    @property
    def truth(self) -> pl.DataFrame:
        """Expected returns, made anew each time.

        date, code, part (each that is on, and their total), expected_1d, _5d, _10d, _20d: the
        return expected, at the close of `date`, from the close of the next session to the close 1,
        5, 10, 20 sessions later, beside the drift common to all stocks. The mean over stocks is
        what is expected of the market.
        """
        return self._world.truth()


def simulate(
    *,
    seed: int,
    start: dt.date,
    end: dt.date,
    stocks: int,
    parts: Mapping[str, float],
    datasets: Sequence[str] | None = None,
) -> Market:
    """Simulate the exchange from `start` to `end`.

    seed      of all random draws; the same seed gives the same bits
    stocks    common stocks listed at one time, about
    parts     strength of each part of expected return: standard deviation across stocks of the
              return expected, at a close, for one session from the next close on; mean over all
              sessions [bp]; 0 is exactly off. A part that is not named is off.
    datasets  names of the tables wanted; None for all. bars_am and bars_minute have none: they are
              other views of the bars.

    Raises UserError if the time holds too few sessions, or a part or a data set is unknown.
    """
    _check("market.parts", parts, signals.PARTS)
    days = calendar.sessions(start - WARM_UP, end + FUTURE)
    world = _World(seed, start, end, stocks, parts, days)
    if len(world.days) - world.first < 70:
        raise errors.UserError(
            f"market.start {start} and market.end {end} are too close: give the simulated exchange "
            f"70 sessions at least"
        )
    makers = world.makers()
    _check("datasets", datasets or (), makers)
    wanted = makers if datasets is None else datasets
    return Market(Tables({name: makers[name] for name in wanted}), world)


def _check(setting, names, known):
    for name in names:
        if name not in known:
            raise errors.UserError(f"{setting} has no {name!r}; choose among {', '.join(known)}")


@dataclass(frozen=True)
class _World:
    """The exchange; what tables or parts need is made when first asked for."""

    seed: int
    start: dt.date
    end: dt.date
    stocks: int
    parts: Mapping[str, float]
    timeline: Days

    def stream(self, name: str) -> np.random.Generator:
        """Random numbers for one purpose, from their beginning."""
        return np.random.default_rng([self.seed, *name.encode()])

    @cached_property
    def days(self) -> Days:
        return self.timeline[self.timeline <= np.datetime64(self.end)]

    @cached_property
    def first(self) -> int:
        return int(np.searchsorted(self.days, np.datetime64(self.start)))

    @cached_property
    def listings(self) -> Listings:
        return market_listings.draw(self.stream("listings"), self.days, self.first, self.stocks)

    @cached_property
    def events(self) -> pl.DataFrame:
        return filings.draw(self.stream("filings"), self.listings)

    @cached_property
    def surprise(self) -> tuple[Floats, Floats]:
        return filings.surprises(self.events, self.listings)

    @cached_property
    def noise(self) -> prices.Noise:
        return prices.draw_noise(self.stream("noise"), self.listings)

    @cached_property
    def phases(self) -> tuple[Floats, Floats]:
        return signals.draw_phases(self.stream("phases"), *self.listings.listed.shape)

    @cached_property
    def shorts(self) -> market_shorts.Shorts:
        return market_shorts.draw(self.stream("shorts"), self.listings, self.surprise[0])

    @cached_property
    def flows(self) -> market_flows.Flows:
        return market_flows.draw(self.stream("flows"), self.listings)

    @cached_property
    def fear(self) -> Floats:
        return contracts.draw_fear(self.stream("fear"), len(self.days))

    @cached_property
    def schedule(self) -> market_schedule.Schedule:
        return market_schedule.draw(
            self.stream("schedule"), self.stream("filings"), self.listings, self.timeline
        )

    def reasons(self) -> Floats:
        return market_margin.draw_reasons(self.stream("reasons"), self.listings)

    def ahead(self, part: str) -> Ahead:
        """Give the expectations of a part before scaling."""
        listings, noise = self.listings, self.noise
        match part:
            case "reversal":
                return signals.reversal(noise.own)
            case "drift":
                return signals.drift(self.surprise[0])
            case "lead_lag":
                return signals.lead_lag(noise.own, listings)
            case "cycle":
                return signals.cycle(*self.phases)
            case "short":
                return market_shorts.signal(self.shorts)
            case "margin":
                return signals.prints(-market_margin.news(self.reasons(), listings))
            case "flow":
                return signals.prints(market_flows.news(self.flows, listings))
            case "option":
                return signals.option(self.fear, noise.beta)
            case "sector":
                return signals.sector(noise.sector, listings)
            case _:
                return signals.schedule(market_schedule.before(self.schedule, listings))

    @cached_property
    def planted(self) -> dict[str, tuple[Ahead, float]]:
        """Parts that are on and ask for no prices: expectations, and what gives them strength."""
        counted = self.listings.listed & self.listings.common
        counted[: self.first] = False
        found = {}
        for part in signals.PARTS:
            strength = self.parts.get(part, 0) / 1e4
            if strength and part != "size":
                ahead = self.ahead(part)
                found[part] = ahead, signals.scale(ahead, counted, strength)
        return found

    @property
    def premium(self) -> float:
        """Strength of the part `size`: smallness has unit standard deviation as it is."""
        return self.parts.get("size", 0) / 1e4

    @cached_property
    def bars(self) -> prices.Bars:
        expected = np.zeros(self.listings.listed.shape)
        for ahead, factor in self.planted.values():
            expected += factor * signals.accrue(ahead)
        return prices.trade(
            self.stream("trading"), self.listings, self.noise, expected, self.surprise,
            BUSY * np.sin(self.phases[0]), self.premium,
        )  # fmt: skip

    @cached_property
    def margin(self) -> market_margin.Margin:
        return market_margin.keep(
            self.stream("margin"), self.listings, self.bars, self.noise, self.reasons()
        )

    @cached_property
    def topix(self) -> market_indices.Path:
        return market_indices.topix(self.stream("topix"), self.listings, self.bars)

    @cached_property
    def boards(self) -> dict[str, derivatives.Board]:
        average = market_indices.average(self.stream("average"), self.listings, self.bars)
        return {
            name: derivatives.Board(
                contracts.underlying(self.days, path, self.fear), self.timeline, self.first
            )
            for name, path in (("NK225", average), ("TOPIX", self.topix))
        }

    def summary(self) -> pl.DataFrame:
        return market_summary.table(self.stream("summary"), self.events, self.listings)

    def breakdown(self) -> pl.DataFrame:
        return market_margin.breakdown(
            self.stream("breakdown"), self.listings, self.bars, self.margin
        )

    def indices(self) -> pl.DataFrame:
        return market_indices.table(
            self.stream("indices"), self.listings, self.bars,
            market_indices.topix_table(self.topix, self.listings),
            filings.book_to_price(self.events, self.listings),
        )  # fmt: skip

    def chain(self, product: str) -> pl.DataFrame:
        board = self.boards[product.removesuffix("E")]
        return derivatives.options(self.stream(product), board, product)

    def makers(self) -> dict[str, Callable[[], pl.DataFrame]]:
        """Tell how each table is made."""
        return {
            "calendar": lambda: calendar.calendar(self.timeline, self.start, self.end + CALENDAR),
            "master": lambda: market_listings.master(self.listings),
            "bars": lambda: market_bars.table(self.stream("sessions"), self.listings, self.bars),
            "valuation": lambda: accounts.valuation(self.listings, self.bars, self.summary()),
            "investor_types": lambda: market_flows.investor_types(
                self.flows, self.listings, self.bars
            ),
            "earnings_calendar": lambda: market_schedule.earnings_calendar(
                self.schedule, self.listings
            ),
            "earnings_date": lambda: market_schedule.earnings_date(self.schedule, self.listings),
            "summary": self.summary,
            "details": lambda: accounts.details(self.summary()),
            "dividend": lambda: dividends.dividend(
                self.stream("dividend"), self.timeline, self.summary()
            ),
            "indices": self.indices,
            "topix": lambda: market_indices.topix_table(self.topix, self.listings),
            "margin_interest": lambda: market_margin.margin_interest(
                self.stream("margin_interest"), self.listings, self.bars, self.margin
            ),
            "margin_alert": lambda: market_margin.margin_alert(
                self.stream("margin_alert"), self.listings, self.margin
            ),
            "short_ratio": lambda: market_margin.short_ratio(self.breakdown(), self.listings),
            "short_sale": lambda: market_shorts.short_sale(self.shorts, self.listings),
            "breakdown": self.breakdown,
            "options_225": lambda: derivatives.table("options_225", self.chain("NK225E")),
            "futures": lambda: derivatives.futures(self.stream("futures"), self.boards),
            "options": lambda: derivatives.table(
                "options", pl.concat([self.chain("NK225E"), self.chain("TOPIXE")])
            ),
        }

    def truth(self) -> pl.DataFrame:
        """Rows of all parts and their total, by day, code and part."""
        session, issue = self.listings.served()
        kept = self.listings.common[issue]
        at = session[kept], issue[kept]
        planted = dict(self.planted)
        if self.premium:
            every = slice(None)
            small = prices.smallness(self.listings, self.bars.fair_close, every)
            planted["size"] = signals.size(small), self.premium
        names = [*planted, "total"]
        rows, parts = len(at[0]), len(names)
        expected = {f"expected_{h}d": np.zeros((rows, parts)) for h in signals.HORIZONS}
        for column, (ahead, factor) in enumerate(planted.values()):
            horizons = signals.over_horizons(ahead)
            for found, horizon in zip(expected.values(), horizons, strict=True):
                found[:, column] = factor * horizon[at]
                found[:, -1] += found[:, column]
        which = pl.Series(np.tile(np.arange(parts, dtype=np.uint32), rows))
        return pl.DataFrame({
            "date": np.repeat(self.days[at[0]], parts),
            "code": self.listings.names(np.repeat(at[1], parts)),
            "part": pl.Series(names).gather(which),
            **{name: found.ravel() for name, found in expected.items()},
        })  # fmt: skip
