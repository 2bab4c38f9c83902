"""Requests to a server, with nothing between the test and the wire."""

import json
import urllib.error
import urllib.parse
import urllib.request

from gogooku.raw.catalogue import DATASETS

from helpers.tiny_market import KEY

PATHS = {name: entry.path for name, entry in DATASETS.items()}
PLANS = "If you want more data, please check other plans:https://jpx-jquants.com/#dataset"


def fetch(url, headers):
    """Status, headers and body of one request."""
    try:
        asked = urllib.request.Request(url, headers=headers)
        with urllib.request.urlopen(asked, timeout=60) as got:
            return got.status, got.headers, got.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def get(exchange, path, key=KEY, **query):
    """Status and decoded body of one request; a final _ keeps Python's words out of the way."""
    words = urllib.parse.urlencode({name.rstrip("_"): value for name, value in query.items()})
    status, _, body = fetch(f"{exchange.url}{path}?{words}", {"x-api-key": key} if key else {})
    return status, json.loads(body)


def data(exchange, dataset, **query):
    """Rows of an answer that is whole in one page."""
    status, body = get(exchange, PATHS[dataset], **query)
    assert (status, list(body)) == (200, ["data"])
    return body["data"]


def pages(exchange, dataset, **query):
    """All pages of an answer; two with one key would never end."""
    found = [get(exchange, PATHS[dataset], **query)[1]]
    keys = set()
    while found[-1].get("pagination_key"):
        key = found[-1]["pagination_key"]
        assert key not in keys
        keys.add(key)
        found.append(get(exchange, PATHS[dataset], **query, pagination_key=key)[1])
    return found
