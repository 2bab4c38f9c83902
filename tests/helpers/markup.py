"""A reader of HTML that sees what a browser would forgive."""

import html.parser


class Balance(html.parser.HTMLParser):
    """Finds tags that are closed out of turn and names that are given twice."""

    ALONE = ("meta", "br", "path", "use", "rect")

    def __init__(self):
        super().__init__()
        self.open, self.faults, self.names, self.links = [], [], [], []

    def handle_starttag(self, tag, attributes):
        if tag not in self.ALONE:
            self.open.append(tag)
        self.names += [value for name, value in attributes if name == "id"]
        self.links += [value for name, value in attributes if name == "href"]

    def handle_startendtag(self, tag, attributes):
        self.links += [value for name, value in attributes if name == "href"]
        self.names += [value for name, value in attributes if name == "id"]

    def handle_endtag(self, tag):
        if tag not in self.ALONE and (not self.open or self.open.pop() != tag):
            self.faults.append((tag, self.getpos()))


def read(page):
    """Read a page to its end."""
    reader = Balance()
    reader.feed(page)
    return reader
