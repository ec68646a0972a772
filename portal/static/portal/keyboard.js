// Keys: g and a letter open a page, j and k go through the rows of a list, / goes to its search, ? lists them all.
// None of them does anything while one types, in a dialog, together with Ctrl, Alt or Cmd, or when they are switched
// off in the menu under one's name (WCAG 2.1.4). Ctrl/Cmd+K is in palette.js.
(function () {
  "use strict";

  const CHORD_MS = 1500;
  let waitingForLetter = 0;

  function isOn() {
    try {
      return window.localStorage.getItem("portal.shortcuts") !== "off";
    } catch (error) {
      return true;
    }
  }

  function isTyping(target) {
    return target instanceof Element &&
      Boolean(target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], .dropdown-menu"));
  }

  function help() {
    const dialog = document.getElementById("shortcuts");
    if (dialog && !document.querySelector("dialog[open]")) dialog.showModal();
  }
  document.addEventListener("portal-help", help);
  document.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("[data-help-open]")) help();
  });

  // The rows of a queue where the page has one, else those of its first list: of each row its first link.
  function stops() {
    const chosen = Array.from(document.querySelectorAll("[data-queue] a[data-queue-item]"));
    if (chosen.length) return chosen;
    const rows = document.querySelectorAll("main .data-table tbody tr, main table.table tbody tr");
    return Array.from(rows, (row) => row.querySelector("a[href]")).filter(Boolean);
  }

  function step(direction) {
    const links = stops().filter((link) => link.offsetParent !== null);
    if (links.length) {
      const active = document.activeElement;
      let here = links.indexOf(active);
      if (here < 0 && active) {
        const row = active.closest("tr, li");
        here = row ? links.findIndex((link) => row.contains(link)) : -1;
      }
      const next = here < 0 ? (direction > 0 ? 0 : links.length - 1) : here + direction;
      const link = links[Math.min(Math.max(next, 0), links.length - 1)];
      link.focus();
      link.scrollIntoView({ block: "nearest" });
      return;
    }
    const link = document.querySelector(direction > 0 ? "a[rel=next]" : "a[rel=prev]");
    if (link) link.click();
  }

  function page(direction) {
    const [name, rel] = direction > 0 ? ["Next page", "next"] : ["Previous page", "prev"];
    const link = document.querySelector(`main .pager a[aria-label="${name}"], main a[rel=${rel}]`);
    if (link) link.click();
  }

  function go(letter) {
    const link = document.querySelector(`#shortcuts a[data-go="${CSS.escape(letter)}"]`);
    if (link) window.location.assign(link.href);
  }

  const keys = {
    j: () => step(1),
    k: () => step(-1),
    "]": () => page(1),
    "[": () => page(-1),
    "/": () => {
      const field = document.querySelector("main input[type=search]") || document.querySelector("[data-palette-open]");
      if (field) field.focus();
    },
    t: () => document.dispatchEvent(new CustomEvent("portal-times")),
    "?": help,
  };

  document.addEventListener("keydown", (event) => {
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.isComposing && !event.defaultPrevented;
    const letter = waitingForLetter && performance.now() - waitingForLetter < CHORD_MS;
    waitingForLetter = 0;
    if (!plain || isTyping(event.target) || document.querySelector("dialog[open], .offcanvas.show") || !isOn()) return;
    if (letter) {
      event.preventDefault();
      go(event.key);
    } else if (event.key === "g") waitingForLetter = performance.now();
    else if (keys[event.key]) {
      event.preventDefault();
      keys[event.key]();
    }
  });
})();
