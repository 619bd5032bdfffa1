"use strict";
(() => {
  const checks = [...document.querySelectorAll(".check")];
  const tiles = [...document.querySelectorAll(".tile")];
  const search = document.getElementById("search");
  const unfold = document.getElementById("unfold");
  const shown = document.getElementById("shown");
  const texts = new Map(checks.map((check) => [check, check.textContent.toLowerCase()]));
  const wanted = new Set();

  const apply = () => {
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
    unfold.setAttribute("aria-pressed", String(open));
    unfold.textContent = open ? "Close all" : "Open all";
    for (const check of checks) check.open = open && !check.hidden;
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof HTMLInputElement;
    if (event.key === "/" && !typing) {
      event.preventDefault();
      search.focus();
    } else if (event.key === "Escape" && typing) {
      search.value = "";
      search.blur();
      apply();
    }
  });
  const reveal = () => {
    const check = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (check instanceof HTMLDetailsElement) {
      check.hidden = false;
      check.closest("section.checks").hidden = false;
      check.open = true;
      check.scrollIntoView({ block: "start" });
    }
  };
  addEventListener("hashchange", reveal);
  apply();
  reveal();
})();
