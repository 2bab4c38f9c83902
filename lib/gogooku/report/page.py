"""Pages: base.html, which all of them extend, and the way they are filled."""

from pathlib import Path

import jinja2


def fill(path: Path, **values: object) -> str:
    """Fill the template at `path`: one HTML text that loads nothing from anywhere.

    values   what the template names; one that it names and that is missing is an error
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([path.parent, Path(__file__).parent]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(path.name).render(values)
