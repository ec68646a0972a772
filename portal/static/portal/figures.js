// Draws lines (Chart.js) and graphs (cytoscape with dagre) from the JSON they carry in data-spec. The libraries are only
// brought when a page has something to draw, so this file may stand on every page; fragments that htmx brings in are
// found by themselves. Whatever cannot be drawn leaves its table, which is there from the start.
(function () {
  "use strict";

  const root = document.documentElement;
  const arriving = new Map();
  const drawn = new Map();

  function bring(url) {
    if (!arriving.has(url)) {
      arriving.set(url, new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = url;
        script.addEventListener("load", resolve);
        script.addEventListener("error", () => { arriving.delete(url); reject(new Error(url)); });
        document.head.append(script);
      }));
    }
    return arriving.get(url);
  }

  function bringAll(urls) {
    return urls.reduce((before, url) => before.then(() => bring(url)), Promise.resolve());
  }

  function specOf(figure) {
    return figure.dataset.spec ? JSON.parse(figure.dataset.spec) : null;
  }

  function colour(name) {
    return getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  }

  // A grave tone is white on red: on a ground of its own only the red shows.
  function inkOf(tone) {
    return colour(tone === "grave" ? "grave-ground" : `${tone}-ink`);
  }

  function go(url) {
    if (url) window.location.assign(url);
  }

  // Lines -----------------------------------------------------------------------------------------------------

  const shapes = ["circle", "rect", "triangle", "rectRot", "star", "cross"];

  function dayOf(at) {
    return new Date(at).toISOString().slice(0, 10);
  }

  function datasetOf(line, index) {
    const ink = inkOf(line.tone);
    const bad = inkOf("bad");
    // A week of hours would be a row of beads.
    const size = line.points.filter((point) => point.y !== null).length > 60 ? 1.5 : 4;
    if (line.threshold) {
      return {
        label: line.label, data: line.points, borderColor: bad, backgroundColor: bad, borderWidth: 1.5,
        borderDash: [6, 4], pointRadius: 0, pointHitRadius: 0, stepped: "middle",
      };
    }
    return {
      label: line.label, data: line.points, borderColor: ink, backgroundColor: ink, borderWidth: 2, tension: 0,
      pointStyle: line.points.map((point) => (point.bad ? "crossRot" : shapes[index % shapes.length])),
      pointRadius: line.points.map((point) => (point.bad ? 8 : size)),
      pointBorderWidth: line.points.map((point) => (point.bad ? 3 : 1)),
      pointBorderColor: line.points.map((point) => (point.bad ? bad : ink)),
      pointBackgroundColor: ink, pointHoverRadius: 7, pointHitRadius: 8,
    };
  }

  function optionsOf(spec) {
    const ink = colour("ink-soft");
    const grid = colour("line");
    const over = spec.labels.length > 0;
    // What was never below nothing has no axis below it.
    const lowest = Math.min(...spec.lines.flatMap((line) => line.points.filter((point) => point.y !== null).map((point) => point.y)));
    const nameOf = (value) => (over ? spec.labels[value] || "" : dayOf(value));
    return {
      responsive: true, maintainAspectRatio: false, animation: false,
      parsing: false, normalized: true,
      interaction: { mode: "nearest", intersect: false },
      onHover: (event, found) => { event.native.target.style.cursor = found.some((one) => one.element.$context.raw.url) ? "pointer" : "default"; },
      onClick: (event, found) => { const hit = found.find((one) => one.element.$context.raw.url); if (hit) go(hit.element.$context.raw.url); },
      scales: {
        x: {
          type: "linear", offset: over, grid: { color: grid }, border: { color: grid },
          min: over ? 0 : undefined, max: over ? Math.max(spec.labels.length - 1, 0) : undefined,
          ticks: { color: ink, stepSize: over ? 1 : undefined, precision: over ? 0 : undefined, maxRotation: 40, autoSkip: true, callback: nameOf },
        },
        y: { min: lowest === 0 ? 0 : undefined, grid: { color: grid }, border: { color: grid }, ticks: { color: ink }, grace: "8%", title: { display: Boolean(spec.unit), text: spec.unit, color: ink } },
      },
      plugins: {
        legend: { display: true, position: "bottom", labels: { color: colour("ink"), usePointStyle: false, boxWidth: 18, boxHeight: 2 } },
        tooltip: {
          filter: (item) => !spec.lines[item.datasetIndex].threshold,
          callbacks: {
            title: (items) => (items.length ? (over ? nameOf(items[0].raw.x) : new Date(items[0].raw.x).toISOString().slice(0, 16).replace("T", " ") + " UTC") : ""),
            label: (item) => `${item.dataset.label}: ${item.raw.y}${item.raw.note ? `, ${item.raw.note}` : ""}`,
          },
        },
      },
    };
  }

  function lines(figure, spec) {
    const canvas = figure.querySelector("canvas");
    const make = () => ({ type: "line", data: { datasets: spec.lines.map(datasetOf) }, options: optionsOf(spec) });
    const chart = new window.Chart(canvas, make());
    return {
      recolour: () => {
        const made = make();
        chart.data = made.data;
        chart.options = made.options;
        chart.update("none");
      },
      end: () => chart.destroy(),
    };
  }

  // Graphs ----------------------------------------------------------------------------------------------------

  // Cytoscape would write an inline style sheet unless this id is taken; figures.css has the one rule of it.
  function takeStyleSheet() {
    const id = "__________cytoscape_stylesheet";
    if (!document.getElementById(id)) {
      const taken = document.createElement("meta");
      taken.id = id;
      document.head.append(taken);
    }
  }

  // Long names have no blanks: they may be broken behind what joins their words.
  function wrapped(name) {
    return name.replace(/([-_/.])(?=\S)/g, "$1\u200b");
  }

  function graphStyle(spec) {
    const font = getComputedStyle(document.body).fontFamily;
    const tones = [...new Set(spec.nodes.map((node) => node.tone))];
    return [
      { selector: "node", style: {
        shape: "round-rectangle", label: "data(text)", "text-wrap": "wrap", "text-max-width": 176, "text-valign": "center",
        "text-halign": "center", "font-family": font, "font-size": 12, "line-height": 1.25, width: 192, height: 58,
        "border-width": 1.5, color: colour("ink"), "background-color": colour("paper"), "border-color": colour("line-strong"),
      } },
      ...tones.map((tone) => ({ selector: `node[tone = "${tone}"]`, style: {
        "border-color": tone === "grave" ? colour("grave-line") : colour(`${tone}-ink`), "background-color": colour(`${tone}-ground`), color: colour(`${tone}-ink`),
      } })),
      { selector: "node[?unknown]", style: { "border-style": "dashed", "font-style": "italic", "background-color": colour("ground"), color: colour("ink-soft"), "border-color": colour("line-strong") } },
      { selector: "node[?here]", style: { "border-width": 4, "font-weight": "bold" } },
      { selector: "edge", style: {
        width: 1.5, "curve-style": "bezier", "target-arrow-shape": "triangle", "arrow-scale": 0.9, label: "data(text)",
        "font-family": font, "font-size": 10, color: colour("ink-soft"), "text-background-color": colour("ground"),
        "text-background-opacity": 1, "text-background-padding": 2, "line-color": colour("line-strong"), "target-arrow-color": colour("line-strong"),
      } },
      { selector: "edge[?unknown]", style: { "line-style": "dashed" } },
    ];
  }

  function graph(figure, spec) {
    takeStyleSheet();
    const place = figure.querySelector(".graph-canvas");
    const narrow = place.clientWidth < 620;
    const here = spec.nodes.find((node) => node.here);
    const cy = window.cytoscape({
      container: place,
      elements: [
        ...spec.nodes.map((node) => ({ data: { id: node.id, text: wrapped(node.kind) + "\n" + wrapped(node.label), tone: node.tone, unknown: node.unknown, here: node.here, url: node.url } })),
        ...spec.edges.map((edge, index) => ({ data: { id: `e${index}`, source: edge.source, target: edge.target, text: edge.label, unknown: edge.unknown } })),
      ],
      style: graphStyle(spec),
      layout: { name: "dagre", rankDir: "LR", nodeSep: 14, rankSep: narrow ? 70 : 120, fit: false, animate: false },
      userZoomingEnabled: false, minZoom: 0.15, maxZoom: 2.5, autoungrabify: true, boxSelectionEnabled: false,
    });
    cy.on("tap", "node", (event) => go(event.target.data("url")));
    cy.on("mouseover", "node", (event) => { place.style.cursor = event.target.data("url") ? "pointer" : ""; });
    cy.on("mouseout", "node", () => { place.style.cursor = ""; });
    const centre = () => ({ x: place.clientWidth / 2, y: place.clientHeight / 2 });
    // As tall as what there is to see, within bounds; where it is narrow readable around the version, not whole and tiny.
    const tallest = narrow ? 460 : 720;
    const whole = cy.elements().boundingBox();
    const scale = Math.min(1, Math.max(0.7, (place.clientWidth - 40) / whole.w));
    figure.querySelector(".graph").style.height = `${Math.max(260, Math.min(tallest, whole.h * scale + 72))}px`;
    const settle = () => {
      cy.resize();
      cy.fit(undefined, 20);
      if (cy.zoom() > 1) { cy.zoom(1); cy.center(); }
      if (cy.zoom() < 0.62 && here) { cy.zoom(0.7); cy.center(cy.getElementById(here.id)); }
    };
    settle();
    if (narrow) figure.querySelector(".figure-data").open = true;
    const moves = {
      in: () => cy.zoom({ level: cy.zoom() * 1.3, renderedPosition: centre() }),
      out: () => cy.zoom({ level: cy.zoom() / 1.3, renderedPosition: centre() }),
      left: () => cy.panBy({ x: 80, y: 0 }),
      right: () => cy.panBy({ x: -80, y: 0 }),
      up: () => cy.panBy({ x: 0, y: 80 }),
      down: () => cy.panBy({ x: 0, y: -80 }),
      fit: () => cy.fit(undefined, 16),
    };
    const press = (event) => {
      const button = event.target.closest("[data-graph]");
      if (button && moves[button.dataset.graph]) moves[button.dataset.graph]();
    };
    figure.addEventListener("click", press);
    let width = place.clientWidth;
    const refit = new ResizeObserver(() => { if (place.clientWidth !== width) { width = place.clientWidth; settle(); } });
    refit.observe(place);
    return {
      recolour: () => cy.style(graphStyle(spec)),
      end: () => { refit.disconnect(); figure.removeEventListener("click", press); cy.destroy(); },
    };
  }

  // Finding them ----------------------------------------------------------------------------------------------

  const kinds = { lines, graph };

  function failed(figure) {
    const place = figure.querySelector(".figure-canvas, .graph");
    if (!place || figure.querySelector(".figure-failed")) return;
    const words = document.createElement("p");
    words.className = "figure-failed";
    words.textContent = "This could not be drawn. The table below says the same.";
    place.replaceWith(words);
    const table = figure.querySelector(".figure-data");
    if (table) table.open = true;
  }

  function draw(figure) {
    if (drawn.has(figure)) return;
    drawn.set(figure, null);
    bringAll(figure.dataset.library.split(" ")).then(() => {
      if (!figure.isConnected) { drawn.delete(figure); return; }
      const spec = specOf(figure);
      if (spec) drawn.set(figure, kinds[figure.dataset.figure](figure, spec));
    }).catch(() => failed(figure));
  }

  function look() {
    for (const [figure, made] of drawn) {
      if (!figure.isConnected) {
        if (made) made.end();
        drawn.delete(figure);
      }
    }
    document.querySelectorAll("figure[data-figure]").forEach(draw);
    document.querySelectorAll(".lineage-scroll:not([data-shown])").forEach(bringIntoView);
  }

  // A drawing wider than its frame begins at the thing it is about, not at what lies furthest from it.
  function bringIntoView(frame) {
    frame.dataset.shown = "";
    const here = frame.querySelector(".lineage-box.is-here");
    if (!here) return;
    const box = here.getBoundingClientRect(), around = frame.getBoundingClientRect();
    frame.scrollLeft += box.left + box.width / 2 - around.left - around.width / 2;
    frame.scrollTop += box.top + box.height / 2 - around.top - around.height / 2;
  }

  function recolour() {
    drawn.forEach((made) => { if (made) made.recolour(); });
  }

  document.addEventListener("DOMContentLoaded", look);
  document.addEventListener("htmx:afterSettle", look);
  new MutationObserver(recolour).observe(root, { attributes: true, attributeFilter: ["data-bs-theme"] });

  // On paper there is no dark theme.
  let before = "";
  window.addEventListener("beforeprint", () => {
    before = root.dataset.bsTheme || "";
    if (before === "dark") { root.dataset.bsTheme = "light"; recolour(); }
  });
  window.addEventListener("afterprint", () => { if (before === "dark") { root.dataset.bsTheme = before; recolour(); } });

  // Choosing what a figure shows sends its form without a button; with htmx only that part of the page is fetched.
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-figure-choice]");
    if (form) form.requestSubmit();
  });
  if (document.readyState !== "loading") look();
})();
