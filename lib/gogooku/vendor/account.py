"""Whose account it is: the API key from the environment or .env, and the plan behind it."""

import functools
import os
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from gogooku import errors
from gogooku.raw import plans
from gogooku.vendor.jquants import KEY_VARIABLE, Client, NotInPlan, OutsideWindow


class _Secrets(BaseSettings):
    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore"
    )

    jquants_api_key: SecretStr = SecretStr("")


def key() -> str:
    """Read the API key from the environment variable JQUANTS_API_KEY or from the file .env.

    An empty or blank value is no value: it hides no other.

    Raises UserError if neither has it.
    """
    if not os.environ.get(KEY_VARIABLE, "").strip():
        os.environ.pop(KEY_VARIABLE, None)
    try:
        secret = _Secrets().jquants_api_key.get_secret_value().strip()
    except (ValidationError, UnicodeDecodeError):
        raise errors.UserError(
            f".env cannot be read: write one line in it, {KEY_VARIABLE}=<the key>"
        ) from None
    if not secret:
        raise errors.UserError(
            f"no API key: set the environment variable {KEY_VARIABLE}, or write it into .env"
        )
    return secret


def open_client(*, url: str, plan: str, ledger: str, bulk: bool, **how: Any) -> Client:
    """Open a client as config section `jquants` says, with the key of `key`.

    how   timeout, attempts, share and what else Client takes

    `plan: auto` is found out by two or three requests and remembered for the day.
    Raises UserError if there is no key, or it is refused.
    """
    open_as = functools.partial(Client, url, key(), ledger=Path(ledger).expanduser(), **how)
    if plan != "auto":
        return open_as(plan=plan)
    with open_as(plan="free") as client:
        name = client.memory.plan or probe(client)
    return open_as(plan=name)


def probe(client: Client) -> str:
    """Find out the plan, and the window where the vendor tells it; remember both for the day.

    It takes three requests at most, whose answers hold no rows.
    """
    if _is_served(client, "short_ratio"):
        plan = "premium" if _is_served(client, "dividend") else "standard"
    elif _is_served(client, "topix"):
        plan = "light"
    else:
        plan = "free"
        _is_served(client, "bars")
    client.memory.keep(plan=plan)
    return plan


def _is_served(client: Client, dataset: str) -> bool:
    day = "from" if dataset == "topix" else "date"
    try:
        client.rows(dataset, {day: plans.LONG_AGO})
    except (NotInPlan, OutsideWindow) as refusal:
        return isinstance(refusal, OutsideWindow)
    return True
