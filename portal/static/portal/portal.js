// Behaviour shared by every page. Listens on the document, so fragments that htmx brings in need no set-up.
(function () {
  "use strict";

  const root = document.documentElement;

  function remember(name, value) {
    try {
      window.localStorage.setItem(name, value);
    } catch (error) {
      // Storage may be forbidden; the choice then lasts for this page.
    }
  }

  function recall(name) {
    try {
      return window.localStorage.getItem(name);
    } catch (error) {
      return null;
    }
  }

  // Toasts ----------------------------------------------------------------------------------------------------

  function toast(title, text) {
    const template = document.getElementById("toast-template");
    const shelf = document.getElementById("toasts");
    if (!template || !shelf) return;
    const piece = template.content.cloneNode(true);
    piece.querySelector(".notice-title").textContent = title;
    piece.querySelector(".notice-text").textContent = text;
    while (shelf.children.length > 2) shelf.firstElementChild.remove();
    shelf.append(piece);
  }

  const refusals = {
    401: ["You are signed out", "Sign in again in another tab, then repeat this. Nothing was changed."],
    403: ["Not allowed", "Your roles do not permit this. Nothing was changed."],
    404: ["Not found", "It does not exist, or you may not see it."],
    409: ["Not possible now", "Something changed meanwhile. Reload the page to see how it stands."],
    412: ["Changed meanwhile", "Somebody else saved first. Reload the page to see the difference."],
    429: ["Too many requests", "Wait a moment, then try again."],
    503: ["Temporarily unavailable", "Nothing was lost. Try again in a minute."],
  };

  function refusal(xhr) {
    const fallback = refusals[xhr.status] || [
      xhr.status >= 500 ? "Something went wrong on the server" : "The portal refused this",
      "Nothing was changed. Try again; if it goes on, tell an ML admin the time and the page.",
    ];
    if ((xhr.getResponseHeader("Content-Type") || "").includes("json")) {
      try {
        const problem = JSON.parse(xhr.responseText);
        return [problem.title || fallback[0], problem.detail || fallback[1]];
      } catch (error) {
        return fallback;
      }
    }
    // A house-style error page answers in HTML; its own words are better than the general ones.
    const page = new DOMParser().parseFromString(xhr.responseText || "", "text/html");
    const title = page.querySelector("[data-error-title]");
    const detail = page.querySelector("[data-error-detail]");
    const reference = xhr.status >= 500 ? xhr.getResponseHeader("X-Request-ID") : "";
    return [
      (title && title.textContent.trim()) || fallback[0],
      ((detail && detail.textContent.trim()) || fallback[1]) + (reference ? ` Reference ${reference}.` : ""),
    ];
  }

  // What asks by itself goes on by itself (progress.js); nobody pressed anything that could fail.
  const bySelf = (event) => event.target instanceof Element && event.target.dataset.poll !== undefined;

  document.addEventListener("htmx:responseError", (event) => {
    if (!bySelf(event) || event.detail.xhr.status < 500) toast(...refusal(event.detail.xhr));
  });
  document.addEventListener("htmx:sendError", (event) => {
    if (!bySelf(event)) toast("The portal did not answer", "Check your connection. Nothing was changed; try again.");
  });
  document.addEventListener("htmx:timeout", (event) => {
    if (!bySelf(event)) toast("The portal took too long", "It may still be working. Reload the page before you try again.");
  });

  // Times -----------------------------------------------------------------------------------------------------

  const units = [["year", 31557600], ["month", 2629800], ["day", 86400], ["hour", 3600], ["minute", 60]];

  function relativeWords(element) {
    const text = element.getAttribute("datetime");
    if (text.length === 10) return null; // a day stays as the server worded it
    const seconds = (new Date(text).getTime() - Date.now()) / 1000;
    if (Number.isNaN(seconds)) return null;
    if (Math.abs(seconds) < 45) return "just now";
    const distance = Math.max(60, Math.round(Math.abs(seconds) / 60) * 60);
    const [name, size] = units.find((unit) => distance >= unit[1]);
    const count = Math.floor(distance / size);
    const words = `${count} ${name}${count === 1 ? "" : "s"}`;
    return seconds < 0 ? `${words} ago` : `in ${words}`;
  }

  // All of a page in UTC, or one moment alone: hovering is neither for a keyboard nor for a finger.
  const inUtc = () => recall("portal.times") === "utc";

  function refreshTimes(scope) {
    scope.querySelectorAll("time[data-relative]").forEach((element) => {
      if (!element.dataset.words) element.dataset.words = element.textContent;
      const absolute = inUtc() !== (element.dataset.turned !== undefined);
      const words = absolute ? element.title : relativeWords(element) || element.dataset.words;
      element.toggleAttribute("data-utc", absolute);
      if (element.textContent !== words) element.textContent = words;
    });
  }

  function turnTimes() {
    remember("portal.times", inUtc() ? "relative" : "utc");
    document.querySelectorAll("time[data-turned]").forEach((element) => delete element.dataset.turned);
    refreshTimes(document);
    showChoices();
  }
  document.addEventListener("portal-times", turnTimes);

  window.setInterval(() => refreshTimes(document), 30000);

  // Theme, sidebar, shortcuts switch --------------------------------------------------------------------------

  function showChoices() {
    document.querySelectorAll("[data-theme-choice]").forEach((button) =>
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === root.dataset.themeWanted)));
    document.querySelectorAll("[data-side-toggle]").forEach((button) => {
      const folded = root.dataset.side === "folded";
      button.setAttribute("aria-pressed", String(folded));
      button.setAttribute("aria-label", folded ? "Widen navigation" : "Collapse navigation");
    });
    document.querySelectorAll("[data-shortcuts-toggle]").forEach((button) =>
      button.setAttribute("aria-pressed", String(shortcutsOn())));
    document.querySelectorAll("[data-times-toggle]").forEach((button) =>
      button.setAttribute("aria-pressed", String(inUtc())));
    if (/Mac|iPhone|iPad/.test(navigator.platform)) {
      document.querySelectorAll("[data-shortcut-hint]").forEach((hint) => (hint.textContent = "⌘ K"));
    }
  }

  const shortcutsOn = () => recall("portal.shortcuts") !== "off";

  // Copy ------------------------------------------------------------------------------------------------------

  async function copy(text) {
    if (navigator.clipboard && window.isSecureContext) {
      await navigator.clipboard.writeText(text);
      return;
    }
    const field = document.createElement("textarea");
    field.value = text;
    field.className = "visually-hidden";
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy"); // the only way on plain http
    field.remove();
    if (!done) throw new Error("copy refused");
  }

  async function copyFrom(button) {
    const source = button.dataset.copyFrom && document.querySelector(button.dataset.copyFrom);
    try {
      await copy(source ? source.textContent : button.dataset.copy);
      button.classList.add("is-copied");
      button.setAttribute("aria-live", "polite");
      const label = button.dataset.label || button.getAttribute("aria-label") || "";
      button.dataset.label = label;
      button.setAttribute("aria-label", "Copied");
      window.setTimeout(() => {
        button.classList.remove("is-copied");
        button.setAttribute("aria-label", label);
      }, 1600);
    } catch (error) {
      toast("Not copied", "The browser refused. Select the text and copy it by hand.");
    }
  }

  // Dialogs ---------------------------------------------------------------------------------------------------

  function openDialog(dialog) {
    if (!dialog || dialog.open) return;
    dialog.showModal();
    const first = dialog.querySelector("textarea, select, input:not([type=hidden])");
    if (first) first.focus();
  }

  function openFrom(button) {
    const form = button.dataset.dialogForm && document.getElementById(button.dataset.dialogForm);
    if (form && !form.reportValidity()) return; // say what is missing before asking for a confirmation
    openDialog(document.querySelector(button.dataset.dialog));
  }

  // Clicks ----------------------------------------------------------------------------------------------------

  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    if (event.target.nodeName === "DIALOG" && event.target.open) {
      const box = event.target.getBoundingClientRect();
      const inside = event.clientX >= box.left && event.clientX <= box.right &&
        event.clientY >= box.top && event.clientY <= box.bottom;
      if (!inside) event.target.close();
      return;
    }
    const time = event.target.closest("time[data-relative]");
    if (time && !time.closest("a, button, summary, label, [role=option]")) {
      if (time.dataset.turned === undefined) time.dataset.turned = "";
      else delete time.dataset.turned;
      refreshTimes(time.parentElement);
      return;
    }
    const button = event.target.closest("button, [data-dismiss]");
    if (!button) return;
    if (button.dataset.copy !== undefined || button.dataset.copyFrom) copyFrom(button);
    else if (button.dataset.dialog) openFrom(button);
    else if (button.dataset.dialogClose !== undefined) button.closest("dialog").close();
    else if (button.dataset.dismiss) button.closest(button.dataset.dismiss).remove();
    else if (button.dataset.themeChoice) {
      remember("portal.theme", button.dataset.themeChoice);
      window.portalTheme.apply(button.dataset.themeChoice);
      showChoices();
    } else if (button.dataset.sideToggle !== undefined) {
      root.dataset.side = root.dataset.side === "folded" ? "open" : "folded";
      remember("portal.side", root.dataset.side);
      showChoices();
    } else if (button.dataset.shortcutsToggle !== undefined) {
      remember("portal.shortcuts", shortcutsOn() ? "off" : "on");
      showChoices();
    } else if (button.dataset.timesToggle !== undefined) turnTimes();
    else if (button.dataset.reload !== undefined) window.location.reload();
    else if (button.dataset.print !== undefined) window.print();
  });

  // Double submit ---------------------------------------------------------------------------------------------

  function submitButtons(form) {
    return Array.from(form.elements).filter((element) => element.type === "submit");
  }

  function hold(form) {
    form.dataset.sending = "true";
    form.setAttribute("aria-busy", "true");
    submitButtons(form).forEach((button) => {
      button.dataset.held = String(button.disabled);
      button.disabled = true;
    });
  }

  function release(form) {
    delete form.dataset.sending;
    form.removeAttribute("aria-busy");
    submitButtons(form).forEach((button) => {
      if (button.dataset.held === "false") button.disabled = false;
      delete button.dataset.held;
    });
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sending) {
      event.preventDefault();
      return;
    }
    if (event.defaultPrevented || form.method !== "post" || form.dataset.guard === "off") return;
    form.dataset.sending = "true";
    // After the browser has read the pressed button's name and value, which a disabled button would not give.
    window.setTimeout(() => hold(form), 0);
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt.nodeName === "FORM" && event.detail.requestConfig.verb !== "get") hold(event.detail.elt);
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt.nodeName === "FORM" && event.detail.elt.dataset.sending) release(event.detail.elt);
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) document.querySelectorAll("form[data-sending]").forEach(release);
  });

  // Fragments -------------------------------------------------------------------------------------------------

  function settle(scope) {
    refreshTimes(scope);
    scope.querySelectorAll("dialog[data-dialog-open]").forEach((dialog) => {
      dialog.removeAttribute("data-dialog-open");
      openDialog(dialog);
    });
    // Where the tabs are wider than the window, the one that is shown is in sight.
    scope.querySelectorAll(".tab-links [aria-current]").forEach((tab) => {
      const tabs = tab.closest(".tab-links");
      const [box, frame] = [tab.getBoundingClientRect(), tabs.getBoundingClientRect()];
      if (box.right > frame.right) tabs.scrollLeft += box.left - frame.left - 24;
    });
    const mistakes = scope.querySelector("[data-focus-on-load]");
    if (mistakes) mistakes.focus();
  }

  document.addEventListener("htmx:load", (event) => settle(event.detail.elt));
  // The sidebar can be longer than the window; where one is stays in sight.
  const here = document.querySelector(".side-nav [aria-current='page']");
  if (here) {
    const list = here.closest(".side-nav");
    const below = here.getBoundingClientRect().bottom - list.getBoundingClientRect().bottom;
    if (below > 0) list.scrollTop += below + 24;
  }

  showChoices();
  settle(document);
})();
