"""Train ATFT-GAT-FAN on one fold with one seed."""

from typing import TYPE_CHECKING

from gogooku import files, jobs
from gogooku.dataset.inputs import Days
from gogooku.models import atft, training

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

wildcards, params, inputs = snakemake.wildcards, snakemake.params, snakemake.input
jobs.log_to(snakemake.log[0])
jobs.seed_everything(int(wildcards.seed), snakemake.threads)
fold, scaler = files.read_json(inputs.fold), files.read_json(inputs.scaler)
named = inputs.dataset, inputs.labels, inputs.graphs
days = Days.read(*named, scaler, fold["horizons"], neighbours=params.neighbours)

net, curve = training.learn(
    days,
    days.part(fold["train"]),
    days.part(fold["valid"]),
    seed=int(wildcards.seed),
    checkpoint=params.checkpoint,
    digest=files.fingerprint(params.code, params.atft, wildcards.seed, files=inputs),
    **params.atft,
)
atft.save(net, snakemake.output.model)
files.write_lines(curve, snakemake.output.curve)
