// Pairs this screen: a token that was read off the machine's own screen is exchanged for a session.

const DIGITS = 8;
const token = document.getElementById("token"), says = document.getElementById("says"), keys = document.getElementById("keys");
let waiting = false, until = 0, why = "";

function button(words, act, name = "") {
  const node = document.createElement("button");
  node.textContent = words;
  node.className = name;
  node.addEventListener("click", act);
  keys.append(node);
  return node;
}

const digits = () => token.value.replace(/\D/g, "").slice(0, DIGITS);

function show(found) {
  token.value = found.length > DIGITS / 2 ? `${found.slice(0, DIGITS / 2)} ${found.slice(DIGITS / 2)}` : found;
  go.disabled = waiting || found.length < DIGITS;
}

// Nothing is judged before: how long that is still goes down, and then the page says that it is over.
function count() {
  const left = Math.ceil((until - performance.now()) / 1000), about = why.replace(/ ?Wait \d+ s.*$/, "");
  waiting = left > 0;
  show(digits());
  says.textContent = waiting ? `${about} Wait ${left} s.`.trim() : `${about} Type what stands there now.`.trim();
  if (waiting) setTimeout(count, 200);
}

async function pair() {
  if (waiting || digits().length < DIGITS) return;
  waiting = true;
  show(digits());
  says.textContent = "...";
  try {
    const answer = await fetch("/pair", { method: "POST", body: digits() });
    if (answer.status === 204) { location.replace("/"); return; }
    why = await answer.text();
    token.value = "";
    const wait = Number(answer.headers.get("retry-after") ?? 0);
    until = performance.now() + 1000 * wait;
    if (wait) count();
    else { waiting = false; says.textContent = why; show(""); }
  } catch {
    says.textContent = "No connection to the machine.";
    waiting = false;
    show(digits());
  }
}

for (const digit of "123456789") button(digit, () => show(digits() + digit)).id = `key-${digit}`;
button("⌫", () => show(digits().slice(0, -1))).setAttribute("aria-label", "Delete");
button("0", () => show(`${digits()}0`)).id = "key-0";
const go = button("Pair", pair, "go");
go.id = "pair";
go.disabled = true;
token.addEventListener("input", () => show(digits()));
// A keyboard types wherever the focus is; the field and the keys take theirs by themselves.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target instanceof HTMLButtonElement && event.key === "Enter") return;
  if (event.key === "Enter") pair();
  else if (event.target === token) return;
  else if (/^\d$/.test(event.key)) show(digits() + event.key);
  else if (event.key === "Backspace") show(digits().slice(0, -1));
});

// The code on the machine's screen brings the token along, behind the #: it reaches no server's log that way.
if (/^#\d{8}$/.test(location.hash)) {
  show(location.hash.slice(1));
  history.replaceState(null, "", "/pair");
  says.textContent = "Tap Pair.";
}
