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
    const text = row => row.cells[column].textContent, number = row => parseFloat(text(row).replaceAll(",", ""));
    const words = new Intl.Collator("en", {numeric: true}).compare;
    const order = header.className === "n" ? (a, b) => (number(a) || 0) - (number(b) || 0) : (a, b) => words(text(a), text(b));
    rows.sort((a, b) => (down ? -1 : 1) * order(a.row, b.row));
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
    body.append(...rows.map(({row}) => row));
  }

  const names = document.head.appendChild(document.createElement("style")).sheet;
  for (const header of table.tHead.rows[0].cells) {
    const place = `.stacked td:nth-child(${header.cellIndex + 1})::before`, name = JSON.stringify(header.textContent + " ");
    names.insertRule(`@media (max-width: 40rem) { ${place} { content: ${name}; } }`);
    const button = document.createElement("button");
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => sortBy(header));
  }
  table.classList.add("stacked");
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

const nav = document.querySelector("nav");
const sections = [...document.querySelectorAll("main > section[id]")], seen = new Set();
const present = new IntersectionObserver(entries => {
  for (const {target, isIntersecting} of entries) seen[isIntersecting ? "add" : "delete"](target);
  const first = sections.find(section => seen.has(section));
  for (const link of nav.children) {
    if (!first || link.hash !== "#" + first.id) { link.removeAttribute("aria-current"); continue; }
    link.setAttribute("aria-current", "true");
    nav.scrollLeft = link.offsetLeft - nav.offsetLeft - 40;
  }
}, {root: document, rootMargin: `-${nav.parentNode.offsetHeight + 24}px 0px 0px 0px`});
for (const section of sections) present.observe(section);
