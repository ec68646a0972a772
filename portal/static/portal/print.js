// Before a page goes to paper: what is folded is opened, addresses of evidence and of other sites are written out, and
// where and when it was printed stands at its end. Afterwards everything is as it was.
(function () {
  "use strict";

  let opened = [];

  window.addEventListener("beforeprint", () => {
    opened = Array.from(document.querySelectorAll("main details:not([open])"));
    opened.forEach((fold) => (fold.open = true));
    document.querySelectorAll('main a[href^="/evidence/"], main a[href^="http"]').forEach((link) => {
      if (link.textContent.trim() !== link.href) link.dataset.url = link.href;
    });
    document.querySelectorAll("[data-print-origin]").forEach((place) => {
      const now = new Date().toISOString().slice(0, 19).replace("T", " ");
      place.textContent = `${window.location.href}, ${now} UTC`;
    });
  });

  window.addEventListener("afterprint", () => {
    opened.forEach((fold) => (fold.open = false));
    opened = [];
  });
})();
