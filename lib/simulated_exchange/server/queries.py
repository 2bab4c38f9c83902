"""What a request to the simulated exchange asks for: its parameters, checked in the vendor's order.

A parameter that a path does not take is ignored, and so is an empty one.
"""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gogooku.raw.catalogue import DATASETS

from simulated_exchange.server.clock import Window
from simulated_exchange.server.refusals import invalid, lacking, outside, together

Query = Mapping[str, str]


@dataclass(frozen=True)
class Takes:
    """The parameters of one path.

    days        those that name a day, and the field that they are compared with
    span        those that bound the data set's own day, both inclusive
    span_with   the parameter without which the bounds are ignored; "" for none
    both        whether one bound alone is ignored
    equals      those that are compared as text
    needs       one of these must be there
    """

    days: Query = field(default_factory=dict)
    span: tuple[str, str] | None = None
    span_with: str = ""
    both: bool = False
    equals: Query = field(default_factory=dict)
    needs: tuple[str, ...] = ()


_CODE = {"code": "Code"}
_FROM_TO = ("from", "to")


def _by_code_or_day(day: str, both: bool = False) -> Takes:
    return Takes({"date": day}, _FROM_TO, "code", both, _CODE, ("date", "code"))


_FLAGGED = {"category": "ProdCat", "contract_flag": "CCMFlag"}

TAKES = {
    "calendar": Takes(span=_FROM_TO, equals={"hol_div": "HolDiv"}),
    "master": Takes({"date": "Date"}, equals=_CODE),
    "bars": _by_code_or_day("Date"),
    "bars_am": Takes(equals=_CODE),
    "bars_minute": _by_code_or_day("Date"),
    "valuation": _by_code_or_day("Date", both=True),
    "investor_types": Takes(span=_FROM_TO, equals={"section": "Section"}),
    "earnings_calendar": Takes(),
    "earnings_date": Takes(
        {"date": "PubDate", "scheduled_date": "SchDate"},
        equals=_CODE, needs=("code", "date", "scheduled_date"),
    ),
    "summary": Takes({"date": "DiscDate"}, equals=_CODE, needs=("date", "code")),
    "details": Takes({"date": "DiscDate"}, equals=_CODE, needs=("date", "code")),
    "dividend": _by_code_or_day("PubDate"),
    "indices": _by_code_or_day("Date"),
    "topix": Takes(span=_FROM_TO),
    "margin_interest": Takes(
        {"date": "Date", "published_date": "PubDate"}, span=_FROM_TO, span_with="code",
        equals=_CODE, needs=("date", "code", "published_date"),
    ),
    "margin_alert": _by_code_or_day("PubDate"),
    "short_ratio": Takes(
        {"date": "Date"}, span=_FROM_TO, span_with="s33", equals={"s33": "S33"},
        needs=("date", "s33"),
    ),
    "short_sale": Takes(
        {"disc_date": "DiscDate", "calc_date": "CalcDate"},
        span=("disc_date_from", "disc_date_to"), span_with="code", equals=_CODE,
        needs=("code", "disc_date", "calc_date"),
    ),
    "breakdown": _by_code_or_day("Date"),
    "options_225": Takes({"date": "Date"}, needs=("date",)),
    "futures": Takes({"date": "Date"}, equals=_FLAGGED, needs=("date",)),
    "options": Takes({"date": "Date"}, equals=_FLAGGED | {"code": "UndSSO"}, needs=("date",)),
}  # fmt: skip


@dataclass(frozen=True)
class Question:
    """Rows of the days `first` to `last` whose fields have the values of `equals`.

    parameters   those that the path takes and that have a value
    """

    dataset: str
    first: dt.date
    last: dt.date
    equals: Mapping[str, object]
    parameters: Query


def question(dataset: str, query: Query, window: Window | None) -> Question:
    """Read what `query` requests of a data set.

    window   the days that the subscription covers; None is all

    Raises Refusal, 400: a parameter is lacking, malformed, excluded by another, or outside the
    window, in this order.
    """
    takes = TAKES[dataset]
    parameters = _parameters(takes, query)
    if takes.needs and not any(name in parameters for name in takes.needs):
        raise lacking(takes.needs)
    _check_exclusive(dataset, takes, parameters)
    dates = {name: day_of(name, parameters[name]) for name in _dated(takes) if name in parameters}
    main = _main_days(dataset, takes, dates)
    _check_window(main.values(), window)
    start, end = window or (dt.date.min, None)
    low, high = takes.span or ("", "")
    equals: dict[str, object] = {
        column: dates[name] for name, column in takes.days.items() if name in dates.keys() - main
    }
    equals |= {
        column: _text(dataset, name, parameters[name])
        for name, column in takes.equals.items()
        if name in parameters
    }
    exact = next((main[name] for name in takes.days if name in main), None)
    first, last = (exact or main.get(low, start), exact or main.get(high, end or dt.date.max))
    return Question(dataset, first, last, equals, parameters)


def _dated(takes: Takes) -> list[str]:
    return [*takes.days, *(takes.span or ())]


def _parameters(takes: Takes, query: Query) -> dict[str, str]:
    parameters = {
        name: query[name] for name in (*_dated(takes), *takes.equals) if query.get(name, "") != ""
    }
    span = takes.span or ()
    alone = takes.both and not all(name in parameters for name in span)
    if alone or (takes.span_with and takes.span_with not in parameters):
        parameters = {name: value for name, value in parameters.items() if name not in span}
    return parameters


def _check_exclusive(dataset: str, takes: Takes, parameters: Query) -> None:
    if dataset == "earnings_date" and len(parameters) > 1:
        raise together(*(name for name in takes.needs if name in parameters))
    if dataset == "margin_interest" and "published_date" in parameters:
        others = [name for name in ("date", "from", "to") if name in parameters]
        if others:
            raise together("published_date", *others)


def _main_days(dataset: str, takes: Takes, dates: Mapping[str, dt.date]) -> dict[str, dt.date]:
    """Keep the days that are compared with the data set's own; `date` wins over a span."""
    day = DATASETS[dataset].day
    exact = {name: value for name, value in dates.items() if takes.days.get(name) == day}
    return exact or {name: value for name, value in dates.items() if name in (takes.span or ())}


def _check_window(days: Iterable[dt.date], window: Window | None) -> None:
    if window is None:
        return
    start, end = window
    if any(day < start or (end and day > end) for day in days):
        raise outside(start, end)


def _text(dataset: str, name: str, value: str) -> str:
    """Give a code its fifth character and a sector its leading zero."""
    if name == "code" and dataset != "indices" and len(value) == 4:
        return value + "0"
    return value.zfill(4) if name == "s33" else value


def day_of(name: str, text: str) -> dt.date:
    """Read a day in either of the vendor's forms; raises Refusal."""
    try:
        if re.fullmatch(r"\d{8}|\d{4}-\d\d-\d\d", text):
            return dt.date.fromisoformat(text)
    except ValueError:
        pass
    raise invalid(name)


def month_of(name: str, text: str) -> tuple[dt.date, dt.date]:
    """Read a day, or a month as its first and last day; raises Refusal."""
    if re.fullmatch(r"\d{4}-?\d\d", text):
        first = day_of(name, text[:4] + text[-2:] + "01")
        return first, (first + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)
    day = day_of(name, text)
    return day, day
