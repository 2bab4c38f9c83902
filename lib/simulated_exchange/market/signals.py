"""The planted parts of expected return, and their expectation at any earlier moment.

A part is known by `ahead(k)`: the (T, N) array whose row t is the expected return of session t+k
given everything public at the close of session t, before scaling. All parts but size are functions
of draws that are independent of the noise still to come, so these expectations are exact:

reversal   mu(t+1) = -sum_{j>=0} 0.75^j e(t-j), 15 terms, of the stock's own shocks e (unit
           variance, mean zero); of a filter's terms, those not yet drawn have expectation zero
lead_lag   mu(t+1) = mean over j = 1..5 of u(t-j), where u is the weighted mean of the own shocks of
           the other listed stocks of the cluster, its leader (the largest) counting three times:
           a shock works during the second to sixth session after it
drift      s(t) = d s(t-1) + surprise(t), mu(t+1) = s(t), d = exp(-1/12): after 25 sessions an
           eighth is left; the surprise counts from the session by whose close it is known
cycle      mu(t+k) = exp(-k v/2) sin(phase(t) + k step): the phase moves by `step` a session plus
           a normal of variance v, and log volume carries sin(phase(t)) on the same day
sector     mu(t+1) = sum_{j>=0} 0.9^j e(t-j), 20 terms, of the shocks e of the stock's sector
size       mu(t+1) = - log market value at t, standardised across stocks; it is taken to stand still
           over the sessions ahead, which within a month is wrong by a few hundredths of itself
short      mu(t+1) = - (x(t) - its mean), x the sum of the newest reported short positions; reports
           come at random, and what they say depends on the news of filings alone (market_shorts)
margin     carried news like drift with d = exp(-1/8): less the part of the growth of margin buying
           that neither prices nor filings explain, from the close after its publication
           (market_margin)
flow       carried news like margin: the part of foreigners' net buying of the stock's section that
           its prices do not explain (market_flows)
option     mu(t+k) = beta 0.95^(k-1) f(t-1), f the fear that the option chain of session t-1 shows,
           which is known in the following night: a return of the whole market, so that the mean
           over stocks is the truth about the market
schedule   mu(t) = 1 in the five sessions before an announced date of earnings, else 0; it is
           announced, and changed, more than 21 sessions before those (market_schedule)
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from simulated_exchange.market.listings import Listings

Floats = npt.NDArray[np.float64]
Ahead = Callable[[int], Floats]

PARTS = (
    "reversal", "drift", "lead_lag", "cycle",
    "short", "margin", "flow", "option", "sector", "size", "schedule",
)  # fmt: skip
HORIZONS = (1, 5, 10, 20)
LONGEST = max(HORIZONS) + 1  # sessions from a close to the last one of a label

REVERSAL = 0.75 ** np.arange(15)
LEAD_LAG = np.array([0, 1, 1, 1, 1, 1]) / 5
LEADER = 3.0
DRIFT = np.exp(-1 / 12)
WEEKLY = np.exp(-1 / 8)  # decay of what weekly prints tell, a session
SECTOR = 0.9 ** np.arange(20)
FEAR = 0.95  # persistence of the option market's fear
PERIODS = (30, 60)  # of the volume cycle [sessions]
WANDER = 0.05**2  # variance of the phase's drift [rad^2 per session]


def reversal(own: Floats) -> Ahead:
    """Expect the own shocks (T, N) to be given back."""
    return lambda k: -_filter(own, REVERSAL[k - 1 :])


def lead_lag(own: Floats, listings: Listings) -> Ahead:
    """Expect the own shocks (T, N) of the other members of a cluster to spill over."""
    others = _shocks_of_others(own, listings)
    return lambda k: _filter(others, LEAD_LAG[k - 1 :])


def drift(surprise: Floats) -> Ahead:
    """Expect prices to go on in the direction of surprises (T, N), zero where none is news."""
    return fading(carry(surprise, DRIFT), DRIFT)


def carry(news: Floats, decay: float) -> Floats:
    """Sum up news (T, N), older ones fading by `decay` a session."""
    state = np.empty_like(news)
    last = np.zeros(news.shape[1])
    for session, fresh in enumerate(news):
        last = state[session] = decay * last + fresh
    return state


def fading(state: Floats, decay: float) -> Ahead:
    """Expect returns in proportion to a state (T, N) that fades by `decay` a session."""
    return lambda k: decay ** (k - 1) * state


def prints(news: Floats) -> Ahead:
    """Expect returns after news (T, N) of weekly prints, zero in sessions without one."""
    return fading(carry(news, WEEKLY), WEEKLY)


def sector(shocks: Floats, listings: Listings) -> Ahead:
    """Expect the shocks (T, sectors) of a stock's sector to go on."""
    return lambda k: _filter(shocks, SECTOR[k - 1 :])[:, listings.sector]


def size(smallness: Floats) -> Ahead:
    """Expect companies (T, N) to earn more the smaller they are."""
    return lambda k: smallness


def option(fear: Floats, beta: Floats) -> Ahead:
    """Expect the market to reward fear (T,) once it is known, each stock by its beta (N,)."""
    known = np.append(0.0, fear[:-1])
    return fading(known[:, None] * beta, FEAR)


def schedule(before: Floats) -> Ahead:
    """Expect returns in the sessions before earnings: (T + 21, N), one there, zero elsewhere."""
    sessions = len(before) - LONGEST
    return lambda k: before[k : k + sessions]


def cycle(phase: Floats, step: Floats) -> Ahead:
    """Expect returns along the cycle of phase (T, N) [rad] and step (N,) [rad per session]."""
    return lambda k: np.exp(-k * WANDER / 2) * np.sin(phase + k * step)


def draw_phases(rng: np.random.Generator, sessions: int, issues: int) -> tuple[Floats, Floats]:
    """Draw each issue's cycle: phase (T, N) [rad] and mean step (N,) [rad per session]."""
    step = 2 * np.pi / rng.uniform(*PERIODS, issues)
    moves = step + rng.normal(0, np.sqrt(WANDER), (sessions, issues))
    moves[0] = rng.uniform(0, 2 * np.pi, issues)
    return np.cumsum(moves, axis=0), step


def scale(ahead: Ahead, counted: npt.NDArray[np.bool_], strength: float) -> float:
    """Factor that gives the expected one-session return its strength.

    counted   (T, N) the stocks and sessions over which strength is measured
    strength  standard deviation across stocks of the return expected from the next close to the
              one after it, mean over sessions [return]
    """
    if strength == 0:
        return 0.0
    spread = np.where(counted, ahead(2), np.nan)[counted.any(axis=1)]
    return strength / np.nanstd(spread, axis=1).mean()


def accrue(ahead: Ahead) -> Floats:
    """Return (T, N): expected, at the close of the session before, in each session."""
    expected = np.zeros_like(ahead(1))
    expected[1:] = ahead(1)[:-1]
    return expected


def over_horizons(ahead: Ahead) -> list[Floats]:
    """Return (T, N) per horizon of HORIZONS: expected, at the close of t, from close t+1 to t+1+h.

    Sums of one-session expectations; products of small returns are left out.
    """
    total, found = np.zeros_like(ahead(2)), []
    for k in range(2, LONGEST + 1):
        total = total + ahead(k)
        if k - 1 in HORIZONS:
            found.append(total)
    return found


def _filter(shocks, weights):
    """Rows sum_i weights[i] * shocks[t - i]."""
    out = np.zeros_like(shocks)
    for lag, weight in enumerate(weights[: len(shocks)]):
        out[lag:] += weight * shocks[: len(shocks) - lag]
    return out


def _shocks_of_others(own, listings):
    cluster, listed = listings.cluster, listings.listed
    together = (cluster[:, None] == cluster) & (cluster >= 0)
    np.fill_diagonal(together, False)
    weight = together * np.where(_leaders(listings), LEADER, 1.0)
    total = listed @ weight.T
    return np.divide((own * listed) @ weight.T, total, out=np.zeros_like(own), where=total > 0)


def _leaders(listings):
    """(N,) whether the issue is the largest of its cluster."""
    largest = np.zeros(max(listings.cluster.max(), 0) + 1)
    member = listings.cluster >= 0
    np.maximum.at(largest, listings.cluster[member], listings.size[member])
    return member & (listings.size == largest[listings.cluster])
