// Keeps the overview true while it is looked at: time runs, holds tick down, what changed is brought in.
(() => {
  "use strict";
  const EVERY_MS = 2000;
  const away = document.getElementById("away");
  const seen = new Map();
  let base = null; // the sandbox's time at a moment of this page's own clock
  let ticking = null;
  let polling = null;
  let left = false;

  const now = () => base.at + (performance.now() - base.since);
  const two = (number) => String(number).padStart(2, "0");

  function readTime() {
    const clock = document.querySelector("[data-clock]");
    base = { at: Date.parse(clock.dataset.clock), since: performance.now() };
  }

  function remaining(ms) {
    const seconds = Math.ceil(ms / 1000);
    const days = Math.floor(seconds / 86400);
    const rest = `${Math.floor(seconds / 3600) % 24}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
    return days ? `${days} × 24 h + ${rest}` : rest;
  }

  function tick() {
    const at = now();
    const shown = document.querySelector("[data-clock] span");
    if (shown) shown.textContent = new Date(at).toISOString().slice(11, 19);
    for (const hold of document.querySelectorAll("[data-until]")) {
      const from = Date.parse(hold.dataset.from);
      const until = Date.parse(hold.dataset.until);
      const missing = until - at;
      hold.hidden = false;
      hold.querySelector("progress").value = Math.max(0, Math.min(1, missing / (until - from)));
      hold.querySelector("span").textContent =
        missing > 0 ? hold.dataset.left.replace("{left}", remaining(missing)) : hold.dataset.over;
    }
  }

  // A link or button that has the focus keeps it, although it is a new one.
  function replace(old, html) {
    const active = old.contains(document.activeElement) ? document.activeElement : null;
    const same = active && (active.getAttribute("href") || active.getAttribute("aria-labelledby") || active.textContent);
    const places = [...old.querySelectorAll(".scroll")].map((box) => box.scrollLeft);
    old.innerHTML = html;
    old.querySelectorAll(".scroll").forEach((box, index) => (box.scrollLeft = places[index] || 0));
    if (!active) return;
    const again = [...old.querySelectorAll(active.tagName)].find(
      (one) => same === (one.getAttribute("href") || one.getAttribute("aria-labelledby") || one.textContent),
    );
    if (again) again.focus({ preventScroll: true });
  }

  function bringIn(page) {
    for (const old of document.querySelectorAll("[data-live]")) {
      const fresh = page.getElementById(old.id);
      if (!fresh || fresh.innerHTML === seen.get(old.id)) continue;
      const selected = getSelection();
      if (!selected.isCollapsed && selected.containsNode(old, true)) continue;
      seen.set(old.id, fresh.innerHTML);
      replace(old, fresh.innerHTML);
    }
    readTime();
    tick();
  }

  async function refresh() {
    polling = null;
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      const text = await answer.text();
      if (left) return;
      // After a reset there may be no such page any more; that is no reason to say anything.
      if (answer.ok) bringIn(new DOMParser().parseFromString(text, "text/html"));
      away.textContent = "";
      if (!ticking) start();
    } catch {
      if (left) return;
      stop();
      away.textContent = away.dataset.text;
    }
    plan();
  }

  function plan() {
    if (!document.hidden && !left && !polling) polling = setTimeout(refresh, EVERY_MS);
  }

  function start() {
    if (!ticking) ticking = setInterval(tick, 1000);
  }

  function stop() {
    clearInterval(ticking);
    ticking = null;
  }

  for (const part of document.querySelectorAll("[data-live]")) seen.set(part.id, part.innerHTML);
  readTime();
  tick();
  start();
  plan();
  document.addEventListener("visibilitychange", () => {
    clearTimeout(polling);
    polling = null;
    if (document.hidden) stop();
    else refresh();
  });
  // The next page's news must not be fetched away by this one.
  addEventListener("submit", () => {
    left = true;
    clearTimeout(polling);
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
})();
