"""What people are told of a source: what is there, what is missing, what must be mended."""

import datetime as dt

import polars as pl
import pytest
from gogooku import files, sources
from gogooku.errors import UserError
from gogooku.raw import inventory
from gogooku.raw.catalogue import DATASETS
from helpers.checkout import Checkout, copy_of_the_workflow

SPANS = ["2024q1", "2024q2"]
SETTING = {
    "source": "stored", "store": "own", "clock": "published",
    "archive": None, "archive_factor": "ex_date",
}  # fmt: skip
MOMENT = dt.datetime(2024, 1, 4, 6, tzinfo=dt.UTC)


def topix(days=(dt.date(2024, 1, 4), dt.date(2024, 1, 5))):
    """Raw rows of the index."""
    rows = pl.DataFrame({"Date": days, "O": 1.0, "H": 1.0, "L": 1.0, "C": 1.0})
    missing = [pl.lit(None, kind).alias(name) for name, kind in DATASETS["topix"].schema.items()
               if name not in rows]  # fmt: skip
    moment = pl.lit(MOMENT).dt.cast_time_unit("us")
    return rows.with_columns(*missing, known_at=moment, served_at=moment)


@pytest.fixture
def raw(tmp_path, monkeypatch):
    """A store of one sound file in the working directory."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "data" / "raw" / "own"
    files.write_parquet(topix(), folder / "topix" / "2024q1.parquet")
    return folder


def test_the_status_counts_what_is_there_missing_and_damaged(raw):
    (raw / "topix" / "2024q2.parquet").write_bytes(b"half")
    text = inventory.status(raw, ["topix", "bars"], SPANS, source="simulated")
    rows = {words[0]: words[1:] for words in map(str.split, text.splitlines()[1:3])}
    assert rows == {
        "topix": ["2", "0", "1", "2", "2024-01-04", "2024-01-05"],
        "bars": ["0", "2", "0", "0"],
    }
    assert "2024q2.parquet cannot be read" in text
    assert "2 files of spans are missing: the next run that needs them makes them" in text


def test_a_store_that_is_complete_can_be_used(raw):
    assert "can be used" in sources.check(SETTING, ["topix"], SPANS[:1])


def test_a_store_is_refused_with_a_sentence_for_each_file(raw):
    with pytest.raises(UserError) as refused:
        sources.check(SETTING, ["topix"], SPANS)
    assert str(refused.value) == (
        "data/raw/own/topix/2024q2.parquet is missing: put the raw file there"
    )
    wrong = topix().with_columns(pl.col("Date").cast(pl.Datetime))
    files.write_parquet(wrong, raw / "topix" / "2024q2.parquet")
    with pytest.raises(UserError, match="2024q2.parquet holds Datetime.* in the column 'Date'"):
        sources.check(SETTING, ["topix"], SPANS)


def test_a_market_that_is_not_simulated_yet_is_no_fault(raw):
    simulated = {**SETTING, "source": "simulated"}
    assert "the first run simulates the market" in sources.check(simulated, ["topix"], SPANS)
    (raw / "exchange").mkdir()
    (raw / "exchange" / "topix.parquet").write_bytes(b"half")
    with pytest.raises(UserError, match=r"exchange/topix\.parquet cannot be read"):
        sources.check(simulated, ["topix"], SPANS)


def test_an_archive_is_read_at_both_ends(tmp_path):
    archive = {**SETTING, "source": "archive", "archive": str(tmp_path / "nowhere")}
    with pytest.raises(UserError, match="is no folder: set `archive`"):
        sources.check(archive, ["bars", "topix"], SPANS)
    archive["archive"] = str(tmp_path)
    (tmp_path / "stock_prices.csv").write_text(
        "Date,SecuritiesCode,Open,High,Low,Close,Volume,AdjustmentFactor\n"
        "2024-01-04,1301,1,1,1,1,100,1\n2024-04-01,1301,1,1,1,1,100,1\n"
    )
    text = sources.check(archive, ["bars", "topix"], SPANS)
    assert "rows of 2024q1" in text and "rows of 2024q2" in text
    rows = {words[0]: words[1:] for words in map(str.split, text.splitlines()[2:4])}
    assert rows == {"bars": ["1", "1", "1"], "topix": ["0", "0", "0"]}
    with pytest.raises(UserError, match="holds no stock_list.csv"):
        sources.check(archive, ["bars", "master"], SPANS)


def test_many_faults_are_cut_short():
    lines = inventory.shortened([f"fault {number}" for number in range(13)])
    assert lines[-2:] == ["fault 9", "and 3 more"]


def test_status_and_check_answer_for_a_stored_source(tmp_path):
    checkout = Checkout(copy_of_the_workflow(tmp_path))
    stored = ["--config", "source=stored", "store=own"]
    assert "investor_types" in checkout.snakemake("status", *stored).stdout
    refused = checkout.snakemake("check", *stored, check=False)
    assert refused.returncode == 1
    assert "bars/2020y.parquet is missing: put the raw file there" in refused.stderr


def test_columns_stand_below_each_other():
    text = inventory.text([{"name": "a", "n": 5}, {"name": "longer", "n": 123}])
    assert text == "name      n\na         5\nlonger  123\n"
    assert inventory.text([]) == "nothing\n"
