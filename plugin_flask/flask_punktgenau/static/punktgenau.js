// The points box with script: slider and number in step, what is left to pay at once. Without it, forms do the work.
// Prices here are only a preview: the server quotes anew, and what it says wins.
const IDLE_MS = 300;

class PunktgenauPanel extends HTMLElement {
  connectedCallback() {
    if (!this.listening) {
      this.listening = new AbortController();
      const { signal } = this.listening;
      document.addEventListener("punktgenau:refresh", () => this.refresh(), { signal });
    }
    const picker = this.querySelector(".pg-picker");
    if (picker) this.start(picker);
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
    for (const part of this.querySelectorAll("[data-pg-live]")) part.hidden = false;
    for (const part of this.querySelectorAll("[data-pg-plain]")) part.hidden = true;
    listen(this.number, "input", () => this.choose(this.number.value));
    listen(this.number, "change", () => this.settle());
    listen(this.range, "input", () => { this.number.value = this.range.value; this.choose(this.range.value); });
    listen(this.find("all"), "click", () => this.take(this.figure("most")));
    listen(this.find("neighbours"), "click", (event) => this.pick(event.target.closest("[data-points]")));
    listen(this.querySelector("details"), "toggle", (event) => event.target.open && this.number.select());
    this.show(this.number.value);
  }

  find(name) { return this.querySelector(`[data-pg="${name}"]`); }
  figure(name) { return Number(this.picker.dataset[name]); }

  take(points) {
    this.number.value = points;
    this.choose(points);
  }

  // What was typed becomes what is used, once the field is left.
  settle() {
    if (this.number.value) this.number.value = this.usable(this.number.value) || "";
  }

  pick(button) {
    if (!button) return;
    this.take(button.dataset.points);
    this.number.focus();
  }

  choose(points) {
    this.show(points);
    clearTimeout(this.idle);
    this.asking?.abort();
    if (this.picker.dataset.quote) this.idle = setTimeout(() => this.ask(points), IDLE_MS);
  }

  // What bounds and step make of a number; the server knows the finer rules.
  usable(entered) {
    const points = Math.floor(Number(entered)) || 0;
    if (points <= 0) return 0;
    const [least, most, step] = ["least", "most", "step"].map((name) => this.figure(name));
    return Math.max(least, Math.min(most, points - (points % step)));
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
    this.range.parentElement.style.setProperty("--_at", points / this.figure("most"));
    this.write({ points, value, due }, this.money(value), this.money(due));
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
    const points = Math.floor(Number(entered)) || 0;
    this.asking = new AbortController();
    const { signal } = this.asking;
    const url = new URL(this.picker.dataset.quote, location.href);
    url.searchParams.set("points", Math.max(0, points));
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
    if (fresh) this.replaceWith(document.adoptNode(fresh));
  }
}

if (!customElements.get("punktgenau-panel")) customElements.define("punktgenau-panel", PunktgenauPanel);
