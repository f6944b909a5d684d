// The map's memory and arithmetic: which concepts the reader knows (kept in this browser only), and the shortest way
// from them to a chosen one. Drawing and lighting up need no script: see sitebuild/map_svg.py and map.css.

const KEY = "kb.known";
let known = new Set();
let drawMap = () => {};

/** What is still to be learned for `target`, itself included, each concept after its needs.
 *  concepts: [{slug, needs: [slug]}] in the order of the map; known: a Set of slugs, each the end of a line of needs. */
export function wayTo(concepts, known, target) {
  const needs = new Map(concepts.map((c) => [c.slug, c.needs]));
  const open = new Set();
  const visit = (slug) => {
    if (known.has(slug) || open.has(slug)) return;
    open.add(slug);
    needs.get(slug).forEach(visit);
  };
  visit(target);
  const way = [];
  while (open.size) {
    const next = concepts.find((c) => open.has(c.slug) && !c.needs.some((need) => open.has(need))).slug;
    open.delete(next);
    way.push(next);
  }
  return way;
}

/** Whether a concept holds every word, in title, meaning or terms, and belongs to the arc or chapter. */
export function isFound(concept, words, group) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return wanted.every((word) => concept.text.includes(word)) && (!group || concept.groups.includes(group));
}

function load() {
  try {
    known = new Set(JSON.parse(localStorage.getItem(KEY) || "[]"));
  } catch {} // no storage here, or something else in it: the page forgets when it is left
}

function remember(slugs) {
  known = new Set(slugs);
  try {
    localStorage.setItem(KEY, JSON.stringify([...known].sort()));
  } catch {}
  draw();
}

const toggle = (slug) => remember(known.has(slug) ? [...known].filter((s) => s !== slug) : [...known, slug]);

function draw() {
  for (const button of document.querySelectorAll(".known-toggle")) {
    button.setAttribute("aria-pressed", known.has(button.dataset.slug));
  }
  drawMap();
}

/** Show and wire every `<button class="known-toggle" data-slug="softmax" hidden>` under root. */
export function wireToggles(root) {
  for (const button of root.querySelectorAll(".known-toggle[hidden]")) {
    button.hidden = false;
    button.addEventListener("click", () => toggle(button.dataset.slug));
  }
}

function make(tag, ...children) {
  const made = document.createElement(tag);
  made.append(...children);
  return made;
}

/** Wire the map of the home page. */
export function wireMap(map) {
  const all = (selector) => [...map.querySelectorAll(selector)];
  const parts = [".map-detail", ".map-way", ".map-target select", ".map-count", ".map-clear"];
  const [detail, wayBox, select, count, clear] = parts.flatMap(all);
  const [find, filter, found] = [".map-find input", ".map-filter select", ".map-found"].flatMap(all);
  const items = new Map(all(".map-list li[data-slug]").map((li) => [li.dataset.slug, li]));
  const concepts = [...items].map(([slug, { dataset }]) => ({
    slug, needs: dataset.needs.split(" ").filter(Boolean), minutes: +dataset.minutes, groups: dataset.in.split(" "),
    text: [dataset.terms, ...[...items.get(slug).querySelectorAll(".map-about > p:not(.map-own)")].map((p) => p.textContent)]
      .join(" ").toLowerCase(),
  }));
  const names = new Map(all(".map-node").map((g) => [g, (g.querySelector("a") || g).getAttribute("aria-label")]));
  const slugAt = ({ target }) => target.closest("[data-slug]")?.dataset.slug;
  const title = (slug) => [...items.get(slug).querySelector(".map-title").cloneNode(true).childNodes];

  function drawWay(target, way) {
    if (!target) return wayBox.replaceChildren();
    const name = title(target)[0].textContent;
    const minutes = concepts.reduce((sum, c) => sum + (way.includes(c.slug) && c.minutes), 0);
    const time = (minutes > 90 ? `${Math.floor(minutes / 60)} h ${minutes % 60}` : minutes) + " min";
    const many = `${way.length} concept${way.length > 1 ? "s" : ""}, ${time}`;
    const close = make("button", "Close");
    close.type = "button";
    close.onclick = () => ask("");
    wayBox.replaceChildren(
      make("p", make("strong", way.length ? `The way to ${name}: ${many}` : `You know ${name} already.`), close),
      make("ol", ...way.map((slug) => make("li", ...title(slug)))),
    );
  }

  function tick() {
    for (const box of all(".map-knows")) box.checked = known.has(slugAt({ target: box }));
  }

  drawMap = () => {
    const way = select.value ? wayTo(concepts, known, select.value) : [];
    drawWay(select.value, way);
    map.classList.toggle("has-way", way.length > 0);
    for (const edge of all(".map-edge")) {
      edge.classList.toggle("on-way", edge.dataset.edge.split(" ").every((slug) => way.includes(slug)));
    }
    for (const [g, name] of names) {
      const stop = way.indexOf(g.dataset.slug) + 1;
      const knows = known.has(g.dataset.slug);
      g.querySelector(".map-mark text").textContent = stop || (knows ? "✓" : "");
      g.classList.toggle("on-way", stop > 0);
      g.classList.toggle("is-marked", stop > 0 || knows);
      (g.querySelector("a") || g).setAttribute("aria-label", name + (knows ? ", known" : "") + (stop ? `, stop ${stop}` : ""));
    }
    const sum = concepts.filter((c) => known.has(c.slug)).length;
    count.textContent = sum ? `You know ${sum} of ${concepts.length}.` : "";
    clear.hidden = !sum;
    tick();
  };

  function show(slug) {
    if (detail.dataset.slug === slug) return;
    const [about, more] = items.get(slug).cloneNode(true).children;
    detail.dataset.slug = slug;
    detail.className = `map-detail ${items.get(slug).closest("[class^=hue-]").className}`;
    detail.replaceChildren(about, ...[...more.children].slice(1));
    tick();
  }

  function ask(target) {
    select.value = target;
    drawMap();
    if (target) wayBox.scrollIntoView({ block: "nearest" });
  }

  /** What is looked for stays as it is; in the drawing the rest steps back, in the list it is left out. */
  function look() {
    const hits = new Set(concepts.filter((c) => isFound(c, find.value, filter.value)).map((c) => c.slug));
    for (const g of names.keys()) g.classList.toggle("is-out", !hits.has(g.dataset.slug));
    for (const [slug, li] of items) li.hidden = !hits.has(slug);
    for (const part of all(".map-list > div")) part.hidden = !part.querySelector("li[data-slug]:not([hidden])");
    const asked = find.value.trim() || filter.value;
    found.textContent = asked ? `${hits.size} found.` : "";
    return all(".map-node:not(.is-out), .map-list li[data-slug]:not([hidden])");
  }

  /** Enter goes to the first whose title begins so, else to the first: in the drawing where it is shown, or in the list. */
  function goTo(hits) {
    const visible = hits.filter((hit) => hit.getClientRects().length), words = find.value.trim().toLowerCase();
    const named = (hit) => title(hit.dataset.slug)[0].textContent.toLowerCase().startsWith(words);
    const shown = visible.find(named) || visible[0];
    const target = shown?.matches("[tabindex]") ? shown : shown?.querySelector("a");
    (target || find).focus();
  }

  let dwell;
  const on = (type, act) => map.addEventListener(type, act);
  on("pointerover", (event) => {
    clearTimeout(dwell); // what the pointer only crosses on its way to the detail area is not shown there
    if (event.target.closest(".map-node")) dwell = setTimeout(show, 120, slugAt(event));
  });
  on("focusin", (event) => event.target.closest(".map-node") && show(slugAt(event)));
  on("input", (event) => event.target === find && look());
  on("keydown", (event) => {
    if (event.target === find && event.key === "Enter") return goTo(look());
    if (!event.target.closest(".map-node") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "k") toggle(slugAt(event));
    if (event.key === "w") ask(slugAt(event));
  });
  on("change", (event) => {
    if (event.target.matches(".map-knows")) toggle(slugAt(event));
    if (event.target === select) drawMap();
    if (event.target === filter) look();
  });
  on("click", (event) => {
    if (event.target.matches(".map-ask")) ask(slugAt(event));
    if (event.target === clear) remember([]);
  });
  for (const part of all(".map-own, .map-target, .map-find, .map-filter")) part.hidden = false;
  detail.append(" ", make("p", "On a concept, the key K marks it as known and W shows the way to it."));
  map.classList.add("is-live");
}

if (typeof document !== "undefined") {
  load();
  wireToggles(document);
  document.querySelectorAll(".kb-map").forEach(wireMap);
  addEventListener("storage", (event) => event.key === KEY && (load(), draw()));
  draw();
}
