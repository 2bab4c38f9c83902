"""A folder in the layout of the public JPX data set becomes the vendor's data sets."""

import datetime as dt
import os

import polars as pl
import pytest
from gogooku.archive import jpx_layout, reader
from gogooku.errors import UserError
from gogooku.raw.catalogue import DATASETS
from polars.testing import assert_frame_equal

DAYS = [dt.date(2022, 3, 31), dt.date(2022, 4, 1), dt.date(2022, 4, 4), dt.date(2022, 4, 5)]
SERVED = ["bars", "calendar", "investor_types", "master", "summary", "topix"]


def prices(codes=(1301, "130A"), days=DAYS, factors=None):
    rows = [
        {
            "Date": day.isoformat(),
            "SecuritiesCode": str(code),
            "Open": 100.0 + place,
            "High": 101.5 + place,
            "Low": 99.0 + place,
            "Close": 100.7 + place,
            "Volume": 500,
            "AdjustmentFactor": (factors or {}).get((day, code), 1.0),
        }
        for place, day in enumerate(days)
        for code in codes
    ]
    return pl.DataFrame(rows)


def stock_list(**changes):
    rows = {
        "SecuritiesCode": ["1301", "130A", "1305", "1491"],
        "EffectiveDate": [20211230] * 4,
        "Name": ["KYOKUYO CO.,LTD.", "Letter", "Daiwa ETF-TOPIX", "Gone before"],
        "Section/Products": [
            "First Section (Domestic)",
            "Mothers (Foreign)",
            "ETFs/ ETNs",
            "JASDAQ(Growth/Domestic)",
        ],
        "NewMarketSegment": ["Prime Market", "Growth Market (Foreign Stock)", None, None],
        "33SectorCode": ["50", "5250", "-", "3200"],
        "17SectorCode": ["1", "10", "-", "4"],
        "NewIndexSeriesSize": ["TOPIX Small 2", "-", "-", "-"],
    }
    return pl.DataFrame(rows | changes)


def financials():
    absent = dict.fromkeys(jpx_layout.FILED, [None] * 4)
    filed = {
        "DisclosureNumber": ["20220404000001.0", "20220404000002.0", "3.0", "4.0"],
        "SecuritiesCode": ["1301.0"] * 4,
        "DisclosedDate": ["2022-04-04", "2022-04-04", "2022-04-05", "2022-05-01"],
        "DisclosedTime": ["15:00:00"] * 4,
        "TypeOfDocument": [
            "FYFinancialStatements_Consolidated_JP",
            "ForecastRevision",
            "ForecastRevision",
            "ForecastRevision",
        ],
        "TypeOfCurrentPeriod": ["FY"] * 4,
        "CurrentFiscalYearEndDate": ["2022-02-28"] + ["2023-02-28"] * 3,
        "NetSales": ["1000", "", None, "1"],
        "OperatingProfit": ["－", "", None, "1"],
        "TotalAssets": ["5000", "", None, "1"],
        "ForecastNetSales": ["1100", "1200", "－", "1"],
        "ForecastDividendPerShareAnnual": ["10.5", "", "11.0", "1"],
        "ChangesInAccountingEstimates": ["True", "", "False", ""],
    }
    return pl.DataFrame(absent | filed, schema_overrides=dict.fromkeys(absent, pl.String))


def trades():
    weeks = {
        "Date": ["2022-04-07", "2022-04-14", "2022-04-15"],
        "StartDate": ["2022-03-28", "2022-04-04", None],
        "EndDate": ["2022-04-01", "2022-04-08", None],
        "Section": ["Growth Market (Mothers/JASDAQ)"] * 2 + [None],
    }
    amounts = dict.fromkeys(list(jpx_layout.WEEKLY)[4:], [7.0, 8.0, None])
    return pl.DataFrame(weeks | amounts)


@pytest.fixture
def folder(tmp_path):
    stock_list().write_csv(tmp_path / "stock_list.csv")
    prices().write_csv(tmp_path / "stock_prices.csv")
    financials().write_csv(tmp_path / "financials.csv")
    trades().write_csv(tmp_path / "trades.csv")
    return tmp_path


def read(folder, dataset, first=DAYS[0], last=DAYS[-1], convention="ex_date"):
    return reader.read(folder, dataset, first, last, factor_convention=convention)


@pytest.mark.parametrize("dataset", SERVED)
def test_rows_have_the_vendor_s_fields_and_order(folder, dataset):
    rows = read(folder, dataset)
    assert dict(rows.schema) == DATASETS[dataset].schema
    assert_frame_equal(rows, rows.sort(DATASETS[dataset].key))
    assert rows.is_empty() == (dataset in ("topix", "investor_types"))


def test_the_calendar_opens_on_sessions_and_on_the_day_of_the_outage(tmp_path):
    days = read(tmp_path, "calendar", dt.date(2020, 9, 28), dt.date(2020, 10, 4))
    assert days["HolDiv"].to_list() == ["1", "1", "1", "1", "1", "0", "0"]
    new_year = read(tmp_path, "calendar", dt.date(2021, 12, 31), dt.date(2022, 1, 3))
    assert new_year["HolDiv"].to_list() == ["0"] * 4
    assert read(tmp_path, "calendar", DAYS[0], DAYS[0])["HolDiv"].to_list() == ["1"]


def test_bars_keep_prices_and_write_codes_with_five_characters(folder):
    bars = read(folder, "bars")
    assert bars["Code"].to_list() == ["13010", "130A0"] * 4
    first = bars.filter(Code="13010").row(0, named=True)
    assert [first[name] for name in ("O", "H", "L", "C", "Vo")] == [100, 101.5, 99, 100.7, 500]
    assert all(first[name] is None for name in ("UL", "LL", "Va", "ExRT"))


def test_only_the_days_asked_for_are_read(folder):
    assert read(folder, "bars", DAYS[1], DAYS[2])["Date"].unique().to_list() == DAYS[1:3]
    assert read(folder, "master", DAYS[1], DAYS[2])["Date"].unique().to_list() == DAYS[1:3]


def test_a_session_without_a_trade_has_no_prices_and_no_volume(folder):
    quiet = prices().with_columns(
        pl.lit(None, pl.Float64).alias(name) for name in ("Open", "High", "Low", "Close")
    )
    quiet.with_columns(Volume=0).write_csv(folder / "stock_prices.csv")
    bars = read(folder, "bars")
    assert bars.height == 8
    assert bars.select("O", "H", "L", "C", "Vo").null_count().row(0) == (8,) * 5
    assert read(folder, "master").height == 8


@pytest.mark.parametrize(
    ("convention", "place"), [("ex_date", 1), ("day_before", 2)], ids=["stands", "moves"]
)
def test_a_factor_stands_on_the_ex_date(folder, convention, place):
    prices(factors={(DAYS[1], 1301): 0.5}).write_csv(folder / "stock_prices.csv")
    bars = read(folder, "bars", convention=convention).filter(Code="13010")
    assert bars["AdjFactor"].to_list() == [0.5 if day == place else 1.0 for day in range(4)]


def test_a_factor_moves_over_the_edge_of_what_is_read(folder):
    prices(factors={(DAYS[1], 1301): 0.5}).write_csv(folder / "stock_prices.csv")
    whole = read(folder, "bars", convention="day_before")
    parts = [
        read(folder, "bars", DAYS[0], DAYS[1], "day_before"),
        read(folder, "bars", DAYS[2], DAYS[3], "day_before"),
    ]
    assert_frame_equal(pl.concat(parts), whole)


def test_a_factor_waits_for_the_stock_s_next_row(folder):
    rows = prices(factors={(DAYS[0], 1301): 0.5})
    gap = (pl.col("Date") == DAYS[1].isoformat()) & (pl.col("SecuritiesCode") == "1301")
    rows.filter(~gap).write_csv(folder / "stock_prices.csv")
    bars = read(folder, "bars", convention="day_before").filter(Code="13010")
    assert bars.select("Date", "AdjFactor").rows() == [
        (DAYS[0], 1.0),
        (DAYS[2], 0.5),
        (DAYS[3], 1.0),
    ]


def test_parts_and_kinds_of_file_read_alike(folder, tmp_path_factory):
    public = tmp_path_factory.mktemp("public")
    stock_list().write_csv(public / "stock_list.csv")
    for place, days in (("train_files", DAYS[:3]), ("supplemental_files", DAYS[2:])):
        (public / place).mkdir()
        part = prices(days=DAYS).filter(pl.col("Date").is_in([day.isoformat() for day in days]))
        part.with_columns(RowId=pl.lit(place)).write_csv(public / place / "stock_prices.csv")
    flat = tmp_path_factory.mktemp("flat")
    stock_list().write_parquet(flat / "stock_list.parquet")
    typed = prices(codes=(1301,)).with_columns(
        pl.col("Date").str.to_date(),
        pl.col("SecuritiesCode").cast(pl.Int32),
        pl.col("Open", "High", "Low", "Close").cast(pl.Float32),
    )
    typed.write_parquet(flat / "stock_prices.parquet")
    for dataset in ("bars", "master"):
        given = read(folder, dataset)
        assert_frame_equal(read(public, dataset), given)
        assert_frame_equal(read(flat, dataset), given.filter(Code="13010"), check_exact=True)


def test_a_day_lists_the_stocks_that_have_a_row_on_it(folder):
    late = prices(codes=("1301",)), prices(codes=("130A",), days=DAYS[2:])
    pl.concat(late).write_csv(folder / "stock_prices.csv")
    listed = read(folder, "master").group_by("Date").len().sort("Date")
    assert listed["len"].to_list() == [1, 1, 2, 2]


def test_the_day_of_the_outage_lists_the_stocks_of_the_session_before(folder):
    days = [dt.date(2020, 9, 29), dt.date(2020, 9, 30), dt.date(2020, 10, 2)]
    rows = pl.concat([prices(("1301",), days), prices(("130A",), days[:1])])
    rows.write_csv(folder / "stock_prices.csv")
    outage = dt.date(2020, 10, 1)
    assert read(folder, "master", outage, outage).select("Date", "Code").rows() == [
        (outage, "13010")
    ]
    assert read(folder, "bars", outage, outage).is_empty()
    assert read(folder, "master", days[2], days[2])["Code"].to_list() == ["13010"]


def test_markets_are_those_of_the_day(folder):
    prices(codes=(1301, "130A", 1305, 1491)).write_csv(folder / "stock_prices.csv")
    listed = read(folder, "master").select("Date", "Code", "Mkt", "ProdCat", "S33", "S17")
    assert listed.filter(Date=DAYS[1]).drop("Date").rows() == [
        ("13010", "0101", "011", "0050", "1"),
        ("13050", "0109", "014", "9999", "99"),
        ("130A0", "0104", "021", "5250", "10"),
        ("14910", "0107", "011", "3200", "4"),
    ]
    assert listed.filter(Date=DAYS[2])["Mkt"].to_list() == ["0111", "0109", "0113", "0107"]


def test_a_stock_that_the_list_lacks_is_said_and_kept(folder, caplog):
    prices(codes=(1301, 9999)).write_csv(folder / "stock_prices.csv")
    row = read(folder, "master").filter(Code="99990").row(0, named=True)
    assert (row["ProdCat"], row["Mkt"], row["S33"], row["S17"]) == ("011", "0109", "9999", "99")
    assert "lacks 1 codes that have prices, as 99990" in caplog.text


def test_filings_have_the_vendor_s_names_and_nothing_for_a_dash(folder):
    year, revision, dividend = read(folder, "summary").rows(named=True)
    assert (year["DiscNo"], year["Code"], year["DiscTime"]) == (
        "20220404000001",
        "13010",
        "15:00:00",
    )
    assert (year["Sales"], year["OP"], year["ChgAcEst"]) == (1000.0, None, True)
    assert revision["DocType"] == "EarnForecastRevision" and revision["FSales"] == 1200.0
    assert revision["Sales"] is None and revision["NxFSales"] is None
    assert dividend["DocType"] == "DividendForecastRevision" and dividend["FDivAnn"] == 11.0


def test_guidance_beside_a_year_s_results_is_the_next_year_s(folder):
    year = read(folder, "summary").row(0, named=True)
    assert (year["FSales"], year["FDivAnn"]) == (None, None)
    assert (year["NxFSales"], year["NxFDivAnn"]) == (1100.0, 10.5)
    assert (year["NxtFYSt"], year["NxtFYEn"]) == (dt.date(2022, 3, 1), dt.date(2023, 2, 28))


def test_sections_of_weekly_trading_are_those_of_the_week(folder):
    weeks = read(folder, "investor_types", last=dt.date(2022, 4, 30))
    assert weeks.select("PubDate", "EnDate", "Section", "BankBuy", "TotTot").rows() == [
        (dt.date(2022, 4, 7), dt.date(2022, 4, 1), "TSEMothers", 7.0, 7.0),
        (dt.date(2022, 4, 14), dt.date(2022, 4, 8), "TSEGrowth", 8.0, 8.0),
    ]


@pytest.mark.parametrize(
    ("name", "dataset"), [("financials", "summary"), ("trades", "investor_types")]
)
def test_what_may_be_absent_has_no_rows_and_is_said(folder, caplog, name, dataset):
    (folder / f"{name}.csv").unlink()
    assert read(folder, dataset).is_empty()
    assert f"holds no {name}" in caplog.text


@pytest.mark.parametrize("name", ["stock_prices", "stock_list"])
def test_what_must_be_there_is_asked_for(folder, name):
    (folder / f"{name}.csv").unlink()
    with pytest.raises(UserError, match=f"holds no {name}.csv or {name}.parquet"):
        read(folder, "master")


@pytest.mark.parametrize("kind", [".csv", ".parquet"])
@pytest.mark.parametrize(
    ("name", "table"), [("stock_prices", prices()), ("stock_list", stock_list())]
)
def test_a_file_that_must_have_rows_and_has_none_is_named(folder, kind, name, table):
    (folder / f"{name}.csv").unlink()
    write = {".csv": table.clear().write_csv, ".parquet": table.clear().write_parquet}[kind]
    write(folder / f"{name}{kind}")
    with pytest.raises(UserError, match=f"{name}{kind} has a header and no rows: put a whole"):
        read(folder, "master")


@pytest.mark.parametrize(
    ("name", "dataset", "table"),
    [("financials", "summary", financials()), ("trades", "investor_types", trades())],
)
def test_a_file_that_may_be_empty_has_no_rows_and_is_said(folder, caplog, name, dataset, table):
    table.clear().write_csv(folder / f"{name}.csv")
    rows = read(folder, dataset)
    assert rows.is_empty() and dict(rows.schema) == DATASETS[dataset].schema
    assert f"{name}.csv has a header and no rows" in caplog.text


def test_a_span_before_the_first_price_has_no_rows_and_no_error(folder):
    early = dt.date(2021, 1, 4), dt.date(2021, 1, 29)
    assert read(folder, "bars", *early).is_empty() and read(folder, "master", *early).is_empty()


@pytest.mark.parametrize(
    ("file", "dataset", "lacking"),
    [
        ("stock_prices", "bars", "AdjustmentFactor"),
        ("stock_list", "master", "33SectorCode"),
        ("financials", "summary", "DisclosedDate"),
        ("trades", "investor_types", "CityBKsRegionalBKsEtcSales"),
    ],
)
def test_a_column_that_is_lacking_is_named_with_its_file(folder, file, dataset, lacking):
    path = folder / f"{file}.csv"
    pl.read_csv(path, infer_schema=False).drop(lacking).write_csv(path)
    with pytest.raises(UserError, match=rf"{file}.csv lacks the column '{lacking}'"):
        read(folder, dataset)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("Date", "31/03/2022"),
        ("Date", "2022-13-01"),
        ("Close", "n/a"),
        ("SecuritiesCode", "13"),
        ("SecuritiesCode", "130 A"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_its_column_and_file(folder, column, value):
    path = folder / "stock_prices.csv"
    rows = pl.read_csv(path, infer_schema=False)
    wrong = rows.head(1).with_columns(pl.lit(value).alias(column))
    pl.concat([wrong, rows]).write_csv(path)
    with pytest.raises(UserError, match=rf"stock_prices.csv holds '{value}' in the column"):
        read(folder, "bars")


@pytest.mark.parametrize("content", [b"", b"PAR1 this is no table"])
@pytest.mark.parametrize("kind", [".csv", ".parquet"])
def test_a_file_that_is_no_table_is_named(folder, kind, content):
    (folder / "stock_prices.csv").unlink()
    (folder / f"stock_prices{kind}").write_bytes(content)
    with pytest.raises(UserError, match=f"stock_prices{kind} (cannot be read|lacks the column)"):
        read(folder, "bars")


@pytest.mark.skipif("GOGOOKU_ARCHIVE" not in os.environ, reason="set GOGOOKU_ARCHIVE to a folder")
def test_a_real_folder_reads_in_every_data_set():
    folder = os.environ["GOGOOKU_ARCHIVE"]
    quarter = dt.date(2021, 10, 1), dt.date(2021, 12, 31)
    rows = {dataset: read(folder, dataset, *quarter) for dataset in SERVED}
    open_days = rows["calendar"].filter(HolDiv="1")["Date"]
    bars = rows["bars"]
    assert set(bars["Date"]) == set(open_days)
    assert bars.select("Date", "Code").equals(rows["master"].select("Date", "Code"))
    assert not bars.select("Date", "Code").is_duplicated().any()
    assert (rows["master"]["ProdCat"] == "011").mean() > 0.95
    assert (bars["C"] > 0).all()
