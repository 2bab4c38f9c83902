"""Train ATFT-GAT-FAN on one fold with one seed."""

from typing import TYPE_CHECKING

from gogooku import run, train
from gogooku.days import Days
from gogooku.models import atft

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

me, knobs, files = snakemake.wildcards, snakemake.params, snakemake.input
run.log_to(snakemake.log[0])
run.seed_everything(int(me.seed), snakemake.threads)
fold, scaler = run.read_json(files.fold), run.read_json(files.scaler)
days = Days.read(
    files.dataset, files.labels, files.graphs, scaler, fold["horizons"], neighbours=knobs.neighbours
)

net, curve = train.learn(
    days,
    days.part(fold["train"]),
    days.part(fold["valid"]),
    seed=int(me.seed),
    checkpoint=knobs.checkpoint,
    digest=run.fingerprint(knobs.code, knobs.atft, me.seed, files=files),
    **knobs.atft,
)
atft.save(net, snakemake.output.model)
run.write_lines(curve, snakemake.output.curve)
