// Runs in <head> before anything is painted, so that no page flashes in the wrong theme or width.
(function () {
  "use strict";
  var root = document.documentElement;
  var dark = window.matchMedia("(prefers-color-scheme: dark)");

  function stored(name) {
    try {
      return window.localStorage.getItem(name);
    } catch (error) {
      return null; // storage may be forbidden; the page works without memory
    }
  }

  function apply(wanted) {
    var choice = typeof wanted === "string" ? wanted : stored("portal.theme") || "auto";
    root.dataset.themeWanted = choice;
    root.dataset.bsTheme = choice === "auto" ? (dark.matches ? "dark" : "light") : choice;
    root.dataset.side = stored("portal.side") === "folded" ? "folded" : "open";
  }

  apply();
  dark.addEventListener("change", apply);
  window.addEventListener("storage", apply);
  window.portalTheme = { apply: apply };
})();
