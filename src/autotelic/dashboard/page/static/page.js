// Keeps a page up to date and lets the keyboard walk through it. Without this script every page still works.
"use strict";
(() => {
  const body = document.body;
  const say = (words) => { document.getElementById("connection").textContent = words; };

  // ── live: a message came, so fetch this page again and replace the parts that changed ────────────────────
  const parts = new Map();
  const learn = (root) => root.querySelectorAll("[data-part]").forEach((p) => {
    if (!parts.has(p.dataset.part)) parts.set(p.dataset.part, p.innerHTML);
  });
  learn(document);
  let paused = false, busy = false, again = false;

  async function refresh() {
    if (paused || busy) { again = true; return; }
    busy = true;
    const began = Date.now();
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      if (answer.ok || answer.status === 404) merge(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch { /* the stream says when the server is gone */ }
    // Once a second is as often as a person looks, and costs the run's machine little.
    await new Promise((wait) => setTimeout(wait, Math.max(0, 1000 - (Date.now() - began))));
    busy = false;
    if (again && !paused) { again = false; refresh(); }
  }

  function merge(fresh) {
    let missing = false;
    fresh.querySelectorAll("[data-part]").forEach((p) => {
      const name = p.dataset.part, old = document.querySelector(`[data-part="${CSS.escape(name)}"]`);
      if (!old) { missing = true; return; }
      if (parts.get(name) === p.innerHTML) return;
      parts.set(name, p.innerHTML);
      if (old.querySelector(".zoomed")) { old.querySelectorAll("figure.zoomed").forEach(draw); return; }
      const open = [...old.querySelectorAll("details")].map((d) => d.open);
      const chosen = [...old.querySelectorAll("input[type=radio]")].map((r) => r.checked);
      const focused = old.contains(document.activeElement) ? path(old, document.activeElement) : null;
      old.innerHTML = p.innerHTML;
      old.querySelectorAll("details").forEach((d, i) => { d.open = open[i] ?? d.open; });
      old.querySelectorAll("input[type=radio]").forEach((r, i) => { r.checked = chosen[i] ?? r.checked; });
      if (focused) at(old, focused)?.focus({ preventScroll: true });
      prepare(old);
    });
    // A part that is new has no place yet: take the whole content.
    if (missing) {
      document.getElementById("main").innerHTML = fresh.getElementById("main").innerHTML;
      learn(document); prepare(document);
    }
    document.title = fresh.title;
    ages();
    followReading();
  }
  // While the server still reads the journal no message comes that would say that it is done.
  const followReading = () => { if (document.querySelector("header .notice")) setTimeout(refresh, 1000); };
  const path = (root, node) => {
    const found = [];
    for (; node !== root; node = node.parentNode) found.unshift([...node.parentNode.children].indexOf(node));
    return found;
  };
  const at = (root, places) => places.reduce((node, place) => node?.children[place], root);

  if (body.dataset.events) {
    let last = body.dataset.newest;
    const listen = () => {
      const stream = new EventSource(`${body.dataset.events}?after=${last}`);
      stream.onmessage = (event) => { last = event.lastEventId || last; say(""); refresh(); };
      stream.onopen = () => say("");
      stream.onerror = () => {
        say("The page's server does not answer. What you see is the last that it said.");
        if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 2000);
      };
    };
    listen();
  }

  // ── ages ───────────────────────────────────────────────────────────────────────────────────────────────
  function ages() {
    document.querySelectorAll("time[data-since]").forEach((t) => {
      const s = Math.max(0, Math.round(Date.now() / 1000 - Number(t.dataset.since)));
      t.title = t.title || t.textContent;
      t.textContent = s < 120 ? `${s} s ago` : s < 7200 ? `${Math.floor(s / 60)} min ago` : t.title;
    });
  }
  setInterval(ages, 1000);

  // ── plots: numbers to zoom into, and a PNG of what is seen ─────────────────────────────────────────────
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim() || "#888";

  async function draw(figure) {
    const said = await (await fetch(figure.dataset.plot)).json();
    figure.plot?.destroy();
    const axis = { stroke: colour("--ink"), grid: { stroke: colour("--line") }, ticks: { stroke: colour("--line") } };
    const width = Math.max(280, figure.clientWidth);
    figure.plot = new uPlot({
      width, height: 320,
      scales: { x: { time: false } },
      axes: [{ ...axis, label: said.x }, { ...axis, label: said.y }],
      series: [{ label: said.x }, ...said.names.map((name, i) => ({
        label: name, stroke: colour(said.colours[i]), width: 2, spanGaps: true,
        dash: i % 2 ? [6, 4] : undefined, points: { show: !said.joined[i] || said.data[0].length < 60 },
        paths: said.joined[i] ? undefined : () => null,  // nothing was measured between its points
      }))],
    }, said.data, figure.querySelector(".canvas"));
    figure.querySelector("canvas").setAttribute("role", "img");
    figure.querySelector("canvas").setAttribute("aria-label", `${said.title}; its numbers are in the CSV`);
  }

  function zoomable(figure) {
    if (figure.querySelector("button")) return;
    const caption = figure.querySelector("figcaption");
    const zoom = document.createElement("button"), png = document.createElement("button");
    zoom.type = png.type = "button";
    zoom.textContent = "Zoom"; png.textContent = "PNG";
    zoom.setAttribute("aria-pressed", "false");
    caption.append(" ", zoom, " ", png);
    zoom.onclick = async () => {
      const on = figure.classList.toggle("zoomed");
      zoom.setAttribute("aria-pressed", String(on));
      if (!on) { figure.plot?.destroy(); figure.plot = null; figure.querySelector(".canvas")?.remove(); return; }
      const place = document.createElement("div");
      place.className = "canvas";
      figure.prepend(place);
      await draw(figure);
    };
    png.onclick = async () => {
      if (figure.plot) return save(figure.querySelector("canvas"));
      const address = figure.dataset.plot.replace(/json$/, "svg");
      const text = await (await fetch(address)).text();
      const picture = new Image();
      picture.onload = () => {
        const canvas = document.createElement("canvas");
        canvas.width = 1520; canvas.height = 640;
        const pen = canvas.getContext("2d");
        pen.fillStyle = "#fff"; pen.fillRect(0, 0, 1520, 640); pen.drawImage(picture, 0, 0, 1520, 640);
        save(canvas);
      };
      picture.src = `data:image/svg+xml,${encodeURIComponent(text.replace("<svg ", '<svg width="1520" height="640" '))}`;
    };
  }
  function save(canvas) {
    const a = document.createElement("a");
    a.href = canvas.toDataURL("image/png"); a.download = "plot.png"; a.click();
  }
  const prepare = (root) => root.querySelectorAll("figure[data-plot]").forEach(zoomable);
  prepare(document); ages(); followReading();

  // ── keys ───────────────────────────────────────────────────────────────────────────────────────────────
  const pause = () => document.getElementById("pause");
  function toggle() {
    paused = !paused;
    show();
    if (!paused && again) { again = false; refresh(); }
  }
  function show() {
    const button = pause();
    if (!button) return;
    button.hidden = !body.dataset.events;
    button.setAttribute("aria-pressed", String(paused));
    button.textContent = paused ? "Go on" : "Pause";
  }
  show();
  document.addEventListener("click", (event) => { if (event.target.id === "pause") toggle(); });
  new MutationObserver(show).observe(document.querySelector("header.bar"), { childList: true });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || /INPUT|SELECT|TEXTAREA/.test(event.target.tagName)) return;
    const links = [...document.querySelectorAll("main table.list tbody tr a:first-of-type, main li a:first-of-type")];
    const here = links.indexOf(document.activeElement);
    if (event.key === "j") links[Math.min(here + 1, links.length - 1)]?.focus();
    else if (event.key === "k") links[Math.max(here - 1, 0)]?.focus();
    else if (event.key === "p") toggle();
    else if (event.key === "g") document.querySelector("nav a")?.click();
    else if (event.key === "/") { const box = document.getElementById("search"); if (box) { event.preventDefault(); box.focus(); } }
  });
})();
