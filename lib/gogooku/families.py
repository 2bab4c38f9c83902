"""What each family reads: light facts that the rules need, apart from the code that computes.

family → {input: look-back before the span [sessions]}; `panel` and `graphs` are the run's own
files, all other inputs raw data sets.
"""

FAMILIES: dict[str, dict[str, int]] = {
    "technical": {"panel": 1020, "calendar": 820, "summary": 320},
    "market": {"panel": 1020, "topix": 1020},
    "relative": {"panel": 1020, "topix": 1020},
    "sector": {"panel": 320},
    "flow": {"panel": 25, "investor_types": 320},
    "statement": {"panel": 600, "summary": 600},
    "earnings": {
        "panel": 250,
        "calendar": 250,
        "summary": 820,
        "earnings_date": 250,
        "earnings_calendar": 250,
    },
    "option": {"panel": 250, "options_225": 250},
    "index": {"panel": 250, "indices": 250},
    "short": {"panel": 270, "short_sale": 270, "short_ratio": 70},
    "listed": {"panel": 320, "master": 0, "summary": 320},
    "margin": {"panel": 320, "margin_interest": 320, "margin_alert": 25, "summary": 320},
    "graph": {"panel": 25, "graphs": 0},
    "user": {"panel": 820},
}
