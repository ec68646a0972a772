// The command palette: Ctrl/Cmd+K opens a dialog in which one types to find things, pages and actions. A combobox over
// a list box as the ARIA practices have it: focus stays in the field, aria-activedescendant says which option is meant.
(function () {
  "use strict";

  const dialog = document.getElementById("palette");
  if (!dialog) return;
  const field = dialog.querySelector("[role=combobox]");
  const place = dialog.querySelector("[data-palette-place]");

  const options = () => Array.from(place.querySelectorAll("[role=option]"));
  const chosen = () => place.querySelector("[role=option][aria-selected=true]");

  // Enter before the answer to the last words is there opens what comes first in it, not what stands there still.
  let awaited = null;

  const isFresh = () => {
    const list = place.querySelector("[role=listbox]");
    return Boolean(list) && (list.dataset.words || "") === field.value.replace(/\s+/g, " ").trim();
  };

  function choose(option) {
    const before = chosen();
    if (before) before.setAttribute("aria-selected", "false");
    if (!option) {
      field.removeAttribute("aria-activedescendant");
      return;
    }
    option.setAttribute("aria-selected", "true");
    field.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  function move(by) {
    const all = options();
    if (!all.length) return;
    const here = all.indexOf(chosen());
    choose(all[(here + by + all.length) % all.length]);
  }

  function open() {
    if (dialog.open) {
      field.select();
      return;
    }
    const other = document.querySelector("dialog[open]");
    if (other) return; // an act of authority is answered first
    dialog.showModal();
    field.focus();
    field.select();
    field.setAttribute("aria-expanded", "true");
    window.htmx.trigger(field, "palette-open");
  }

  const deeds = {
    "theme-light": () => press("[data-theme-choice=light]"),
    "theme-dark": () => press("[data-theme-choice=dark]"),
    "theme-auto": () => press("[data-theme-choice=auto]"),
    shortcuts: () => press("[data-shortcuts-toggle]"),
    help: () => document.dispatchEvent(new CustomEvent("portal-help")),
    times: () => document.dispatchEvent(new CustomEvent("portal-times")),
    print: () => window.print(),
  };

  function press(selector) {
    const button = document.querySelector(selector);
    if (button) button.click();
  }

  function take(option, elsewhere) {
    const { url, does } = option.dataset;
    if (url && elsewhere) {
      window.open(url, "_blank", "noopener");
      return;
    }
    dialog.close();
    if (url) window.location.assign(url);
    else if (deeds[does]) deeds[does]();
  }

  dialog.addEventListener("close", () => {
    awaited = null;
    field.setAttribute("aria-expanded", "false");
  });

  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const keys = { ArrowDown: 1, ArrowUp: -1 };
    if (keys[event.key]) {
      event.preventDefault();
      move(keys[event.key]);
    } else if (event.key === "PageDown" || event.key === "PageUp") {
      event.preventDefault();
      const all = options();
      const here = all.indexOf(chosen()) + (event.key === "PageDown" ? 8 : -8);
      choose(all[Math.min(Math.max(here, 0), all.length - 1)]);
    } else if (event.key === "Enter") {
      event.preventDefault(); // the form is for who has no scripts
      const elsewhere = event.ctrlKey || event.metaKey;
      if (!isFresh()) awaited = { elsewhere };
      else if (chosen()) take(chosen(), elsewhere);
    }
  });

  place.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) take(option, event.ctrlKey || event.metaKey);
  });
  place.addEventListener("mousemove", (event) => {
    const option = event.target.closest("[role=option]");
    if (option && option !== chosen()) choose(option);
  });
  // The first answer is what Enter opens.
  place.addEventListener("htmx:afterSwap", () => {
    choose(options()[0]);
    const waits = awaited;
    if (!waits || !isFresh()) return;
    awaited = null;
    if (chosen()) take(chosen(), waits.elsewhere);
  });
  // What comes for other words than those that stand there now would be opened by mistake.
  field.addEventListener("input", () => {
    awaited = null;
    choose(null);
  });

  document.addEventListener("click", (event) => {
    const opener = event.target instanceof Element && event.target.closest("[data-palette-open]");
    if (!opener || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open();
  });
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || event.key.toLowerCase() !== "k") return;
    event.preventDefault();
    open();
  });
})();
