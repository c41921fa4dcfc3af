const form = document.getElementById("pictures"), files = document.getElementById("files");
const status = document.getElementById("status"), cards = document.getElementById("cards");
const drop = document.getElementById("drop");
const AT_ONCE = 2;
let latest = [];  // what was asked last: {file, cards}, file null for the example
const say = text => { status.textContent = text; };

async function send(address, options) {
  const reply = await fetch(address, options).catch(() => null);
  if (!reply) throw new Error("the server cannot be reached");
  if (!reply.ok) throw new Error((await reply.json().catch(() => ({}))).error || `the server answered ${reply.status}`);
  return reply;
}

async function ask(question) {
  const body = new FormData(), file = question.file;
  if (form.elements.explain.checked) body.append("explain", "true");
  if (file) body.append("pictures", file, file.name || "pasted picture");
  else body.append("example", "1");
  const reply = await send("./", {method: "POST", body, headers: {"X-Part": "cards"}});
  const part = document.createElement("template");
  part.innerHTML = await reply.text();
  const shown = [...part.content.querySelectorAll("article")];
  for (const card of shown) offerCorrection(card, file);
  question.cards.forEach(card => card.remove());
  question.cards = shown;
  cards.prepend(...shown);
  document.getElementById("answers").hidden = false;
  return shown.map(card => card.dataset.summary).join("; ");
}

function offerCorrection(card, file) {
  const wrong = card.querySelector(".wrong");
  if (!wrong || !file) return;
  wrong.hidden = false;
  wrong.addEventListener("submit", async event => {
    event.preventDefault();
    const {request, predicted, version} = card.dataset, output = wrong.querySelector("output");
    const given = new URLSearchParams({label: wrong.elements.label.value, request, predicted, version});
    try {
      await send(`feedback?${given}`, {method: "POST", body: file});
      output.textContent = `Saved as ${wrong.elements.label.value}.`;
    } catch (error) {
      output.textContent = `Not saved: ${error.message}.`;
    }
  });
}

async function askAll(questions) {
  const waiting = [...questions], count = waiting.length;
  if (!count) return;
  latest = questions;
  let done = 0;
  say(count > 1 ? `${count} pictures …` : "…");
  const worker = async () => {
    for (let question = waiting.shift(); question; question = waiting.shift()) {
      const name = question.file?.name || "picture";
      const found = await ask(question).catch(error => `${name}: ${error.message}`);
      done += 1;
      say(count > 1 ? `${done} of ${count}. ${found}` : found);
    }
  };
  await Promise.all(Array.from({length: AT_ONCE}, worker));
  files.value = "";
}

const askFiles = chosen => askAll([...chosen].map(file => ({file, cards: []})));

document.getElementById("hint").hidden = false;
document.getElementById("send").hidden = true;  // choosing is asking
files.addEventListener("change", () => askFiles(files.files));
form.elements.explain.addEventListener("change", event => { if (event.target.checked) askAll(latest); });
form.addEventListener("submit", event => {
  event.preventDefault();
  if (event.submitter?.name === "example") {
    askAll([{file: null, cards: []}]);
  } else {
    say("Choose a picture first.");
    files.focus();
  }
});
for (const kind of ["dragover", "drop", "dragleave"]) {
  document.addEventListener(kind, event => {
    event.preventDefault();
    drop.classList.toggle("over", kind === "dragover");
    if (kind === "drop") askFiles(event.dataTransfer.files);
  });
}
document.addEventListener("paste", event => {
  askFiles(event.clipboardData.files);
});
