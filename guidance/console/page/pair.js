// Pairs this screen: a token that was read off the machine's own screen is exchanged for a session.

const DIGITS = 8;
const token = document.getElementById("token"), says = document.getElementById("says"), keys = document.getElementById("keys");
let waiting = false;

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

async function pair() {
  if (waiting || digits().length < DIGITS) return;
  waiting = true;
  show(digits());
  says.textContent = "...";
  try {
    const answer = await fetch("/pair", { method: "POST", body: digits() });
    if (answer.status === 204) { location.replace("/"); return; }
    says.textContent = await answer.text();
    const wait = Number(answer.headers.get("retry-after") ?? 0);
    token.value = "";
    setTimeout(() => { waiting = false; show(digits()); }, 1000 * wait);
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
token.addEventListener("keydown", (event) => { if (event.key === "Enter") pair(); });

// The code on the machine's screen brings the token along, behind the #: it reaches no server's log that way.
if (/^#\d{8}$/.test(location.hash)) {
  show(location.hash.slice(1));
  history.replaceState(null, "", "/pair");
  says.textContent = "Tap Pair.";
}
