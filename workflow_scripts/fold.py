"""Cut one fold and prove that no label of a part reaches into the next."""

from typing import TYPE_CHECKING

from gogooku import calendar, run, splits

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

knobs = snakemake.params
run.log_to(snakemake.log[0])

sessions = calendar.Sessions.read(snakemake.input)
fold = splits.cut(
    int(snakemake.wildcards.fold),
    calendar.Sessions(sessions.since(knobs.start)),
    knobs.spans,
    embargo=knobs.embargo,
    horizons=knobs.horizons,
    entry=knobs.entry,
)
run.write_json(fold, snakemake.output[0])
