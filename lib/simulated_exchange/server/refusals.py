"""How the vendor refuses a request: the statuses and the exact words.

Source: the vendor's specification, https://jpx-jquants.com/spec/, and answers that users of the
API have published. Words that nobody has published are ours and marked so.
"""

import json
from collections.abc import Iterable

PLANS = "If you want more data, please check other plans:https://jpx-jquants.com/#dataset"
NO_PATH = (
    "The requested endpoint does not exist. Please check the URL, HTTP method, and API "
    "version:https://jpx-jquants.com/spec/"
)
NO_KEY = "The api key is required."
BAD_KEY = "The incoming api key is invalid or expired."
NOT_IN_PLAN = f"This API is not available on your subscription. {PLANS}"
TOO_MANY = "Rate limit exceeded. Please try again later."
UNEXPECTED = "Unexpected error. Please try again later."
NO_FILES = "This endpoint is not available for csv download"


class Refusal(Exception):
    """An HTTP status other than 200 and the vendor's text for it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def message(text: str) -> bytes:
    """Wrap a text as the vendor does."""
    return json.dumps({"message": text}).encode()


def lacking(names: Iterable[str]) -> Refusal:
    """Refuse a request that has none of the parameters of which it needs one."""
    listed = ",".join(f"'{name}'" for name in names)
    return Refusal(400, f"This API requires at least 1 parameter as follows; {listed}.")


def invalid(name: str) -> Refusal:
    """Refuse a value that its parameter cannot have (our words)."""
    return Refusal(400, f"'{name}' is not valid.")


def together(*names: str) -> Refusal:
    """Refuse parameters that exclude each other (our words)."""
    return Refusal(400, f"{' and '.join(map(repr, names))} cannot be specified together.")


def outside(start: object, end: object) -> Refusal:
    """Refuse days that the subscription does not cover; no `end` covers all to come."""
    covered = f"Your subscription covers the following dates: {start} ~ {end or ''}"
    return Refusal(400, f"{covered}. {PLANS}")
