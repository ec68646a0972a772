// Repeating rows of a form: add a blank one, take one out. Without script one clears a row, and saving gives another.
(function () {
  "use strict";

  // More inputs than this the portal does not take with one form.
  const MOST = 980;

  const number = (set) => {
    set.querySelectorAll("[data-row]").forEach((row, at) => {
      row.setAttribute("aria-label", `Row ${at + 1}`);
      row.querySelector("[data-row-remove]").setAttribute("aria-label", `Remove row ${at + 1}`);
    });
  };

  const reveal = () =>
    document.querySelectorAll("[data-rows] [data-rows-add], [data-rows] [data-row-remove]").forEach((button) => {
      button.hidden = false;
    });

  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    const set = event.target.closest("[data-rows]");
    if (!set) return;
    const add = set.querySelector("[data-rows-add]");
    if (event.target.closest("[data-rows-add]")) {
      const list = set.querySelector("[data-rows-list]");
      if (set.closest("form").elements.length > MOST) return;
      const next = Number(set.dataset.next || list.children.length);
      set.dataset.next = String(next + 1);
      const row = set.querySelector("template").content.cloneNode(true);
      row.querySelectorAll("[name]").forEach((input) => {
        input.name = input.name.replace("__n__", String(next));
      });
      list.append(row);
      reveal();
      number(set);
      list.lastElementChild.querySelector("input:not([type=hidden]), textarea").focus();
    } else if (event.target.closest("[data-row-remove]")) {
      const row = event.target.closest("[data-row]");
      const beside = row.nextElementSibling || row.previousElementSibling;
      row.remove();
      number(set);
      (beside ? beside.querySelector("input:not([type=hidden]), textarea") : add).focus();
    }
  });

  reveal();
})();
