// Going to another step of a registration takes along what is typed. Listens on the document, so fragments need no set-up.
(function () {
  "use strict";

  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element) || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    const link = event.target.closest("a[data-draft-go]");
    const form = link && document.querySelector("form[data-draft]");
    if (!form) return;
    event.preventDefault();
    const go = document.createElement("input");
    go.type = "hidden";
    go.name = "go";
    go.value = link.dataset.draftGo;
    form.append(go);
    form.submit();
  });
})();
