"use strict";
// Tables sort by a click on a column's name, and rows can be filtered; without this script they are as complete.
// One listener for all tables, those that come later too.
document.addEventListener("click", (event) => {
  const button = event.target.closest("table.sortable thead button");
  if (button === null) return;
  const table = button.closest("table");
  const body = table.tBodies[0];
  const keyOf = (row, column) => row.cells[column].dataset.v ?? row.cells[column].textContent.trim();
  const compare = (a, b) => {
    const [x, y] = [Number(a), Number(b)];
    const numbers = a !== "" && b !== "" && !Number.isNaN(x) && !Number.isNaN(y);
    return numbers ? x - y : a.localeCompare(b, "en", { numeric: true });
  };
  const head = button.closest("th");
  const ascending = head.getAttribute("aria-sort") !== "ascending";
  for (const other of table.tHead.querySelectorAll("[aria-sort]")) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
  const column = head.cellIndex;
  const keyed = [...body.rows].map((row) => [keyOf(row, column), row]);
  // What has no value stays last, whichever way.
  const empty = (key) => (key === "" || key === "–" ? 1 : 0);
  const way = ascending ? 1 : -1;
  keyed.sort(([a], [b]) => empty(a) - empty(b) || way * compare(a, b));
  body.append(...keyed.map(([, row]) => row));
});
for (const input of document.querySelectorAll("input[data-filters]")) {
  const table = document.getElementById(input.dataset.filters);
  const told = document.getElementById(input.dataset.filters + "-count");
  input.closest("label").hidden = false;
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(" ").filter(Boolean);
    let shown = 0;
    for (const row of table.tBodies[0].rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      if (!row.hidden) shown += 1;
    }
    told.textContent = words.length > 0 ? `${shown} of ${table.tBodies[0].rows.length} rows` : "";
  });
}
