function makeSearchable(table) {
  const body = table.tBodies[0];
  const search = document.getElementById("search"), found = document.getElementById("found");
  const rows = [...body.rows].map(row => ({row, text: row.textContent.toLowerCase()}));

  function filter() {
    const words = search.value.toLowerCase().split(/\s+/);
    let count = 0;
    for (const {row, text} of rows) {
      row.hidden = !words.every(word => text.includes(word));
      count += !row.hidden;
    }
    found.textContent = count + " of " + rows.length;
  }

  function sortBy(header) {
    const down = header.getAttribute("aria-sort") === "ascending", column = header.cellIndex;
    const order = new Intl.Collator("en", {numeric: true}).compare;
    rows.sort((a, b) => (down ? -1 : 1) * order(a.row.cells[column].textContent, b.row.cells[column].textContent));
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
    body.append(...rows.map(({row}) => row));
  }

  for (const header of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => sortBy(header));
  }
  search.closest("p").hidden = false;
  search.addEventListener("input", filter);
  filter();
}

const table = document.getElementById("table");
if (table) makeSearchable(table);

const large = document.getElementById("large");
document.addEventListener("click", event => {
  if (event.target === large) large.close();
  if (!event.target.matches("figure img")) return;
  const [image, text] = [large.querySelector("img"), large.querySelector("p")];
  image.src = event.target.src;
  image.className = event.target.className;
  text.textContent = [event.target.title, event.target.parentNode.innerText.trim()].join("\n");
  large.showModal();
});
for (const image of document.querySelectorAll("figure img")) {
  if (image.naturalWidth && Math.max(image.naturalWidth, image.naturalHeight) <= 64) image.classList.add("tiny");
}
