"""Columns of the user's own: studies of pandas-ta, and a module; what is wrong is told."""

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pandas_ta_classic as ta
import polars as pl
import pytest
import yaml
from gogooku.errors import UserError
from gogooku.families import FAMILIES
from gogooku.features import studies, user
from gogooku.features.column import finish
from gogooku.panel.panel import Panel
from helpers import sample_panel
from helpers.family_inputs import inputs_of

COUNT = 120
CONFIG = Path(__file__).parents[2] / "config"


def of_module(tmp_path, text, panel=None):
    path = tmp_path / "mine.py"
    path.write_text("import numpy as np\nfrom gogooku.features.column import Column\n" + text)
    panel = panel or sample_panel.panel(count=COUNT, stocks=3)
    return computed(panel, [], str(path)), panel


def computed(panel, studies, module):
    made = user.compute(inputs_of(panel, user={"pandas_ta": studies, "module": module}))
    return made.columns, made


# ---- studies of pandas-ta ------------------------------------------------------------------------


def test_a_study_is_pandas_tas_on_the_adjusted_bars_of_each_stock():
    frame = sample_panel.rows(count=COUNT, stocks=3, missing=0)
    split = pl.col("date") == frame["date"].unique().sort()[60]
    frame = frame.with_columns(
        pl.when(split).then(0.5).otherwise(x).alias(x) for x in ("factor", "volume_factor")
    )
    panel = Panel.of(frame)
    columns, made = computed(panel, ["vortex", "rsi"], None)
    assert [column.name for column in columns] == [
        "vortex_vtxp_14", "vortex_vtxm_14", "rsi_rsi_14"
    ]  # fmt: skip
    bars = {x: pd.Series(panel[x][:, 1]) for x in ("high", "low", "close")}
    expected = ta.vortex(**bars)["VTXP_14"]
    np.testing.assert_allclose(made["vortex_vtxp_14"][:, 1], expected, rtol=1e-6)
    np.testing.assert_allclose(
        made["rsi_rsi_14"][:, 1], ta.rsi(bars["close"], talib=False), rtol=1e-6
    )


def test_a_session_without_a_trade_has_no_study_and_disturbs_none():
    frame = sample_panel.rows(count=COUNT, stocks=2, missing=0)
    day = frame["date"].unique().sort()[50]
    bars = ("open", "high", "low", "close", "volume")
    gappy = frame.with_columns(
        pl.when(pl.col("date") != day).then(pl.col(x)).alias(x) for x in bars
    )
    _, made = computed(Panel.of(gappy), ["rsi"], None)
    _, whole = computed(Panel.of(frame.filter(pl.col("date") != day)), ["rsi"], None)
    assert np.isnan(made["rsi_rsi_14"][50]).all()
    np.testing.assert_array_equal(np.delete(made["rsi_rsi_14"], 50, axis=0), whole["rsi_rsi_14"])


def test_every_span_has_a_studys_columns_and_a_young_stock_has_none_of_them():
    frame = sample_panel.rows(count=COUNT, stocks=2, missing=0)
    last = frame["date"].max()
    one_row = frame.filter((pl.col("code") == "13010") | (pl.col("date") == last))
    panel = Panel.of(one_row)
    columns, made = computed(panel, ["supertrend", "macd"], None)
    assert np.isnan(made["macd_macd_12_26_9"][:, 1]).all()
    assert np.isfinite(made["macd_macd_12_26_9"][-1, 0])
    short = Panel.of(frame.filter(pl.col("date") == last))
    again, nothing = computed(short, ["supertrend", "macd"], None)
    assert again == columns
    assert all(np.isnan(values).all() for values in nothing.values())
    held, metadata = finish(panel, "user", columns, made, dt.date(2019, 3, 1))
    assert {column.name for column in columns} | {"is_user_valid"} < set(held.columns)
    assert '"macd_macd_12_26_9": "stock"' in metadata["kinds"]


def test_infinite_values_of_a_study_are_null_and_told(caplog):
    frame = sample_panel.rows(count=COUNT, stocks=2, missing=0)
    still = pl.when(pl.col("code") == "13010")
    bars = ("open", "high", "low", "close")
    panel = Panel.of(frame.with_columns(still.then(500.0).otherwise(x).alias(x) for x in bars))
    _, made = computed(panel, ["vhf"], None)
    (values,) = made.values()
    assert np.isnan(values[:, 0]).all() and np.isfinite(values[-1, 1])
    assert "values of vhf_vhf_28 are infinite: they are null" in caplog.text


def test_a_study_that_looks_ahead_is_refused(monkeypatch):
    def centred(study, bars):
        return pd.DataFrame({"x": bars["close"].rolling(5, center=True).mean()})

    monkeypatch.setattr(user, "_applied", centred)
    with pytest.raises(UserError, match="looks ahead"):
        user.probe("rsi")


def test_the_studies_of_the_research_configuration_look_back():
    research = yaml.safe_load((CONFIG / "research.yaml").read_text())["features"]
    assert 3 <= len(research["pandas_ta"]) <= 5
    for study in research["pandas_ta"]:
        assert user.probe(study).names, study


def test_a_study_that_fails_is_told():
    with pytest.raises(UserError, match="mavp fails on a made-up stock"):
        user.probe("mavp")


def test_a_study_that_does_not_exist_is_refused_with_close_matches():
    with pytest.raises(UserError, match="'vortx', which pandas-ta does not make of .*mean vor"):
        computed(sample_panel.panel(count=30), ["vortx"], None)


@pytest.mark.filterwarnings("ignore:.*has no causal mode")
def test_the_names_are_those_of_all_studies_that_work_by_name():
    known = {name for names in ta.Category.values() for name in names} - {"max", "min", "sum"}
    left_out = known - set(ta.Category["performance"]) - set(studies.names())
    assert left_out <= studies.UNFED and {"rsi", "cdl_pattern", "cdl_doji"} < set(studies.names())
    for study in studies.names():
        assert user.probe(study).names, study
    for study in studies.UNFED:
        with pytest.raises(UserError, match="drop it"):
            user.probe(study)


@pytest.mark.parametrize(
    "study, told",
    [("RSI", "mean rsi"), ("CDL_Doji", "mean cdl_doji"), ("cdl_hammer", "mean cdl_pattern, which")],
)
def test_another_case_and_a_candle_pattern_are_told_the_name_to_use(study, told):
    with pytest.raises(UserError, match=told):
        studies.refuse_strangers([study])


@pytest.mark.filterwarnings("ignore:.*has no causal mode")
def test_bars_that_come_back_are_no_study():
    with pytest.raises(UserError, match="vp gives nothing for 450 sessions"):
        user.probe("vp")


def test_without_pandas_ta_its_absence_is_told(monkeypatch):
    monkeypatch.setattr(studies, "names", list)
    with pytest.raises(UserError, match="pip install pandas-ta-classic"):
        studies.refuse_strangers(["rsi"])


# ---- the module ----------------------------------------------------------------------------------


def test_a_modules_columns_enter_like_ours(tmp_path):
    (columns, made), panel = of_module(
        tmp_path,
        """
COLUMNS = [
    Column("gap", "stock", "share", "O / C - 1", 0, 1, "mine"),
    Column("breadth", "market", "share", "stocks that rose", 1, 1, "mine"),
    Column("rose", "flag", "0/1", "rose", 1, 1, "mine"),
]

def columns(panel):
    gains = panel.returns
    rose = np.where(np.isfinite(gains), gains > 0, np.nan)
    return {
        "gap": panel["open"] / panel["close"] - 1,
        "rose": rose,
        "breadth": np.nan_to_num(rose).mean(axis=1),
    }
""",
    )
    assert [(column.name, column.kind) for column in columns] == [
        ("gap", "stock"), ("breadth", "market"), ("rose", "flag")
    ]  # fmt: skip
    frame, metadata = finish(panel, "user", columns, made, dt.date(2019, 3, 1))
    assert frame.columns == ["date", "code", "gap", "breadth", "rose", "is_user_valid"]
    assert '"breadth": "market"' in metadata["kinds"]
    assert "stocks that rose (share); looks back 1, needs 1; mine" in metadata["about"]
    np.testing.assert_allclose(made["gap"], panel["open"] / panel["close"] - 1, rtol=1e-6)


def test_unlisted_columns_are_stock_columns(tmp_path):
    (columns, made), _ = of_module(tmp_path, "def columns(panel):\n    return {'x': panel.returns}")
    assert [(column.name, column.kind) for column in columns] == [("x", "stock")]
    assert made["x"].dtype == np.float32


@pytest.mark.parametrize(
    "body, told",
    [
        ("return [panel.returns]", "gave a list: return a dict"),
        ("return {}", "columns(panel) gave no column: return some"),
        ("return {1: panel.returns, 'x': panel.returns}", "a column is named 1: name it by a text"),
        (
            "return {'x': panel.returns[1:]}",
            "'x' has the shape (119, 3): a stock column is (120, 3)",
        ),
        ("return {'x': panel.returns[:, 0]}", "'x' has the shape (120,)"),
        ("return {'x': panel.returns > 0}", "'x' is bool: give an array of floats"),
        ("return {'x': 1.0}", "'x' is float: give an array of floats"),
        ("return {'x': np.longdouble(1) * panel.returns}", "give an array of floats (of 64 bits"),
        ("return {'x': np.ma.array(panel.returns)}", "'x' is MaskedArray: give an array"),
        ("raise SystemExit(3)", "columns(panel) fails in line 4 (SystemExit: 3): mend it"),
        ("return {'x': panel.returns * np.inf}", "infinite values: make them NaN"),
        ("return {'x': panel['close'] * 1e300}", "infinite values: make them NaN"),
        ("return {'date': panel.returns}", "'date' has the name of a key: choose another"),
        ("return {'is_x_valid': panel.returns}", "no fit name"),
        ("return {'a b': panel.returns}", "no fit name"),
        (
            "return {'x': panel['closes']}",
            "columns(panel) fails in line 4 (KeyError: 'closes'): mend it",
        ),
        ("raise ValueError('no\\nluck')", "(ValueError: no luck)"),
    ],
)  # fmt: skip
def test_what_a_module_does_wrong_is_told_in_a_sentence(tmp_path, body, told):
    with pytest.raises(UserError) as error, np.errstate(all="ignore"):
        of_module(tmp_path, f"def columns(panel):\n    {body}")
    assert told in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    "listed, told",
    [
        ("Column('y', 'stock', '1', 'd', 0, 1, 's')", "differ in ['x', 'y']"),
        ("{'name': 'x'}", "COLUMNS is no list of Column: make it one"),
        ("Column(1, 'stock', '1', 'd', 0, 1, 's')", "a column is named 1: name it by a text"),
        ("Column('x', 'stock', '1', 'd', '5', 1, 's')", "looks back '5': give a whole number"),
        ("*[Column('x', 'stock', '1', 'd', 0, 1, 's')] * 2", "lists ['x'] twice: list each once"),
        ("Column('x', 'sector', '1', 'd', 0, 1, 's')", "of the kind 'sector'"),
        ("Column('x', 'stock', '1', 'd', 821, 1, 's')", "looks back 821 sessions: 820 before the"),
        ("Column('x', 'market', '1', 'd', 0, 1, 's')", "has the shape (120, 3)"),
        ("Column('x', 'flag', '1', 'd', 0, 1, 's')", "flag with values other than 0 and 1"),
    ],
)
def test_what_a_module_lists_wrongly_is_told(tmp_path, listed, told):
    with pytest.raises(UserError) as error:
        text = f"COLUMNS = [{listed}]\ndef columns(panel):\n    return {{'x': panel.returns}}"
        of_module(tmp_path, text)
    assert told in str(error.value)


@pytest.mark.parametrize("columns", ["5", "None", "{'x': 1}", "np.zeros(3)"])
def test_columns_that_are_no_list_are_told(tmp_path, columns):
    text = f"COLUMNS = {columns}\ndef columns(panel):\n    return {{'x': panel.returns}}"
    with pytest.raises(UserError, match="COLUMNS is no list of Column: make it one"):
        of_module(tmp_path, text)


FIELDS = sorted(sample_panel.panel(count=5, stocks=1).fields)


@pytest.mark.parametrize("field", [*(f"['{x}']" for x in FIELDS), ".dates", ".codes"])
def test_a_module_cannot_write_into_the_panel(tmp_path, field):
    panel = sample_panel.panel(count=COUNT, stocks=3)
    held = eval(f"panel{field}").copy()
    with pytest.raises(UserError, match="fails in line 4 .*read-only"):
        text = f"def columns(panel):\n    panel{field}[:] = panel{field}[0]"
        of_module(tmp_path, text, panel)
    np.testing.assert_array_equal(eval(f"panel{field}"), held)


def test_a_module_has_the_panel_as_it_is_and_may_change_copies(tmp_path):
    (_, made), panel = of_module(
        tmp_path,
        """
def columns(panel):
    assert len(panel.fields) == len(list(panel.fields)) and panel.shape == panel["open"].shape
    close = panel["close"].copy()
    close[0] = 1
    return {"copy": close, "own": panel["close"], "returns": panel.returns}
""",
    )
    assert (made["copy"][0] == 1).all()
    np.testing.assert_array_equal(made["copy"][1:], made["own"][1:])
    np.testing.assert_array_equal(made["own"], panel["close"].astype(np.float32))
    np.testing.assert_array_equal(made["returns"], panel.returns.astype(np.float32))


@pytest.mark.parametrize(
    "text, told",
    [
        ("columns = 1 / 0", "the module fails in line 3 (ZeroDivisionError"),
        ("def columns(panel) return {}", "the module fails in line 3 (SyntaxError"),
        ("column = None", "has no attribute 'columns'): mend it"),
        ("raise SystemExit", "the module fails in line 3 (SystemExit"),
    ],
)
def test_a_module_that_cannot_be_loaded_is_told(tmp_path, text, told):
    with pytest.raises(UserError) as error:
        of_module(tmp_path, text)
    assert told in str(error.value)


def test_a_column_made_twice_is_refused(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("def columns(panel):\n    return {'rsi_rsi_14': panel.returns}")
    with pytest.raises(UserError, match="both make"):
        computed(sample_panel.panel(count=60, stocks=2), ["rsi"], str(path))


# ---- columns that know the future, or differ from call to call -----------------------------------

PANDAS = "import pandas as pd\ndef columns(panel):\n    close = pd.DataFrame(panel['close'])\n"
HONEST = {
    "a mean of the last five": "close.rolling(5).mean().to_numpy()",
    "an exponential average": "close.ewm(span=20).mean().to_numpy()",
    "a rank of the day": "close.pct_change(fill_method=None).rank(axis=1).to_numpy()",
    "the last price": "close.ffill().to_numpy()",
    "a mean of the day": "close.pct_change(fill_method=None).mean(axis=1).to_numpy()[:, None] "
    "* np.ones(panel.shape)",
    "a score of all that came before": "((close - close.expanding().mean()) "
    "/ close.expanding().std()).to_numpy()",
}
LEAKS = {
    "the next session": "close.shift(-1).to_numpy()",
    "the return that the label takes": "(close.shift(-2) / close.shift(-1) - 1).to_numpy()",
    "a centred mean": "close.rolling(5, center=True).mean().to_numpy()",
    "a score of the whole sample": "((close - close.mean()) / close.std()).to_numpy()",
    "a gap filled from behind": "close.bfill().to_numpy()",
    "the month's last price": "close.groupby(panel.dates.astype('datetime64[M]'))"
    ".transform('last').to_numpy()",
    "the week's last price": "close.groupby((panel.dates + 3).astype('datetime64[W]'))"
    ".transform('last').to_numpy()",
    "sessions to the last one": "close.to_numpy() * 0 + np.arange(len(close))[::-1, None]",
    "the universe of tomorrow": "np.roll(panel['universe'], -1, axis=0) * 1.0",
    "stocks that stay": "close.where(close.notna().iloc[-1], axis=1).to_numpy()",
}


@pytest.mark.parametrize("column", HONEST.values(), ids=HONEST)
def test_a_column_that_looks_back_passes(tmp_path, column):
    (_, made), _ = of_module(tmp_path, f"{PANDAS}    return {{'x': {column}}}")
    assert np.isfinite(made["x"]).any()


@pytest.mark.parametrize("column", LEAKS.values(), ids=LEAKS)
def test_a_column_that_looks_ahead_is_refused_with_its_day(tmp_path, column):
    text = f"{PANDAS}    return {{'fine': panel['close'], 'leak': {column}}}"
    sentence = r"'leak' looks ahead: its value of 2019-0\d-\d\d changes with later days; make it of"
    with pytest.raises(UserError, match=sentence) as error:
        of_module(tmp_path, text)
    assert "\n" not in str(error.value)


def test_a_leak_in_a_column_of_the_day_is_refused(tmp_path):
    text = f"{PANDAS}    return {{'m': close.mean(axis=1).shift(-1).to_numpy()}}"
    listed = "COLUMNS = [Column('m', 'market', '1', 'd', 0, 1, 's')]\n"
    with pytest.raises(UserError, match="'m' looks ahead"):
        of_module(tmp_path, listed + text)


@pytest.mark.parametrize(
    "text, told",
    [
        (
            "def columns(panel):\n    noise = np.random.default_rng().normal(size=panel.shape)\n"
            "    return {'x': noise}",
            "'x' differs on 2019-06-20 between two calls on one panel: seed what is random",
        ),
        (
            "CALLS = []\ndef columns(panel):\n    CALLS.append(1)\n"
            "    return {'x': panel['close'] * len(CALLS)}",
            "differs on 2019-06-20 between two calls",
        ),
        (
            "KEPT = {}\ndef columns(panel):\n    return {'x': KEPT.setdefault('x', panel.returns)}",
            "has the shape",
        ),
        (
            "def columns(panel):\n    return {f'x{len(panel.dates)}': panel.returns}",
            "the columns' names differ from call to call",
        ),
    ],
    ids=["random", "counting calls", "keeping the first answer", "named by the last day"],
)
def test_a_module_that_differs_from_call_to_call_is_refused(tmp_path, text, told):
    with pytest.raises(UserError) as error:
        of_module(tmp_path, text)
    assert told in str(error.value) and "\n" not in str(error.value)


def test_a_module_is_called_four_times(tmp_path):
    calls = tmp_path / "calls"
    of_module(
        tmp_path,
        f"def columns(panel):\n    with open({str(calls)!r}, 'a') as file:\n"
        "        file.write('.')\n    return {'x': panel.returns}",
    )
    assert calls.read_text() == "...."


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_a_short_panel_is_no_error(tmp_path, count):
    panel = sample_panel.panel(count=count, stocks=2)
    with np.errstate(all="ignore"):
        (_, made), _ = of_module(
            tmp_path, "def columns(panel):\n    return {'x': panel['open']}", panel
        )
    assert made["x"].shape == (count, 2)


def test_the_family_loads_as_many_sessions_as_columns_may_look_back():
    assert FAMILIES["user"]["panel"].look_back == user.LOOK_BACK
