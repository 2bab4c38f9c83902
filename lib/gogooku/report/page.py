"""Pages: the head, look and tables that all of them share, and the way they are filled."""

from pathlib import Path

import jinja2


def fill(body: str, style: str = "", **values: object) -> str:
    """Fill the template of a page's body: one HTML text that loads nothing from anywhere.

    style    rules of this page alone
    values   what the template names; one that it names and that is missing is an error
    """
    top = Path(__file__).with_name("top.html").read_text(encoding="utf-8")
    look = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    sheets = "".join(f"\n{sheet}" for sheet in (look, style) if sheet)
    return environment.from_string(top + body).render(style=sheets, **values)
