"""The body of an HTTP answer: unpacked, within a time for the whole of it, or as it is stored."""

import time

import requests
import urllib3

PIECE = 1 << 16  # bytes that are read at one time, at most


def body(response: requests.Response, until: float) -> bytes:
    """Read and unpack the body of an answer that was asked for with `stream=True`.

    The time-out of requests is one between two bytes, which a server that trickles never exceeds.

    until   moment by which it must be whole [s of time.monotonic]

    Raises requests.RequestException if the connection fails, or it is not whole by then.
    """
    pieces = []
    try:
        while piece := response.raw.read1(PIECE, decode_content=True):
            pieces.append(piece)
            if time.monotonic() > until:
                raise requests.ReadTimeout
    except urllib3.exceptions.HTTPError as error:
        raise requests.ConnectionError(type(error).__name__) from None
    return b"".join(pieces)


def stored(response: requests.Response) -> bytes:
    """Read the body of an answer that was asked for with `stream=True` as it lies on the server.

    A server may call the packing of a file the encoding of its answer, to be undone on arrival.

    Raises requests.RequestException if the connection fails.
    """
    try:
        return response.raw.read(decode_content=False)
    except urllib3.exceptions.HTTPError as error:
        raise requests.ConnectionError(type(error).__name__) from None
