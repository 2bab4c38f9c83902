"""Write docs/files.md: columns, types, units and keys of every file between two stages.

python tools/file_schemas.py > docs/files.md
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "lib"))

from gogooku.raw.catalogue import DATASETS

KEYS = "date Date: session; code String: stock, the vendor's five characters"


@dataclass(frozen=True)
class Table:
    """A Parquet file: its path, the columns that tell two rows apart, and all that it holds.

    columns   `name type: meaning [unit]`, with a new line or `;` between them; a name with `{}`
              stands for one or more columns of that form
    metadata  `key: meaning` of each entry in the file's own metadata, a line each
    """

    path: str
    about: str
    keys: str
    columns: str
    metadata: str = ""

    def fields(self) -> list[tuple[str, str, str]]:
        """Name, type and meaning of each column, in the file's order."""
        lines = re.split(r"\n|; (?=\S+ [A-Z]\w*: )", self.columns)
        parts = [line.partition(": ") for line in lines]
        return [(*head.split(maxsplit=1), meaning) for head, _, meaning in parts]


TABLES = [
    Table(
        "<raw>/{dataset}/{span}.parquet", "The vendor's rows of one data set, each with the "
        "moments from which it was known. The data sets' own fields stand below.",
        "see the data set", "{field} Any: the vendor's fields, in the vendor's order\n"
        "known_at Datetime(us, UTC): when the market could read the row\n"
        "served_at Datetime(us, UTC): when the vendor's API delivered it",
        "source: where the rows come from\ndataset: its name\nschema: version of the catalogue's "
        "entry\nrows: day → rows, as JSON\ncontent: SHA-256 of the rows\nplan: the subscription "
        "that served them (API)\nfetched_first: when the first of them was answered (API)\n"
        "fetched_last: and the last (API)",
    ),
    Table(
        "<truth>.parquet", "What the simulated market planted; the evaluation alone reads it.",
        "date, code, part", f"{KEYS}\npart String: planted part\n"
        "expected_{h}d Float64: expected return of this part from entry next_close, by horizon",
    ),
    Table(
        "<build>/panel/{span}.parquet", "One row per session and listed common stock: prices as "
        "traded, factors, and who is in the universe, judged with what was known that day.",
        "date, code", f"""{KEYS}
open Float64: price as traded [JPY]; high Float64: likewise; low Float64: likewise
close Float64: likewise; null where there is none or it was refused
volume Float64: as traded [shares]; value Float64: traded value [JPY]
factor Float64: of prices on this day, 1 where nothing happened
volume_factor Float64: of volumes, likewise
new_level Boolean: prices go on at another level and nothing says why
limit_up Boolean: touched the daily limit; limit_down Boolean: likewise
s33 String: code of the sector, of 33; s17 String: of 17; market String: code of the section
universe Boolean: member on this day""",
    ),
    Table(
        "<build>/quality/{span}.parquet", "One row per value that was refused or level that is "
        "new, and why.", "date, code, rule, field", f"{KEYS}\nrule String: broken rule; field "
        "String: of the panel\nvalue Float64: as the source has it\nreason String: in words",
    ),
    Table(
        "<build>/features/{family}/{span}.parquet", "One row per row of the panel: a family's "
        "columns before normalisation.", "date, code", f"{KEYS}\n{{column}} Float32: the family's "
        "columns, units in features.md; null where unknown\n"
        "is_{family}_valid Boolean: whether any column that tells of the stock (or day) is known",
        "kinds: column → stock, market or flag, as JSON\nabout: column → what it is, as JSON",
    ),
    Table(
        "<build>/dataset/{span}.parquet", "Universe members: all families side by side, stock "
        "columns normalised within the day. No labels.", "date, code",
        f"{KEYS}\n{{column}} Float32: stock columns in units of the day's cross-section; market "
        "columns as they are; null where unknown\nis_{family}_valid Boolean: of each family",
        "kinds: column → stock, market or flag, as JSON\nreasons: date → why its stock columns are "
        "null, as JSON",
    ),
    Table(
        "<build>/profile/{span}.parquet", "One row per column of the features: how much is known "
        "of it, and what looks wrong.", "span, column", """span String: name
year Int32: of the span
family String: name; column String: name; kind String: stock, market or flag
about String: definition, unit, look-back and source
rows Int64: universe rows; known Int64: of them with a value; infinite Int64: infinite values
days Int64: days with enough values to compare; constant Int64: of them without a difference
thin Int64: days with too few stocks to normalise
pairs Int64: rows whose stock had a value the session before too; stale Int64: of them unchanged
farthest Float64: greatest distance from the median [ranges from the 1st to the 99th percentile]
twin String: first column with the same order on every day
sketch List(Float32): 101 quantiles of the known values""",
    ),
    Table(
        "<build>/labels/{span}.parquet", "Returns that became known in the span, filed by their "
        "exit.", "date, code, horizon", f"{KEYS}\nhorizon Int16: from entry to exit [sessions]\n"
        "exit Date: session at which the label is known\nlabel Float32: return, adjusted for "
        "splits [share]",
    ),
    Table(
        "<build>/graphs/{span}.parquet", "Who moved with whom, from returns up to the day.",
        "date, source, target", "date Date: session\nsource String: stock; target String: stock "
        "that listens to it\nweight Float32: signed correlation",
    ),
    Table(
        "<run>/predictions/{model}/fold{fold}/seed{seed}.parquet", "Scores of every universe "
        "member on every test day: the same rows from every model.", "date, code",
        f"{KEYS}\nprediction_{{h}}d Float32: score by horizon; its order counts, not its unit",
    ),
    Table(
        "<run>/evaluation/{model}.parquet", "Daily numbers of a model.",
        "date, seed, fold, horizon, metric", "date Date: session; seed Int16: of the fit, -1 for "
        "the mean of all; fold Int16: that answered the day\nhorizon Int16: [sessions]; metric "
        "String: name; value Float64: null where the day says nothing",
    ),
]  # fmt: skip

JSONS = {
    "<run>/folds/fold{fold}.json": "first and last session and number of sessions of `train` and "
    "`valid`, their spans (`train_spans` …), the first session of `test`, `horizons` [sessions], "
    "`entry`, `embargo` [sessions] and the number of the `fold`",
    "<run>/folds/scaler{fold}.json": "market column → `mean` and `sd` over the training part",
    "<run>/evaluation/{model}.json": "`horizons` → horizon → seed (-1: the mean of all) → RankIC, "
    "IC, hit rate, spread with their intervals, ICIR, and books (`long_short`; of the mean also "
    "`long_only`, `against_topix`, `neutral`) before and after costs; `truth` → horizon → what was "
    "found of what was planted; `breakdowns` → horizon → where the mean of seeds is right; "
    "`competition`: the public competition's score, where 400 stocks are predicted; and the rules: "
    "`days`, `first`, `last`, `folds`, `seeds`, `entry`, `quantiles`, "
    "`confidence`, `delisting` [share] and `costs`",
    "<run>/report/run.json": "what the report is about: `settings`, their `digest`, `first` and "
    "`last` day, `rows` and `stocks` of the panel, and `evaluations`, model → digest of its file; "
    "and what it says beyond these: `verdict`, `judgement` (differences from the yardstick, "
    "confidence sets, deflated Sharpe ratios, the luck of choosing, number of trials), `alarms`, "
    "`certificates`, `survivorship`, `lacks` and `provenance` (seconds and memory by stage too)",
    "comparisons/{runs}.json": "`runs` that are compared, `remarks` on what cannot be, `settings` "
    "that differ, key → run → value, and `differences` of daily RankIC, by run, model and horizon",
    "<run>/models/{model}/fold{fold}/seed{seed}/": "one fit, in the model's own form and without "
    "pickle; `curve.jsonl`: one line an epoch, of models that train in epochs",
}


def page() -> str:
    """Give the page as Markdown."""
    parts = [HEAD, *(_section(table) for table in TABLES), "## JSON files", ""]
    parts += [f"- `{path}`: {about}." for path, about in JSONS.items()]
    parts += ["", "## Fields of the raw data sets", "", RAW_HEAD]
    parts += [_data_set(name) for name in DATASETS]
    return "\n".join(parts) + "\n"


HEAD = """# Files between stages

Made by `tools/file_schemas.py`; a test holds every file of a finished run against it. Parquet
files are sorted by their keys. `<raw>` is `data/raw/<store>`, `<truth>` is `data/truth/<store>`,
`<build>` is `builds/<build>`, `<run>` is `runs/<name>`.
"""

RAW_HEAD = """Unit and name, in the vendor's order; **bold**: a value in every row; *italic*: the
vendor may leave the field out. Numbers are Float64, texts String.
"""


def _section(table: Table) -> str:
    rows = [f"| `{name}` | {kind} | {meaning} |" for name, kind, meaning in table.fields()]
    metadata = [f"- `{line.replace(': ', '`: ', 1)}" for line in table.metadata.splitlines()]
    lines = [f"## `{table.path}`", "", f"{table.about} Keys: {table.keys}.", ""]
    lines += ["| column | type | meaning |", "|---|---|---|", *rows, ""]
    return "\n".join(lines + (["Metadata:", "", *metadata, ""] if metadata else []))


def _data_set(name: str) -> str:
    entry = DATASETS[name]
    units: dict[str, list[str]] = {}
    for field in entry.fields:
        form = "**{}**" if field.filled else "*{}*" if field.optional else "{}"
        units.setdefault(field.unit, []).append(form.format(field.name))
    lines = [f"- {unit}: {', '.join(names)}" for unit, names in units.items()]
    return "\n".join([f"### `{name}`", "", f"Keys: {', '.join(entry.key)}.", "", *lines, ""])


if __name__ == "__main__":
    sys.stdout.write(page())
