"""The command line of the simulated exchange: which market it serves, when, how and to whom."""

import argparse
import datetime as dt
import signal
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gogooku import errors, files
from gogooku.raw.dataset import PLANS

from simulated_exchange.market import simulation
from simulated_exchange.server import clock as clocks
from simulated_exchange.server import faults
from simulated_exchange.server.exchange import Exchange
from simulated_exchange.server.limits import Limiter

KEY = "simulated-exchange"


def parser() -> argparse.ArgumentParser:
    """Describe the arguments."""
    wanted = argparse.ArgumentParser(
        prog="python -m simulated_exchange",
        description="Serve a simulated market, or a folder of tables, as the J-Quants API V2 does.",
        epilog="faults: " + "; ".join(f"{name}: {what}" for name, what in faults.FAULTS.items()),
    )
    add = wanted.add_argument
    add("--folder", type=Path, help="folder of <data set>.parquet; else a market is simulated")
    add("--stocks", type=int, default=200, help="of the simulated market, about")
    add("--start", type=dt.date.fromisoformat, default=dt.date(2022, 1, 4), help="its first day")
    add("--end", type=dt.date.fromisoformat, default=dt.date(2024, 12, 30), help="its last day")
    add("--market-seed", type=int, default=7, help="of its random numbers")
    add("--port", type=int, default=8300, help="0 takes a free one")
    add("--key", default=KEY, help="the API key that clients must send")
    add("--plan", choices=PLANS, default="premium")
    add("--minute-bars", action="store_true", help="the plan has the add-on of minute bars")
    add("--clock", type=_moment, help="time there at the start [JST], such as 2024-12-30T18:00")
    add("--speed", type=float, default=1.0, help="seconds there in one of ours; 0 stands still")
    add("--limited", action="store_true", help="the plan's rate of requests holds")
    add("--minute", type=float, default=60.0, help="length of the limiter's minute [s]")
    add("--page-rows", type=int, help="rows of one page")
    add(
        "--fault",
        type=_share,
        action="append",
        default=[],
        metavar="NAME=SHARE",
        help="share of requests that go wrong in a way, such as 500=0.01; may be repeated",
    )
    add("--fault-seed", type=int, default=0, help="of the draw of faults")
    add("--slow", type=float, default=8.0, help="what the fault slow takes [s]")
    return wanted  # fmt: skip


def run(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted or asked to end.

    arguments   of the command line; None: those of the process
    """
    options = parser().parse_args(arguments)
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, signal.default_int_handler)
    try:
        with tempfile.TemporaryDirectory(prefix="exchange-tables-") as folder:
            tables = options.folder or _simulated(options, Path(folder))
            with Exchange(tables, **_settings(options)) as server:
                print(_welcome(server.url, options), flush=True)
                threading.Event().wait()
    except KeyboardInterrupt:
        print("closed")
    except errors.UserError as error:
        sys.exit(str(error))


def _simulated(options: argparse.Namespace, folder: Path) -> Path:
    """Simulate into a folder, so that no more of it is in memory than is served."""
    print(f"simulating about {options.stocks} stocks …", flush=True)
    market = simulation.simulate(
        seed=options.market_seed,
        start=options.start,
        end=options.end,
        stocks=options.stocks,
        parts={},
    )
    for name, table in market.tables.items():
        files.write_parquet(table, folder / f"{name}.parquet")
    return folder


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    start = options.clock or clocks.end_of(options.end)
    return {
        "key": options.key,
        "now": clocks.scaled(start, options.speed),
        "plan": options.plan,
        "minute_bars": options.minute_bars,
        "page_rows": options.page_rows,
        "limiter": Limiter(options.plan, on=options.limited, minute=options.minute),
        "faults": faults.at_random(dict(options.fault), options.fault_seed),
        "slow": options.slow,
        "port": options.port,
    }


def _moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=clocks.JST)


def _share(text: str) -> tuple[str, float]:
    name, _, share = text.partition("=")
    return name, float(share)


def _welcome(url: str, options: argparse.Namespace) -> str:
    start = options.clock or clocks.end_of(options.end)
    return f"""\
{url}
  plan {options.plan}, {start:%Y-%m-%d %H:%M} JST, {options.speed:g} times as fast as time
  send the header x-api-key: {options.key}
  curl -H 'x-api-key: {options.key}' '{url}/markets/calendar'
  interrupt to close"""
