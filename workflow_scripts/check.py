"""Tell whether the API key works, for which plan and for which days."""

from typing import TYPE_CHECKING

from gogooku import jobs
from gogooku.vendor import account, subscription

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

jobs.start(snakemake)
with account.open_client(**snakemake.params.jquants) as client:
    print(subscription.check(client))
