// Long work: asks how far it is until it is over, more rarely while nothing changes, not while nobody looks, and on
// after an outage. An element asks when it has data-poll (milliseconds) and htmx's trigger "poll": the tags `working`
// and `polls` write both. What those who cannot see the page are told stands in data-announce.
(function () {
  "use strict";

  const LONGEST = 10000;
  const LONGEST_OUTAGE = 60000;
  // By address, as the element itself is replaced by each answer: how long to wait, how the work stood, what was said.
  const asked = new Map();
  let told = "";

  const all = (scope, selector) => [
    ...(scope instanceof Element && scope.matches(selector) ? [scope] : []),
    ...scope.querySelectorAll(selector),
  ];

  function tell(words) {
    const place = document.getElementById("announcer");
    if (!place || !words || words === told) return;
    told = words;
    place.textContent = words;
  }

  // Somebody types, or is asked something, in what the answer would replace.
  function isBusy(element) {
    const target = element.getAttribute("hx-target");
    const place = !target || target === "this" ? element : document.querySelector(target) || element;
    const active = document.activeElement;
    return Boolean(place.querySelector("dialog[open]")) ||
      (place.contains(active) && active.matches("input, textarea, select"));
  }

  function ask(element) {
    if (!element.isConnected) return;
    if (document.hidden || !navigator.onLine) return; // looked at again when somebody looks, or the line is back
    if (isBusy(element)) schedule(element, Number(element.dataset.poll));
    else window.htmx.trigger(element, "poll");
  }

  function schedule(element, wait) {
    window.clearTimeout(Number(element.dataset.pollTimer || 0));
    element.dataset.pollTimer = String(window.setTimeout(() => ask(element), wait));
  }

  function begin(element) {
    const key = element.getAttribute("hx-get");
    const first = Number(element.dataset.poll);
    const known = asked.get(key);
    const moved = !known || known.stands !== element.dataset.pollStands;
    const wait = moved ? first : Math.min(known.wait * 1.3, Math.max(first, LONGEST));
    asked.set(key, { wait, stands: element.dataset.pollStands, outage: 0 });
    schedule(element, wait);
  }

  function outage(element) {
    const known = asked.get(element.getAttribute("hx-get"));
    known.outage = Math.min(known.outage ? known.outage * 2 : 2000, LONGEST_OUTAGE);
    all(element, ".working-outage").forEach((line) => (line.hidden = false));
    schedule(element, known.outage);
  }

  const polls = (event) => event.target instanceof Element && event.target.dataset.poll !== undefined;

  ["htmx:sendError", "htmx:timeout"].forEach((name) =>
    document.addEventListener(name, (event) => polls(event) && outage(event.target)));
  document.addEventListener("htmx:responseError", (event) => {
    // What one may no longer see, or is gone, is not asked for again; a portal that restarts is.
    if (polls(event) && event.detail.xhr.status >= 500) outage(event.target);
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    // An answer that leaves the element where it is (204, or the same place) goes on from there.
    if (polls(event) && event.detail.successful && event.target.isConnected) begin(event.target);
  });

  function lookAgain() {
    if (!document.hidden) all(document, "[data-poll]").forEach((element) => schedule(element, 200));
  }
  document.addEventListener("visibilitychange", lookAgain);
  window.addEventListener("online", lookAgain);

  // Time taken ------------------------------------------------------------------------------------------------

  function lasting(seconds) {
    const sizes = [[86400, "days"], [3600, "h"], [60, "min"]];
    const [size, unit] = sizes.find((one) => seconds >= 2 * one[0]) || [1, "s"];
    return `${Math.round(seconds / size)} ${unit}`;
  }

  function tick() {
    document.querySelectorAll("[data-elapsed-since]").forEach((element) => {
      const seconds = (Date.now() - new Date(element.dataset.elapsedSince).getTime()) / 1000;
      if (seconds >= 0) element.textContent = lasting(seconds);
    });
  }
  window.setInterval(tick, 1000);

  function settle(scope) {
    all(scope, "[data-poll]").forEach(begin);
    all(scope, "[data-announce]").forEach((element) => tell(element.dataset.announce));
    all(scope, "[data-progress-over]").forEach((element) => {
      element.removeAttribute("data-progress-over");
      element.dispatchEvent(new CustomEvent("progress-over", { bubbles: true }));
    });
  }

  document.addEventListener("htmx:load", (event) => settle(event.detail.elt));
})();
