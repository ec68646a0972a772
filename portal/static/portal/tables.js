// Lists: menus that close, filters that follow the address, rows marked for an action on several.
// Listens on the document, so what htmx brings in needs no set-up; everything here also works without it.
(function () {
  "use strict";

  // Menus -----------------------------------------------------------------------------------------------------

  const openMenus = () => Array.from(document.querySelectorAll("details[data-menu][open]"));

  function close(menu, andFocus) {
    menu.open = false;
    if (andFocus) menu.querySelector("summary").focus();
  }

  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element) || !event.target.isConnected) return;
    openMenus().forEach((menu) => {
      if (!menu.contains(event.target)) close(menu, false);
    });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = openMenus().find((one) => one.contains(document.activeElement)) || openMenus()[0];
    if (menu) close(menu, menu.contains(document.activeElement));
  });

  // What was open stays open when the results come anew, and a button that is gone leaves focus in its menu.
  let stayOpen = [];
  let focusIn = "";
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.id !== "results") return;
    const inside = openMenus().filter((menu) => event.detail.target.contains(menu));
    const asked = event.detail.requestConfig && event.detail.requestConfig.elt;
    const keeps = (menu) => menu.id === "columns-menu" && asked instanceof Element && menu.contains(asked);
    stayOpen = inside.filter(keeps).map((menu) => menu.id);
    focusIn = stayOpen.length && document.activeElement ? document.activeElement.id : "";
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (!(event.target instanceof Element) || event.target.id !== "results") return;
    stayOpen.forEach((id) => {
      const menu = document.getElementById(id);
      if (!menu) return;
      menu.open = true;
      const again = focusIn && document.getElementById(focusIn);
      if (again && !again.disabled) again.focus();
      else menu.querySelector("summary").focus();
    });
    stayOpen = [];
    follow();
    count();
  });

  // Filters ---------------------------------------------------------------------------------------------------

  // A chip or a link changed the address: the fields above show what it says, except the one being typed into.
  function follow() {
    const form = document.querySelector("form[data-filter-bar]");
    if (!form) return;
    const asked = new URLSearchParams(window.location.search);
    Array.from(form.elements).forEach((field) => {
      if (!field.name || field === document.activeElement) return;
      if (field.type === "checkbox" || field.type === "radio") {
        field.checked = asked.getAll(field.name).includes(field.value);
      } else if (field.multiple && field.options) {
        const values = asked.getAll(field.name);
        Array.from(field.options).forEach((option) => (option.selected = values.includes(option.value)));
      } else if (field.type !== "hidden") {
        const value = asked.get(field.name) || "";
        if (field.value !== value) field.value = value;
      }
    });
    keep(form, asked);
    const bar = document.querySelector("[data-filters-set]");
    const badge = form.querySelector("[data-filter-count]");
    if (bar && badge) {
      badge.textContent = bar.dataset.filtersSet;
      badge.hidden = bar.dataset.filtersSet === "0";
    }
  }

  // Sorting, columns, the tab and the view travel with the filters in hidden fields.
  const CARRIED = ["sort", "cols", "per_page", "view"];
  function keep(form, asked) {
    const shown = new Set(Array.from(form.elements).filter((field) => field.type !== "hidden").map((field) => field.name));
    const fixed = Array.from(form.elements).filter((field) => field.type === "hidden");
    fixed.forEach((field) => {
      if (CARRIED.includes(field.name)) field.remove();
      else field.value = asked.get(field.name) || "";
    });
    CARRIED.filter((name) => !shown.has(name)).forEach((name) =>
      asked.getAll(name).forEach((value) => {
        const field = document.createElement("input");
        field.type = "hidden";
        field.name = name;
        field.value = value;
        form.append(field);
      }));
  }

  // What is empty need not be in the address.
  document.addEventListener("htmx:configRequest", (event) => {
    const form = event.target instanceof Element && event.target.closest("form[data-filter-bar]");
    if (!form || event.detail.verb !== "get") return;
    const given = event.detail.formData;
    Array.from(given.keys()).forEach((name) => {
      const values = given.getAll(name).filter((value) => value !== "");
      given.delete(name);
      values.forEach((value) => given.append(name, value));
    });
  });

  // Marked rows -----------------------------------------------------------------------------------------------

  const boxes = () => Array.from(document.querySelectorAll("input[data-choose]"));

  function count() {
    const all = boxes();
    const marked = all.filter((box) => box.checked).length;
    document.querySelectorAll("[data-chosen-count]").forEach((place) => {
      place.textContent = `${marked} selected`;
    });
    document.querySelectorAll("input[data-choose-all]").forEach((box) => {
      box.checked = marked > 0 && marked === all.length;
      box.indeterminate = marked > 0 && marked < all.length;
    });
  }

  let lastBox = null;
  document.addEventListener("click", (event) => {
    const box = event.target instanceof Element && event.target.closest("input[data-choose]");
    if (!box) return;
    const all = boxes();
    if (event.shiftKey && lastBox && all.includes(lastBox)) {
      const [from, to] = [all.indexOf(lastBox), all.indexOf(box)].sort((a, b) => a - b);
      all.slice(from, to + 1).forEach((one) => (one.checked = box.checked));
    }
    lastBox = box;
    count();
  });
  document.addEventListener("change", (event) => {
    if (!(event.target instanceof Element)) return;
    if (event.target.matches("input[data-choose-all]")) boxes().forEach((box) => (box.checked = event.target.checked));
    if (event.target.matches("input[data-choose-all], input[data-choose]")) count();
  });
  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element) || !event.target.closest("[data-choose-none]")) return;
    boxes().forEach((box) => (box.checked = false));
    count();
  });
  // A list that refreshes itself waits while rows are marked: the marks would be lost.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const polls = (event.detail.elt.getAttribute("hx-trigger") || "").startsWith("every");
    if (polls && event.detail.target && event.detail.target.id === "results" &&
        (boxes().some((box) => box.checked) || openMenus().some((menu) => event.detail.target.contains(menu)))) {
      event.preventDefault();
    }
  });
  window.addEventListener("pageshow", count);
})();
