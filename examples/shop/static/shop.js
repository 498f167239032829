// Small comforts. Everything works without them.

for (const form of document.querySelectorAll("form[data-submit-on-change]")) {
  form.addEventListener("change", () => form.requestSubmit(form.querySelector("button:not([name])")));
}

// A second click on "order and pay" does no harm; it just looks better when nothing happens.
for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// The points in a form tell what is left to pay; where nothing is, nobody has to choose how to pay it.
const money = new Intl.NumberFormat(document.documentElement.lang, { style: "currency", currency: "EUR" });
document.addEventListener("punktgenau:change", ({ target, detail: { points, valueMinor, dueMinor } }) => {
  const form = target.closest("form.pays");
  if (!form) return;
  const each = (name, act) => form.querySelectorAll(`[data-${name}]`).forEach(act);
  each("value", (place) => { place.textContent = `−${money.format(valueMinor / 100)}`; });
  each("due", (place) => { place.textContent = money.format(dueMinor / 100); });
  each("points", (part) => { part.hidden = !points; });
  each("money", (part) => { part.hidden = part.disabled = !dueMinor; });
  each("no-money", (part) => { part.hidden = dueMinor > 0; });
});

// A voucher was added or taken off: the shop's own sums follow.
document.addEventListener("punktgenau:fresh", async ({ target }) => {
  const form = target.closest("form.pays");
  if (!form) return;
  const answer = await fetch(location.href);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const name of [".sums", ".methods"]) {
    const [old, fresh] = [form.querySelector(name), page.querySelector(`form.pays ${name}`)];
    if (!answer.ok || !old || !fresh) continue;
    if (name === ".sums") old.replaceChildren(...fresh.childNodes);
    else old.hidden = old.disabled = fresh.hidden;
  }
  form.querySelector(".pg-number[name]")?.dispatchEvent(new Event("input", { bubbles: true }));
});

// What a form would show on its next page, shown beside it at once; the newest wish counts.
for (const form of document.querySelectorAll("form[data-preview]")) {
  const place = document.getElementById(form.dataset.preview);
  let newest = 0;
  form.querySelector("button").hidden = true;
  form.addEventListener("change", async () => {
    const mine = ++newest;
    const reason = place.querySelector("select")?.value;
    const answer = await fetch(`${form.action}?${new URLSearchParams(new FormData(form))}`);
    const shown = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(place.id);
    if (!answer.ok || !shown || mine !== newest) return;
    place.replaceChildren(...shown.childNodes);
    if (reason && place.querySelector("select")) place.querySelector("select").value = reason;
  });
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}

// The drawer asks the provider's books only while it is open, and stays open from page to page.
const drawer = document.querySelector("[data-drawer]");
if (drawer) {
  const books = drawer.querySelector("[data-provider]");
  const load = async () => {
    const answer = await fetch(books.dataset.provider);
    if (answer.ok) books.querySelector("div").innerHTML = await answer.text();
  };
  drawer.addEventListener("toggle", () => {
    sessionStorage.setItem("drawer", drawer.open ? "open" : "");
    if (drawer.open) load();
  });
  if (sessionStorage.getItem("drawer")) drawer.open = true;
}
