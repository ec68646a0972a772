// The bell: how many are unread, the newest when it is opened, and what is opened is read.
(function () {
  "use strict";

  const EVERY = 60000;
  const bell = () => document.getElementById("bell");
  let signedOut = false;

  function token() {
    try {
      return JSON.parse(document.body.getAttribute("hx-headers") || "{}")["X-CSRFToken"] || "";
    } catch (error) {
      return "";
    }
  }

  // A fragment of ours, or null: signed out, or the portal did not answer. The page is left alone then.
  async function fragment(url) {
    try {
      const answer = await fetch(url, { credentials: "same-origin", headers: { Accept: "text/html" }, redirect: "manual" });
      if (answer.type === "opaqueredirect") signedOut = true;
      return answer.ok ? await answer.text() : null;
    } catch (error) {
      return null;
    }
  }

  async function count() {
    if (signedOut || document.visibilityState !== "visible" || !bell()) return;
    const text = await fragment(bell().dataset.bell);
    const shown = document.getElementById("bell-count");
    if (text === null || !shown) return;
    const fresh = new DOMParser().parseFromString(text, "text/html").getElementById("bell-count");
    // What has not changed is not put there again: a reader would say it again.
    if (fresh && fresh.textContent !== shown.textContent) shown.replaceChildren(...fresh.childNodes);
  }

  async function latest() {
    const menu = document.getElementById("bell-menu");
    const text = await fragment(bell().dataset.bellLatest);
    if (!menu) return;
    if (text === null) {
      menu.querySelector(".bell-wait")?.replaceChildren("The portal did not answer. Open the list instead.");
      return;
    }
    const page = new DOMParser().parseFromString(text, "text/html");
    menu.replaceChildren(...page.body.childNodes);
    if (window.htmx) window.htmx.process(menu);
  }

  function read(url) {
    // It goes on while the page behind the link opens.
    return fetch(url, {
      method: "POST",
      credentials: "same-origin",
      keepalive: true,
      redirect: "manual",
      headers: { "X-CSRFToken": token() },
    }).catch(() => null);
  }

  document.addEventListener("show.bs.dropdown", (event) => {
    if (event.target.closest("#bell")) latest();
  });

  function opened(event) {
    const link = event.target.closest("a[data-notification]");
    if (link && (event.type === "click" || event.button === 1)) read(link.dataset.notification);
  }

  document.addEventListener("click", opened);
  document.addEventListener("auxclick", opened);

  document.addEventListener("submit", async (event) => {
    const form = event.target.closest("form[data-keep-place]");
    if (!form) return;
    event.preventDefault();
    await fetch(form.action, {
      method: "POST",
      credentials: "same-origin",
      redirect: "manual",
      headers: { "X-CSRFToken": token() },
      body: new FormData(form),
    }).catch(() => null);
    await latest();
    count();
  });

  // What is called a button answers the space bar as one.
  document.addEventListener("keydown", (event) => {
    if (event.key !== " " || !event.target.matches("#bell > [role=button]")) return;
    event.preventDefault();
    event.target.click();
  });

  document.addEventListener("visibilitychange", count);
  window.setInterval(count, EVERY);
})();
