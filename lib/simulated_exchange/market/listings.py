"""Who is listed on the simulated exchange: companies, sectors, segments, corporate actions.

Every attribute is drawn without regard to the code or to later returns, so that neither the code
nor a delisting says anything about a return.
"""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl
from gogooku.raw.catalogue import DATASETS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Days = npt.NDArray[np.datetime64]

SECTORS = [tuple(row.split("|")) for row in """
0050|水産・農林業|1
1050|鉱業|2
2050|建設業|3
3050|食料品|1
3100|繊維製品|4
3150|パルプ・紙|4
3200|化学|4
3250|医薬品|5
3300|石油･石炭製品|2
3350|ゴム製品|6
3400|ガラス･土石製品|3
3450|鉄鋼|7
3500|非鉄金属|7
3550|金属製品|3
3600|機械|8
3650|電気機器|9
3700|輸送用機器|6
3750|精密機器|9
3800|その他製品|10
4050|電気･ガス業|11
5050|陸運業|12
5100|海運業|12
5150|空運業|12
5200|倉庫･運輸関連業|12
5250|情報･通信業|10
6050|卸売業|13
6100|小売業|14
7050|銀行業|15
7100|証券､商品先物取引業|16
7150|保険業|16
7200|その他金融業|16
8050|不動産業|17
9050|サービス業|10
9999|その他|99
""".split()]  # fmt: skip
OTHER = len(SECTORS) - 1
GROUP_NAMES = dict(
    zip(
        [str(number) for number in (*range(1, 18), 99)],
        "食品 エネルギー資源 建設・資材 素材・化学 医薬品 自動車・輸送機 鉄鋼・非鉄 機械 "
        "電機・精密 情報通信・サービスその他 電気・ガス 運輸・物流 商社・卸売 小売 銀行 "
        "金融（除く銀行） 不動産 その他".split(),
        strict=True,
    )
)
SEGMENT_NAMES = {
    "0101": "東証一部", "0102": "東証二部", "0104": "マザーズ", "0105": "TOKYO PRO MARKET",
    "0106": "JASDAQ スタンダード", "0107": "JASDAQ グロース", "0109": "その他",
    "0111": "プライム", "0112": "スタンダード", "0113": "グロース",
}  # fmt: skip
REFORM = np.datetime64("2022-04-04")
SMALL_TOLD_APART = dt.date(2018, 8, 31)
"""First day whose list knows TOPIX Small 1: until then all of it is called Small 2."""

SUCCESSORS = {"0101": "0111", "0102": "0112", "0104": "0113", "0106": "0112", "0107": "0113"}
MARGIN_NAMES = {"1": "信用", "2": "貸借", "3": "その他"}

# Not common stock: product category, segment before the reform and sector by code.
SPECIALS = {
    "13060": ("014", "0109", OTHER),  # funds
    "13210": ("014", "0109", OTHER),
    "89510": ("013", "0109", OTHER),  # real estate trusts
    "89520": ("013", "0109", OTHER),
    "94010": ("021", "0102", OTHER - 1),  # a foreign stock
    "97010": ("011", "0105", OTHER - 1),  # the professional market
    "97020": ("011", "0105", OTHER - 1),
}
LETTERS = "ACDFGHJKLMNPRSTUWXY"
LOT = 100  # shares of a trading unit

CLUSTER_SIZE = 8
LONERS = 0.15  # share of stocks outside any cluster
TURNOVER = 0.03  # share of stocks listed anew, and delisted, in a year
SPLITS = {1 / 2: 0.5, 1 / 3: 0.22, 1 / 1.5: 0.1, 1 / 5: 0.1, 1 / 1.2: 0.08}
REVERSE_SPLITS = {5.0: 0.5, 10.0: 0.5}
RIGHTS = {0.93: 0.5, 0.97: 0.5}
ACTIONS = [("1", SPLITS, 0.04), ("2", REVERSE_SPLITS, 0.005), ("3", RIGHTS, 0.004)]  # per year


@dataclass(frozen=True)
class Listings:
    """The companies of the simulated exchange, in the order of their codes.

    days      (T,) sessions, warm-up first; `first` is the first session that is served
    codes     (N,) five characters
    common    (N,) whether the issue is common stock of an ordinary segment
    category  (N,) vendor's ProdCat; segment (N,) Mkt before the reform of 2022-04-04
    sector    (N,) position in SECTORS; cluster (N,) number of the cluster, -1 for none
    size      (N,) market value at the beginning [JPY]; price (N,) raw price then [JPY]
    entry     (N,) first listed session; leave (N,) session from which it is no longer listed
    factor    (T, N) price factor of the session's corporate action, 1.0 without one
    action    (T, N) vendor's ExRT, "" without one
    """

    days: Days
    first: int
    codes: npt.NDArray[np.str_]
    common: Flags
    category: npt.NDArray[np.str_]
    segment: npt.NDArray[np.str_]
    sector: Ints
    cluster: Ints
    size: Floats
    price: Floats
    entry: Ints
    leave: Ints
    factor: Floats
    action: npt.NDArray[np.str_]

    @cached_property
    def listed(self) -> Flags:
        """(T, N) whether the issue is listed in the session."""
        session = np.arange(len(self.days))[:, None]
        return (self.entry <= session) & (session < self.leave)

    @cached_property
    def shares(self) -> Floats:
        """(T, N) issued shares; a rights issue is too small to count."""
        split = np.where(self.action == "3", 1.0, self.factor)
        return np.round(self.size / self.price / 100) * 100 / np.cumprod(split, axis=0)

    @cached_property
    def segments(self) -> npt.NDArray[np.str_]:
        """(2, N) vendor's Mkt before and after the reform of 2022-04-04."""
        return np.array([self.segment, [SUCCESSORS.get(old, old) for old in self.segment]])

    @cached_property
    def loanable(self) -> npt.NDArray[np.str_]:
        """(N,) vendor's Mrgn: 1 bought on margin, 2 sold too, 3 neither."""
        kind = np.where(self.segment == "0101", "2", "1")
        kind[self.segment == "0105"] = "3"
        return kind

    def names(self, issue: Ints) -> pl.Series:
        """Codes of issues (M,)."""
        codes = pl.Series(self.codes.tolist())
        return codes.gather(pl.Series(issue).cast(pl.UInt32))

    def served(self) -> tuple[Ints, Ints]:
        """Sessions and issues of every listed row that is served, by day and code."""
        session, issue = np.nonzero(self.listed[self.first :])
        return session + self.first, issue


def draw(rng: np.random.Generator, days: Days, first: int, stocks: int) -> Listings:
    """Draw the companies of an exchange on which about `stocks` common stocks are listed.

    days   (T,) sessions, the first `first` of them a warm-up before anything is served
    """
    years = (len(days) - first) / 245
    codes, entry = _codes(rng, stocks, max(2, round(stocks * TURNOVER * years)), len(days), first)
    common = ~np.isin(codes, list(SPECIALS)) & np.array([code[4] == "0" for code in codes])
    sector, cluster = _clusters(rng, common)
    size = np.exp(rng.normal(np.log(6e10), 1.3, len(codes)))
    category, segment, sector = _describe(rng, codes, sector, size)
    leave = _leave(rng, common, entry, len(days), first)
    factor, action = _actions(rng, days, first, common, entry, leave)
    price = np.exp(rng.normal(np.log(1800), 0.5, len(codes)))
    price *= np.prod(factor, axis=0) ** -0.7
    return Listings(
        days, first, codes, common, category, segment, sector, cluster, size, price,
        entry, leave, factor, action,
    )  # fmt: skip


def _codes(rng, stocks, fresh, sessions, first):
    """Codes in order and their first listed sessions; some fresh ones carry a letter."""
    reserved = {code[:4] for code in SPECIALS}
    numbers = [str(n) for n in range(1301, 9998) if str(n) not in reserved]
    lettered = [f"{n}{letter}" for n in range(130, 400) for letter in LETTERS][: fresh // 2]
    plain = rng.choice(numbers, stocks + fresh - len(lettered), replace=False)
    entry = np.zeros(stocks + fresh, np.int64)
    entry[stocks:] = rng.integers(first + 1, max(sessions - 20, first + 2), fresh)
    preferred = plain[0] + "5"
    codes = [*(stem + "0" for stem in (*plain, *lettered)), preferred, *SPECIALS]
    entry = np.append(entry, np.zeros(len(codes) - len(entry), np.int64))
    order = np.argsort(codes)
    return np.array(codes)[order], entry[order]


def _clusters(rng, common):
    """Sector and cluster of each issue: clusters of about eight stocks of one sector, and loners.

    Clusters and loners go round all sectors before any sector has a second.
    """
    members = rng.permutation(np.flatnonzero(common))
    loners = round(LONERS * len(members))
    count = max(1, (len(members) - loners) // CLUSTER_SIZE)
    home = np.concatenate([rng.permutation(OTHER) for _ in range(count // OTHER + 1)])[:count]
    cluster = np.full(len(common), -1)
    cluster[members[loners:]] = np.arange(len(members) - loners) % count
    spare = np.setdiff1d(np.arange(OTHER), home)
    rest = np.append(spare, rng.integers(0, OTHER, max(loners - len(spare), 0)))
    sector = np.full(len(common), OTHER)
    sector[members[loners:]] = home[cluster[members[loners:]]]
    sector[members[:loners]] = rest[:loners]
    return sector, cluster


def _describe(rng, codes, sector, size):
    """Product category, segment and sector of each issue, the special ones among them."""
    rank = np.argsort(np.argsort(-size)) / len(codes)
    small = rng.choice(["0102", "0104", "0106", "0107"], len(codes), p=[0.3, 0.3, 0.3, 0.1])
    segment = np.where(rank < 0.6, "0101", small)
    category = np.full(len(codes), "011")
    for issue, code in enumerate(codes):
        if code in SPECIALS:
            category[issue], segment[issue], sector[issue] = SPECIALS[code]
        elif code[4] != "0":
            # A preferred share stands right behind the same company's common stock.
            segment[issue], sector[issue] = segment[issue - 1], sector[issue - 1]
    return category, segment, sector


def _leave(rng, common, entry, sessions, first):
    """Session from which an issue is no longer listed; `sessions` for those that stay."""
    leave = np.full(len(entry), sessions)
    gone = rng.random(len(entry)) < TURNOVER * (sessions - first) / 245
    earliest = np.maximum(entry, first) + 60
    day = earliest + (rng.random(len(entry)) * (sessions - earliest)).astype(np.int64)
    gone &= common & (day < sessions)
    leave[gone] = day[gone]
    return leave


def _actions(rng, days, first, common, entry, leave):
    """Price factors and kinds of the corporate actions; most fall on ex-dates before month ends."""
    factor, action = np.ones((len(days), len(entry))), np.full((len(days), len(entry)), "")
    weight = np.where(_before_month_end(days), 20.0, 1.0)
    weight[: first + 1] = 0
    years = (len(days) - first) / 245
    for kind, ratios, rate in ACTIONS:
        count = max(2, round(rate * years * common.sum()))
        session = rng.choice(len(days), count, p=weight / weight.sum())
        issue = rng.choice(np.flatnonzero(common), count)
        ratio = rng.choice(list(ratios), count, p=list(ratios.values()))
        held = (entry[issue] < session) & (session < leave[issue])
        held &= action[session, issue] == ""
        factor[session[held], issue[held]] = ratio[held]
        action[session[held], issue[held]] = kind
    return factor, action


def _before_month_end(days):
    month = days.astype("datetime64[M]")
    ends = np.append(month[1:] != month[:-1], False)
    return np.append(ends[1:], False) & ~ends


def master(listings: Listings) -> pl.DataFrame:
    """Write the vendor's list of issues of every served session, by day and code."""
    session, issue = listings.served()
    day = pl.Series("Date", listings.days[session])
    reformed = (listings.days[session] >= REFORM).astype(np.int64)
    table = pl.concat([_attributes(listings, era) for era in (0, 1)])
    rows = table[reformed * len(listings.codes) + issue]
    small = (day < SMALL_TOLD_APART) & (rows["ScaleCat"] == "TOPIX Small 1")
    scale = rows["ScaleCat"].set(small, "TOPIX Small 2")
    return rows.with_columns(day, scale).select(*DATASETS["master"].schema)


def _attributes(listings, era):
    """One row per issue: its fields in the master before (0) or after (1) the reform."""
    sectors = [SECTORS[number] for number in listings.sector]
    segment = listings.segments[era].tolist()
    margin = listings.loanable.tolist()
    codes = listings.codes.tolist()
    return pl.DataFrame({
        "Code": codes,
        "CoName": [f"模擬{row[1]}{code[:4]}" for code, row in zip(codes, sectors, strict=True)],
        "CoNameEn": [f"Simulated {code[:4]}" for code in codes],
        "S17": [row[2] for row in sectors],
        "S17Nm": [GROUP_NAMES[row[2]] for row in sectors],
        "S33": [row[0] for row in sectors],
        "S33Nm": [row[1] for row in sectors],
        "ScaleCat": scales(listings),
        "Mkt": segment,
        "MktNm": [SEGMENT_NAMES[code] for code in segment],
        "Mrgn": margin,
        "MrgnNm": [MARGIN_NAMES[code] for code in margin],
        "ProdCat": listings.category.tolist(),
    })  # fmt: skip


def scales(listings: Listings) -> list[str]:
    """TOPIX size class of each issue by first market value, in the exchange's proportions."""
    names = np.array(
        [f"TOPIX {name}" for name in ("Core30", "Large70", "Mid400", "Small 1", "Small 2")]
    )
    first_section = listings.common & (listings.segment == "0101")
    rank = np.argsort(np.argsort(np.where(first_section, -listings.size, 0))) / first_section.sum()
    scale = names[np.searchsorted([0.015, 0.05, 0.25, 0.5], rank, side="right")]
    return np.where(first_section, scale, "-").tolist()
