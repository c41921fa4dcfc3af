const form = document.getElementById("pictures"), files = document.getElementById("files");
const status = document.getElementById("status"), cards = document.getElementById("cards");
const drop = document.getElementById("drop");
const AT_ONCE = 2;
const say = text => { status.textContent = text; };

async function send(address, options) {
  const reply = await fetch(address, options).catch(() => null);
  if (!reply) throw new Error("the server cannot be reached");
  if (!reply.ok) throw new Error((await reply.json().catch(() => ({}))).error || `the server answered ${reply.status}`);
  return reply;
}

async function ask(fields, file) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  if (file) body.append("pictures", file, file.name || "pasted picture");
  const reply = await send("./", {method: "POST", body, headers: {"X-Part": "cards"}});
  const part = document.createElement("template");
  part.innerHTML = await reply.text();
  const shown = [...part.content.querySelectorAll("article")];
  for (const card of shown) offerCorrection(card, file);
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

async function askAll(chosen) {
  const fields = form.elements.explain.checked ? {explain: "true"} : {};
  const waiting = [...chosen], count = waiting.length;
  let done = 0;
  say(count > 1 ? `${count} pictures …` : "…");
  const worker = async () => {
    for (let file = waiting.shift(); file; file = waiting.shift()) {
      const found = await ask(fields, file).catch(error => `${file.name}: ${error.message}`);
      done += 1;
      say(count > 1 ? `${done} of ${count}. ${found}` : found);
    }
  };
  await Promise.all(Array.from({length: AT_ONCE}, worker));
  files.value = "";
}

document.getElementById("hint").hidden = false;
files.addEventListener("change", () => askAll(files.files));
form.addEventListener("submit", event => {
  event.preventDefault();
  if (event.submitter?.name === "example") {
    const fields = form.elements.explain.checked ? {explain: "true", example: "1"} : {example: "1"};
    ask(fields).then(say, error => say(error.message));
  } else if (files.files.length) {
    askAll(files.files);
  } else {
    say("Choose a picture first.");
    files.focus();
  }
});
for (const kind of ["dragover", "drop", "dragleave"]) {
  document.addEventListener(kind, event => {
    event.preventDefault();
    drop.classList.toggle("over", kind === "dragover");
    if (kind === "drop") askAll([...event.dataTransfer.files]);
  });
}
document.addEventListener("paste", event => {
  const pasted = [...event.clipboardData.files];
  if (pasted.length) askAll(pasted);
});
