// The decision page by keyboard, reasons to pick from, and what must be filled in before a confirmation opens.
(function () {
  "use strict";

  function isOff() {
    try {
      return window.localStorage.getItem("portal.shortcuts") === "off";
    } catch (error) {
      return false;
    }
  }

  function typing(target) {
    return target instanceof Element &&
      (target.closest("input, textarea, select, [contenteditable]") || document.querySelector("dialog[open]"));
  }

  // A field that a verdict needs: said beside it before anybody is asked to confirm.
  function complain(field) {
    const id = `${field.id}-needed`;
    let words = document.getElementById(id);
    if (!words) {
      words = document.createElement("p");
      words.id = id;
      words.className = "invalid-feedback";
      words.setAttribute("role", "alert");
      field.insertAdjacentElement("afterend", words);
    }
    words.textContent = "A comment is needed unless you approve.";
    field.classList.add("is-invalid");
    field.setAttribute("aria-invalid", "true");
    const described = new Set((field.getAttribute("aria-describedby") || "").split(" ").filter(Boolean));
    field.setAttribute("aria-describedby", [...described.add(id)].join(" "));
    field.focus();
  }

  function settled(field) {
    const words = document.getElementById(`${field.id}-needed`);
    if (!words || !field.value.trim()) return;
    words.remove();
    field.classList.remove("is-invalid");
    field.removeAttribute("aria-invalid");
  }

  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element && event.target.closest("button[data-needs]");
    if (!button) return;
    const field = document.getElementById(button.dataset.needs);
    if (!field || field.value.trim()) return;
    event.preventDefault();
    event.stopPropagation();
    complain(field);
  }, true); // before the dialog opens

  document.addEventListener("input", (event) => {
    if (event.target instanceof HTMLTextAreaElement && event.target.id) settled(event.target);
  });

  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element && event.target.closest("button[data-insert-into]");
    if (!button) return;
    const field = document.getElementById(button.dataset.insertInto);
    if (!field) return;
    const before = field.value.trimEnd();
    field.value = before ? `${before}\n${button.textContent.trim()}` : button.textContent.trim();
    settled(field);
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  });

  document.addEventListener("keydown", (event) => {
    const comment = document.querySelector("#decision textarea");
    if (!comment) return;
    if (event.key === "Escape" && event.target === comment) {
      comment.blur(); // the keys decide again
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || typing(event.target) || isOff()) return;
    if (event.key === "w") {
      event.preventDefault();
      comment.focus();
      return;
    }
    const button = /^[a-z]$/.test(event.key) && document.querySelector(`.decision-buttons button[data-key="${event.key}"]`);
    if (!button) return;
    event.preventDefault();
    button.focus(); // where the focus returns to when the dialog closes
    button.click();
  });
})();
