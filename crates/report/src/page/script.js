"use strict";
(() => {
  const checks = [...document.querySelectorAll(".check")];
  const tiles = [...document.querySelectorAll(".tile")];
  const search = document.getElementById("search");
  const unfold = document.getElementById("unfold");
  const shown = document.getElementById("shown");
  const texts = new Map(checks.map((check) => [check, check.textContent.toLowerCase()]));
  const wanted = new Set();

  const offer = (open) => {
    unfold.setAttribute("aria-pressed", String(open));
    unfold.textContent = open ? "Close all" : "Open all";
  };

  const apply = () => {
    // Of others than those it opened, it can open all again.
    offer(false);
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const check of checks) {
      const fits = (wanted.size === 0 || wanted.has(check.dataset.verdict))
        && words.every((word) => texts.get(check).includes(word));
      check.hidden = !fits;
      count += fits ? 1 : 0;
    }
    for (const section of document.querySelectorAll("section.checks")) {
      section.hidden = !section.querySelector(".check:not([hidden])");
    }
    shown.textContent = count === checks.length ? `${count} checks` : `${count} of ${checks.length} checks`;
  };

  for (const tile of tiles) {
    tile.addEventListener("click", () => {
      const verdict = tile.dataset.verdict;
      const on = !wanted.has(verdict);
      on ? wanted.add(verdict) : wanted.delete(verdict);
      tile.setAttribute("aria-pressed", String(on));
      apply();
    });
  }
  search.addEventListener("input", apply);
  unfold.addEventListener("click", () => {
    const open = unfold.getAttribute("aria-pressed") !== "true";
    offer(open);
    for (const check of checks) check.open = open && !check.hidden;
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof HTMLInputElement;
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      search.focus();
    } else if (event.key === "Escape" && typing) {
      search.value = "";
      search.blur();
      apply();
    }
  });
  const named = (hash) => {
    try {
      return document.getElementById(decodeURIComponent(hash.slice(1)));
    } catch {
      return null;
    }
  };
  const reveal = (hash) => {
    const check = named(hash);
    if (!checks.includes(check)) return;
    if (check.hidden) {
      search.value = "";
      wanted.clear();
      for (const tile of tiles) tile.setAttribute("aria-pressed", "false");
      apply();
    }
    check.open = true;
    check.scrollIntoView({ block: "start" });
  };
  addEventListener("hashchange", () => reveal(location.hash));
  // A link to where the address leads already changes nothing in the address.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link) reveal(link.hash);
  });
  apply();
  reveal(location.hash);
})();
