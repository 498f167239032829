// The points box with script: slider and number in step, what is left to pay at once. Without it, forms do the work.
// Prices here are only a preview: the server quotes anew, and what it says wins. What was typed is sent as it was typed:
// only slider and buttons write into the field. A number is plain digits, as the server reads it; "1.000", "1e3" or
// "1.5" mean different things to different people, so they get a sentence and no preview.
const IDLE_MS = 300;
const FOCUS_KEY = "punktgenau:focus";
const FOCUS_AGE_MS = 10_000;
const POINTS_MAX = 10 ** 15;
const NUMBER = /^[ \t]*(0|[1-9][0-9]*)[ \t]*$/;

// Browsers that keep nothing forbid even to ask.
function stored(act) {
  try {
    return act(sessionStorage);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    return null;
  }
}

class PunktgenauPanel extends HTMLElement {
  connectedCallback() {
    if (!this.listening) {
      this.listening = new AbortController();
      const { signal } = this.listening;
      document.addEventListener("punktgenau:refresh", () => this.refresh(), { signal });
      this.addEventListener("submit", () => this.rememberFocus(), { signal });
      this.restoreFocus();
    }
    const { signal } = this.listening;
    for (const part of this.querySelectorAll("[data-pg-live]")) part.hidden = false;
    for (const part of this.querySelectorAll("[data-pg-plain]")) part.hidden = true;
    this.find("add")?.addEventListener("click", () => this.add(), { signal });
    this.find("code")?.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      this.add();
    }, { signal });
    for (const button of this.querySelectorAll("[data-voucher]")) {
      button.addEventListener("click", () => this.tell("remove", { voucher: button.dataset.voucher }), { signal });
    }
    const picker = this.querySelector(".pg-picker");
    if (picker) this.start(picker);
  }

  // Vouchers inside a shop's own form: that form is not sent for them, and what was typed in it stays.
  add() {
    const code = this.find("code").value.trim();
    if (code) this.tell("add", { code });
  }

  async tell(deed, body) {
    const url = new URL(this.dataset[deed], location.href);
    if (this.dataset.order) url.searchParams.set("order_reference", this.dataset.order);
    const headers = { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": this.dataset.token };
    try {
      const reply = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
      const answer = await reply.json().catch(() => ({}));
      if (reply.ok) await this.refresh();
      else if (this.find("refused")) this.find("refused").textContent = answer.detail ?? "";
    } catch (error) {
      // Without an answer nothing has changed here; the way to the page of vouchers stands.
      if (!(error instanceof TypeError)) throw error;
    }
  }

  disconnectedCallback() {
    this.listening?.abort();
    this.listening = null;
    clearTimeout(this.idle);
  }

  start(picker) {
    this.picker = picker;
    this.number = picker.querySelector(".pg-number");
    this.range = picker.querySelector(".pg-range");
    const { signal } = this.listening;
    const listen = (target, kind, act) => target?.addEventListener(kind, act, { signal });
    listen(this.number, "input", () => this.choose(this.number.value));
    listen(this.range, "input", () => { this.number.value = this.range.value; this.choose(this.range.value); });
    listen(this.find("all"), "click", () => this.take(this.figure("most")));
    listen(this.find("neighbours"), "click", (event) => this.pick(event.target.closest("[data-points]")));
    listen(this.querySelector(".pg-change"), "toggle", (event) => event.target.open && this.number.select());
    this.show(this.entered(this.number.value));
  }

  find(name) { return this.querySelector(`[data-pg="${name}"]`); }
  figure(name) { return Number(this.picker.dataset[name]); }

  take(points) {
    this.number.value = points;
    this.choose(points);
  }

  pick(button) {
    if (!button) return;
    this.take(button.dataset.points);
    this.number.focus();
  }

  choose(typed) {
    const entered = this.entered(typed);
    this.show(entered);
    this.explain(entered);
    clearTimeout(this.idle);
    this.asking?.abort();
    if (this.picker.dataset.quote && this.isAskable(entered)) this.idle = setTimeout(() => this.ask(entered), IDLE_MS);
  }

  // The number that was typed: 0 for an empty field, null for what is no plain whole number.
  entered(typed) {
    if (!String(typed).trim()) return 0;
    const found = NUMBER.exec(typed);
    return found && Number(found[1]);
  }

  // Nought is nothing to ask about, and numbers beyond the wire's are refused without a quote.
  isAskable(entered) { return entered > 0 && entered <= POINTS_MAX; }

  // What can be said without the server; its own reasons replace this.
  explain(entered) {
    const { notWhole, above } = this.picker.dataset;
    const said = entered === null ? notWhole : entered > this.figure("most") ? above : "";
    if (said) this.number.setAttribute("aria-invalid", "true");
    else this.number.removeAttribute("aria-invalid");
    this.find("why").replaceChildren(...(said ? [this.made("p", said)] : []));
    this.find("neighbours").hidden = true;
    this.find("status").textContent = entered === null ? said : "";
  }

  // What bounds and step make of a number; the server knows the finer rules.
  usable(entered) {
    if (!entered) return this.figure("floor");
    const [least, most, step] = ["least", "most", "step"].map((name) => this.figure(name));
    return Math.max(least, Math.min(most, entered - (entered % step)));
  }

  worthMinor(points) {
    const [per, minor] = [this.figure("ratePoints"), this.figure("rateMinor")].map(BigInt);
    const product = BigInt(points) * minor;
    const extra = { up: per - 1n, half_up: per / 2n }[this.picker.dataset.rounding] ?? 0n;
    return Number((product + extra) / per);
  }

  money(minor) {
    const { locale, currency } = this.picker.dataset;
    const digits = this.figure("digits");
    const style = { style: "currency", currency, minimumFractionDigits: digits, maximumFractionDigits: digits };
    return new Intl.NumberFormat(locale, style).format(minor / 10 ** digits);
  }

  show(entered) {
    const points = this.usable(entered);
    const value = this.worthMinor(points);
    const due = Math.max(0, this.figure("payable") - value);
    this.range.value = points;
    const [floor, most] = [this.figure("floor"), this.figure("most")];
    this.range.parentElement.style.setProperty("--_at", most > floor ? (points - floor) / (most - floor) : 0);
    this.write({ points, value, due }, entered === null ? "–" : this.money(value), this.money(due));
  }

  write({ points, value, due }, valueText, dueText) {
    this.find("value").textContent = valueText;
    this.find("due").textContent = dueText;
    this.range.setAttribute("aria-valuetext", `${points}, ${valueText}`);
    for (const [name, seen] of [["seen-points", points], ["seen-due", due]]) {
      const field = this.find(name);
      if (field) field.value = seen;
    }
    const detail = { points, valueMinor: value, dueMinor: due, currency: this.picker.dataset.currency };
    this.dispatchEvent(new CustomEvent("punktgenau:change", { bubbles: true, detail }));
  }

  async ask(entered) {
    this.asking = new AbortController();
    const { signal } = this.asking;
    const url = new URL(this.picker.dataset.quote, location.href);
    url.searchParams.set("points", entered);
    try {
      const reply = await fetch(url, { signal, headers: { Accept: "application/json" } });
      if (reply.ok) this.hear(await reply.json());
    } catch (error) {
      // Without an answer the preview stands, and the form is judged when it is sent.
      if (!(error instanceof TypeError) && error.name !== "AbortError") throw error;
    }
  }

  hear(quote) {
    const { texts } = quote;
    const figures = { points: quote.points, value: quote.value.amount_minor, due: quote.due.amount_minor };
    // The slider stays where the hand has left it; only the numbers follow the server.
    this.write(figures, texts.value, texts.due);
    this.find("why").replaceChildren(...quote.reasons.map((reason) => this.made("p", reason.text)));
    const earns = this.find("earns");
    if (earns) {
      earns.textContent = texts.earns;
      earns.hidden = !texts.earns;
    }
    const neighbours = this.find("neighbours");
    neighbours.hidden = !quote.neighbours.length;
    neighbours.replaceChildren(...quote.neighbours.map((near) => this.offer(near)));
    const why = quote.reasons.map((reason) => reason.text);
    this.find("status").textContent = [texts.sentence, ...why].join(" ");
  }

  offer(near) {
    const button = this.made("button", "");
    button.type = "button";
    button.className = "pg-button";
    button.dataset.points = near.points;
    button.append(this.made("span", near.text));
    return button;
  }

  // After a form of ours the page comes anew: who was in the box is in the box again. Only who works by keyboard is
  // scrolled there, and sees where the focus is.
  rememberFocus() {
    const byKeyboard = Boolean(this.ownerDocument.activeElement?.matches(":focus-visible"));
    stored((store) => store.setItem(FOCUS_KEY, JSON.stringify({ id: this.id, byKeyboard, at: Date.now() })));
  }

  restoreFocus() {
    const kept = JSON.parse(stored((store) => store.getItem(FOCUS_KEY)) ?? "null");
    const box = this.querySelector(".pg-box");
    if (!box || kept?.id !== this.id) return;
    stored((store) => store.removeItem(FOCUS_KEY));
    if (Date.now() - kept.at > FOCUS_AGE_MS) return;
    box.tabIndex = -1;
    box.toggleAttribute("data-quiet", !kept.byKeyboard);
    box.focus({ preventScroll: !kept.byKeyboard });
  }

  made(kind, text) {
    const element = document.createElement(kind);
    element.textContent = text;
    return element;
  }

  // For shops that change the cart by script: document.dispatchEvent(new Event("punktgenau:refresh")).
  async refresh() {
    if (!this.dataset.panel) return;
    const reply = await fetch(this.dataset.panel, { headers: { Accept: "text/html" } });
    if (!reply.ok) return;
    const page = new DOMParser().parseFromString(await reply.text(), "text/html");
    const fresh = page.querySelector("punktgenau-panel");
    if (!fresh) return;
    const typed = fresh.querySelector("fieldset .pg-number[name]");
    if (typed && this.number) typed.value = this.number.value;
    const place = this.parentNode;
    this.replaceWith(document.adoptNode(fresh));
    place?.dispatchEvent(new CustomEvent("punktgenau:fresh", { bubbles: true }));
  }
}

if (!customElements.get("punktgenau-panel")) customElements.define("punktgenau-panel", PunktgenauPanel);
