"""Show the files that hold what the subscription does not serve now, and delete them."""

from pathlib import Path
from typing import TYPE_CHECKING

from gogooku import jobs
from gogooku.vendor import account, subscription

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

jobs.start(snakemake)
raw = Path(snakemake.params.raw)
with account.open_client(**snakemake.params.jquants) as client:
    paths = subscription.uncovered(client, raw)
print(subscription.listed(paths, raw))
print(subscription.purge(paths))
