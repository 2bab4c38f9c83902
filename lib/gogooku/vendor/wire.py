"""The body of an HTTP answer: unpacked, within a time for the whole of it, or as it is stored."""

import math
import time

import requests
import urllib3

PIECE = 1 << 16  # bytes that are read at one time, at most


def body(response: requests.Response, until: float = math.inf, unpack: bool = True) -> bytes:
    """Read the body of an answer that was asked for with `stream=True`.

    until    moment by which it must be complete [s of time.monotonic]: the time-out of requests is
             one between two bytes, which a server that trickles never exceeds
    unpack   whether to undo the encoding that the server names; it may call the packing of a file
             the encoding of its answer

    Raises requests.RequestException if the connection fails, or the body is not complete by then.
    """
    pieces = []
    try:
        while piece := response.raw.read1(PIECE, decode_content=unpack):
            pieces.append(piece)
            if time.monotonic() > until:
                raise requests.ReadTimeout
    except urllib3.exceptions.HTTPError as error:
        raise requests.ConnectionError(type(error).__name__) from None
    return b"".join(pieces)
