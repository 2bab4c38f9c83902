"""Simulate the exchange: its tables for the server, the truth for evaluation alone."""

from typing import TYPE_CHECKING

from gogooku import files, jobs
from simulated_exchange.market import simulation

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

market, paths = snakemake.params.market, dict(snakemake.output.items())
jobs.start(snakemake)

truth = paths.pop("truth")
market_data = simulation.simulate(**market, datasets=list(paths))
files.write_parquets(market_data.tables, paths)
files.write_parquet(market_data.truth, truth)
