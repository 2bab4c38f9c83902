"""A book of overlapping sleeves, stock by stock: what it holds and trades when not all can be had.

Each day a sleeve of 1/h of the capital is opened and left alone for h sessions (Jegadeesh and
Titman 1993). What leaves one sleeve and enters the next is traded net. An order to open that meets
nobody, or a price at its limit on its own side, is dropped; an order to close waits for the next
session on which it can be carried out, and is valued meanwhile at the last price. A stock that is
delisted is paid out without an order.
"""

from typing import NamedTuple

import numpy as np

from gogooku.arrays.agreement import Table
from gogooku.arrays.jit import kernel
from gogooku.evaluation.market import Market


class Positions(NamedTuple):
    """A book's tables (T, N), in shares of its capital.

    held     value after the trades of a row, negative if short
    traded   value bought (positive) or sold (negative) there
    """

    held: Table
    traded: Table


def positions(target: Table, market: Market, horizon: int) -> Positions:
    """Trade towards sleeves of `target` (T, N): weights of the capital, negative if sold short.

    Positions are units of stocks between trades: their value moves with prices, and a sleeve's size
    does not depend on what was earned before.
    """
    held, traded = np.zeros((2, *target.shape))
    can = market.buyable, market.sellable, market.gone
    _trade(target, market.price, *can, horizon, held, traded)
    return Positions(held, traded)


@kernel
def _trade(target, price, buyable, sellable, gone, horizon, held, traded):
    days, stocks = target.shape
    sleeves, waiting, position = (
        np.zeros((stocks, horizon)), np.zeros(stocks), np.zeros(stocks),
    )  # fmt: skip
    for t in range(days):
        now = t % horizon
        for j in range(stocks):
            if gone[t, j]:
                sleeves[j] = 0.0
                waiting[j] = position[j] = 0.0
                continue
            fresh = target[t, j]
            if fresh != 0.0:
                fresh = fresh / horizon / price[t, j]
                fresh = fresh if np.isfinite(fresh) else 0.0
            leaving = waiting[j] + sleeves[j, now]
            if fresh == 0.0 and leaving == 0.0:
                held[t, j] = position[j] * price[t, j] if position[j] != 0.0 else 0.0
                continue
            order = fresh - leaving
            done = buyable[t, j] if order > 0 else sellable[t, j]
            if not done and order != 0:
                # What would go on in the new sleeve stays there; the rest waits to be closed.
                same = fresh * leaving > 0
                fresh = np.sign(fresh) * min(abs(fresh), abs(leaving)) if same else 0.0
                order = 0.0
                waiting[j] = leaving - fresh
            else:
                waiting[j] = 0.0
            sleeves[j, now] = fresh
            position[j] = waiting[j] + sleeves[j].sum()
            held[t, j] = position[j] * price[t, j] if position[j] != 0.0 else 0.0
            traded[t, j] = order * price[t, j] if order != 0.0 else 0.0
