// Long tables get a search field, and heads that sort. Without scripts they read as they stand.
const LONG = 25;
const number = text => {
  const found = text.replace("\u2212", "-").replace(/,/g, "").match(/^[-+]?\d+(\.\d+)?/);
  return found ? Number(found[0]) : null;
};
const compare = (a, b) => {
  const [x, y] = [number(a), number(b)];
  return x !== null && y !== null ? x - y : a.localeCompare(b);
};
for (const table of document.querySelectorAll(".wide table")) {
  const bodies = [...table.tBodies];
  const rows = bodies.flatMap(body => [...body.rows].filter(row => row.cells.length > 1));
  if (rows.length < LONG) continue;
  const search = document.createElement("input");
  search.type = "search";
  search.placeholder = "Search rows";
  search.setAttribute("aria-label", "Search the rows of this table");
  search.oninput = () => rows.forEach(row => {
    row.hidden = !row.textContent.toLowerCase().includes(search.value.toLowerCase());
  });
  table.parentElement.before(search);
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.append(...head.childNodes);
    head.append(button);
    button.onclick = () => {
      const falling = head.ariaSort === "ascending";
      for (const other of table.tHead.rows[0].cells) other.ariaSort = null;
      head.ariaSort = falling ? "descending" : "ascending";
      for (const body of bodies) {
        const own = rows.filter(row => row.parentElement === body);
        own.sort((a, b) => compare(a.cells[column].textContent, b.cells[column].textContent));
        body.append(...(falling ? own.reverse() : own));
      }
    };
  });
}
