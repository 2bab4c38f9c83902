import datetime as dt
import re

import polars as pl
import pytest
from gogooku import errors, files
from gogooku.config import settings
from gogooku.evaluation import evaluate
from gogooku.report import comparisons, judgement, plots, report, survivorship, tables
from helpers import configs, judged, markup

LABELS, TRUTH = judged.market()
SURROUNDINGS = judged.surroundings(LABELS)


def setting(entry="next_close", min_stocks=30, **changes):
    """Settings of a run; an overlay's own checks are of no matter here."""
    config = configs.default(
        name="trial", labels={"entry": entry}, features={"min_stocks": min_stocks}
    )
    return settings.read(config).model_copy(update=changes)


SETTING = setting()
YARDSTICK = "ridge"
NAMED = {"fitted": ["atft", "ridge"]}
FOLDS = [
    {
        "fold": fold,
        "embargo": 20,
        "train": {"first": "2018-01-04", "last": f"202{fold}-01-15"},
        "valid": {"first": f"202{fold}-03-01", "last": f"202{fold}-06-15"},
        "test": {"first": f"202{fold}-08-02", "last": f"202{fold}-12-30"},
    }
    for fold in (0, 1)
]
PANEL = LABELS.select("date", "code", universe=pl.col("code") > "13100")
QUALITY = pl.DataFrame({
    "date": [dt.date(2021, 11, 2), dt.date(2021, 11, 4)],
    "code": ["13000", "13010"],
    "rule": ["daily_limit", "sign"],
    "field": ["C", "Vo"],
    "value": [123456.0, None],
    "reason": ["<too> far", "below 0"],
})  # fmt: skip


def judge(predictions):
    rules = judged.rules()
    return evaluate.evaluate(predictions, LABELS, TRUTH, SURROUNDINGS, [1, 5], rules)


@pytest.fixture(scope="module")
def evaluations():
    seeds = {seed: judged.forecast(TRUTH, noise=1.0, seed=seed) for seed in (0, 1)}
    whole = judged.forecast(TRUTH, noise=1.0, seed=5)
    return {
        "atft": judge(seeds),
        "ridge": judge({0: whole.filter(pl.col("fold") == 1)}),
        "reversal": judge({0: judged.forecast(TRUTH, "reversal", horizons=(1,))}),
    }


def build(evaluations, facts=None, quality=QUALITY, curves=None):
    facts = facts or report.facts(SETTING, PANEL, FOLDS, ["bars: no row in 1999"], **NAMED)
    figures = plots.draw(evaluations, facts["folds"], curves)
    facts = facts | report.judged(evaluations, facts)
    return report.build(evaluations, facts, quality, figures)


@pytest.fixture(scope="module")
def page(evaluations):
    return build(evaluations)


def differences(evaluations, yardstick):
    return comparisons.differences(judgement.of(evaluations, yardstick), yardstick)


def cells(grid, horizon, model):
    (rows,) = (rows for title, rows in grid.groups if title.startswith(horizon))
    (row,) = (row for row in rows if row[0].text == model)
    return dict(zip(grid.head, row, strict=True))


def test_the_headline_holds_the_numbers_of_the_summaries(evaluations, page):
    found = evaluations["atft"][1]["horizons"]["5"]["-1"]
    row = cells(tables.headline(evaluations), "5", "atft")
    known = found["rank_ic"]
    assert row["RankIC"].text == f"{known['mean']:+.3f}"
    assert row["RankIC"].note == f"[{known['low']:+.3f}, {known['high']:+.3f}]"
    assert row["Turnover"].text == f"{found['long_short']['turnover']:.2f}"
    for cell in row.values():
        assert cell.text in page and cell.note in page


def test_the_seeds_stand_beside_their_mean(evaluations):
    means = [evaluations["atft"][1]["horizons"]["1"][seed]["rank_ic"]["mean"] for seed in "01"]
    row = cells(tables.headline(evaluations), "1", "atft")
    assert row["Seeds"].text == f"{min(means):+.3f} … {max(means):+.3f}"
    (rows,) = (rows for title, rows in tables.seeds(evaluations).groups if title[0] == "1")
    assert [row[1].text for row in rows if row[0].text == "atft"] == ["mean", "seed 0", "seed 1"]


def test_a_number_that_nothing_supports_is_a_dash(evaluations):
    row = cells(tables.headline(evaluations), "5", "reversal")
    assert {cell.text for name, cell in row.items() if name not in ("<Model", "Seeds")} == {"–"}
    row = cells(differences(evaluations, YARDSTICK), "5", "reversal")
    assert row["RankIC difference"].text == row["<Verdict"].text == "–"


def test_a_clear_difference_ranks_and_an_unclear_one_does_not():
    good = judge({0: judged.forecast(TRUTH)})
    twin = judge({0: judged.forecast(TRUTH, noise=0.2, seed=1)})
    bad = judge({0: judged.forecast(TRUTH, noise=20.0, seed=2)})
    other = judge({0: judged.forecast(TRUTH, noise=20.0, seed=3)})
    table = differences({"atft": good, "ridge": bad}, YARDSTICK)
    assert cells(table, "1", "atft")["<Verdict"].text == "higher"
    table = differences({"atft": bad, "ridge": good, "reversal": twin}, YARDSTICK)
    assert cells(table, "1", "atft")["<Verdict"].text == "lower"
    table = differences({"atft": bad, "ridge": other}, YARDSTICK)
    assert cells(table, "1", "atft")["<Verdict"].text == "not told apart"


def test_the_yardstick_is_the_settings_whatever_the_results(evaluations):
    for name in ("ridge", "atft"):
        titles = [title for title, _ in differences(evaluations, name).groups]
        assert titles == [f"1 session, against {name}", f"5 sessions, against {name}"]


def test_a_yardstick_that_is_not_among_the_models_is_said(evaluations, page):
    assert differences(evaluations, "lightgbm") is None
    others = {name: scores for name, scores in evaluations.items() if name != YARDSTICK}
    said = "ridge, the yardstick of the settings, is not among the models"
    assert said not in page and said in build(others)


def test_folds_and_horizons_that_a_model_lacks_are_named(evaluations, page):
    fold, horizon = tables.missing(evaluations)
    assert fold.startswith("ridge has no predictions of fold 0: its numbers are of fewer days")
    assert horizon == "reversal predicts nothing at 5 sessions."
    assert fold in page and horizon in page


def test_differences_use_the_days_that_both_models_have(evaluations):
    days = evaluations["ridge"][0].filter(pl.col("fold").is_not_null())["date"].n_unique()
    row = cells(differences(evaluations, YARDSTICK), "5", "atft")
    assert row["Days"].text == str(days) == "60"


def test_the_planted_signal_is_shown_only_where_there_is_one(evaluations, page):
    assert "Planted signal" in page
    share = evaluations["atft"][1]["truth"]["1"]["share"]["mean"]
    assert f"{share * 100:+.1f}%" in page
    plain = {
        model: (daily, {**summary, "truth": {}}) for model, (daily, summary) in evaluations.items()
    }
    assert tables.truth(plain) is None
    assert "Planted signal" not in build(plain)


def test_the_page_loads_nothing_from_anywhere(page):
    assert not re.search(r"(src|href|action|data)\s*=\s*[\"']?(https?:)?//", page)
    assert not re.search(r"@import|url\(\s*[\"']?(https?:)?//|<script[^>]|<link|<iframe|<img", page)
    without_settings = re.sub(r"<pre>.*?</pre>", "", page, flags=re.DOTALL)
    assert "http" not in without_settings


def test_the_page_is_well_formed_and_every_link_has_its_place(page):
    reader = markup.read(page)
    assert reader.faults == [] and reader.open == []
    assert len(reader.names) == len(set(reader.names))
    assert set(reader.links) <= {f"#{name}" for name in reader.names}


def test_text_from_the_data_is_escaped(page):
    assert "&lt;too&gt; far" in page and "<too>" not in page


def test_the_same_numbers_give_the_same_bytes(evaluations, page):
    assert build(evaluations) == page


def test_the_page_says_what_the_run_was_made_from(page):
    facts = report.facts(SETTING, PANEL, FOLDS, **NAMED)
    assert facts["digest"] in page
    assert "bars: no row in 1999" in page
    assert "simulated" in page and "2021" in page
    assert "daily_limit" in page and "123,456" in page
    # Fits: two seeds and two folds of atft, one fold of ridge; the rule of thumb is not fitted.
    assert re.search(r"<dt>Fits</dt><dd>5<", page)


def test_universe_sizes_are_counted_by_year():
    first = report.facts(SETTING, PANEL.unique(), FOLDS, **NAMED)["universe"][0]
    assert first["year"] == 2021 and first["listed"] == 40
    assert first["members"] == first["stocks"] == PANEL.filter("universe")["code"].n_unique()


def test_days_with_too_few_stocks_and_what_the_columns_lack_are_told(evaluations):
    members = PANEL.filter("universe")["code"].n_unique()
    strict = setting(min_stocks=members + 1)
    rows = PANEL.unique(["date", "code"]).sort("date", "code")
    facts = report.facts(
        strict, rows, FOLDS, columns=["2 columns are <never> known: a, b."], **NAMED
    )
    why = f"{members} stocks in the universe, fewer than features.min_stocks {members + 1}."
    days = rows["date"].unique().sort()
    assert facts["thin"][0] == f"{days[0]}: {why}"
    assert facts["thin"][-1] == f"… and {len(days) - 10:,} more days."
    page = build(evaluations, facts)
    assert why in page and "Days with too few stocks" in page
    assert "&lt;never&gt; known" in page and 'href="columns.html"' in page
    plain = build(evaluations)
    assert "Days with too few stocks" not in plain and "columns.html" not in plain


def test_an_entry_at_the_close_is_marked_as_not_tradable(evaluations, page):
    assert "NOT TRADABLE" not in page
    close = {
        model: (daily, {**summary, "entry": "close"})
        for model, (daily, summary) in evaluations.items()
    }
    marked = build(close, report.facts(setting(entry="close"), PANEL, FOLDS, **NAMED))
    assert 'class="note stop">NOT TRADABLE' in marked


@pytest.mark.parametrize(
    "source, shown", [("archive", True), ("jquants", True), ("simulated", False)]
)
def test_data_of_survivors_alone_are_an_alarm_but_where_the_market_is_made_up(
    evaluations, source, shown
):
    facts = report.facts(setting(source=source), PANEL, FOLDS, **NAMED)
    assert 'role="alert"' not in build(evaluations, facts)
    facts["survivorship"] = survivorship.Survivorship("Only names that lasted.", alarm=True)
    page = build(evaluations, facts)
    assert ('role="alert">Only names that lasted.' in page) == shown
    assert "<p>Only names that lasted.</p>" in page


def test_a_year_that_loses_more_than_all_says_so(evaluations):
    daily, summary = evaluations["ridge"]
    scores = summary["horizons"]["1"]["-1"]
    book = scores["long_short"]
    lost = book | {"net": book["net"] | {"annual": -3.58}}
    horizons = {"1": {"-1": scores | {"long_short": lost}}}
    table = tables.portfolios({"ridge": (daily, summary | {"horizons": horizons})}, "long_short")
    net = cells(table, "1", "ridge")["Net a year"]
    assert net.text == "−358.0%" and net.note == "3.6 times a leg's capital"


def test_one_model_without_findings_or_folds_makes_a_page(evaluations):
    page = build(
        {"ridge": evaluations["ridge"]}, report.facts(SETTING, PANEL, [], **NAMED), QUALITY.clear()
    )
    assert "The prices gave no finding" in page and "no second model" in page


def test_a_long_list_of_findings_is_cut_and_says_so():
    many = pl.concat([QUALITY] * 300)
    found = tables.findings(many)
    assert found["title"] == "The first 200 of 600 findings"
    assert len(found["rows"].groups[0][1]) == 200
    assert found["counts"].groups[0][1][0][1].text == "300"


def test_no_model_is_refused():
    with pytest.raises(errors.UserError, match="no model"):
        build({})


def test_a_number_keeps_its_sign_when_it_rounds_to_nought():
    assert tables.number(-0.0001) == "−0.000"
    assert tables.number(-0.0) == tables.number(0.0001) == "+0.000"
    assert tables.number(-0.0001, "{:+.1%}") == "−0.0%"
    assert tables.number(-1234.5, "{:+,.1f}") == "−1,234.5"
    assert tables.number(float("nan")) == tables.number(None) == "–"


def test_figures_are_written_alone_and_repeat_themselves(evaluations, tmp_path):
    paths = [tmp_path / f"{name}.svg" for name in ("rankic", "equity", "learning")]
    texts = []
    for _ in range(2):
        plots.write(plots.draw(evaluations, FOLDS), paths)
        texts.append([path.read_text() for path in paths])
    assert texts[0] == texts[1]
    assert all("<svg" in text and "var(--" not in text for text in texts[0])
    assert "atft" in texts[0][0] and "holds no numbers" in texts[0][2]


def test_curves_are_read_and_drawn(evaluations, tmp_path):
    paths = [tmp_path / "atft" / f"fold{fold}" / "seed0" / "curve.jsonl" for fold in (0, 1)]
    for path in paths:
        files.write_lines([{"epoch": e, "loss": 1.0, "rank_ic": e / 100} for e in (1, 2)], path)
    curves = report.read_curves(paths)
    assert curves.columns == ["model", "fold", "seed", "epoch", "loss"]
    assert curves["fold"].to_list() == [0, 0, 1, 1]
    assert "learning-" in build(evaluations, curves=curves)
    assert "learning-" not in build(evaluations, curves=report.read_curves([]))


# ---- comparisons ---------------------------------------------------------------------------------


def test_the_page_names_the_models_that_cannot_be_told_from_the_best(evaluations, page):
    table = comparisons.confidence_sets(judgement.of(evaluations, YARDSTICK))
    assert [title for title, _ in table.groups] == ["1 session, 60 days", "5 sessions, 60 days"]
    assert "Model confidence set" in page
    assert cells(table, "1", "atft")["<Among the best"].text in ("yes", "no")
    alone = {"ridge": evaluations["ridge"]}
    found = judgement.of(alone, YARDSTICK)
    assert comparisons.confidence_sets(found) is None and comparisons.choices(found) is None
    assert "Model confidence set" not in build(alone)


def test_a_deflated_ratio_falls_with_the_trials(evaluations):
    own = judgement.of(evaluations, YARDSTICK)
    assert own.trials == 3 * (2 + 2 + 1)  # kinds of books without an index, by model and horizon

    def left(ledger):
        found = judgement.of(evaluations, YARDSTICK, ledger)
        assert found.trials == max(len(ledger), own.trials)
        return cells(comparisons.deflated(evaluations, found), "1", "atft")

    few, many = left([-20.0, 20.0] * 10), left([-20.0, 20.0] * 5000)
    assert few["Probabilistic"].text == many["Probabilistic"].text
    assert float(many["Deflated"].text.rstrip("%")) < float(few["Deflated"].text.rstrip("%"))


def test_a_book_that_cannot_be_judged_says_why(evaluations):
    table = comparisons.deflated(evaluations, judgement.of(evaluations, YARDSTICK))
    row = cells(table, "5", "reversal")
    assert row["Deflated"].text == "–" and row["Years needed"].note == "0 days, fewer than 20"


@pytest.mark.parametrize("source, shown", [("archive", True), ("jquants", False)])
def test_an_archive_s_page_has_the_competition_s_score(evaluations, source, shown):
    score = {"mean": 0.2115, "low": 0.1, "high": 0.32, "days": 700}
    daily, summary = evaluations["ridge"]
    scored = {"ridge": (daily, summary | {"competition": {"score": score, "stocks": 1890}})}
    facts = report.facts(setting(source=source), PANEL, FOLDS, **NAMED)
    text = build(scored, facts)
    assert ("0.381" in text) == ("[0.100, 0.320]" in text) == shown
