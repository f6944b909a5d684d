// Draw a digit and watch the shipped network read it. A drawing becomes an image in the way the training images were made:
// 32 x 32 dots, counted in blocks of 4 x 4, interpolated to 28 x 28. tests/site/test_draw_digit.py compares it with kb.

/** The arrays of a safetensors file by name. */
export function tensors(buffer) {
  const data = 8 + Number(new DataView(buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, data - 8)));
  const read = ([name, { dtype, data_offsets: [start, end] }]) =>
    [name, dtype === "F32" ? new Float32Array(buffer, data + start, (end - start) / 4) : new Uint8Array(buffer, data + start, end - start)];
  return Object.fromEntries(Object.entries(header).map(read));
}

/** The ten outputs for 784 pixels: a = sigmoid(W a + b), layer by layer. */
export function forward(params, a) {
  for (const layer of [0, 2, 4]) {
    const weight = params[`${layer}.weight`], senders = a;
    a = Array.from(params[`${layer}.bias`], (z, i) => {
      for (let j = 0; j < senders.length; j++) z += weight[i * senders.length + j] * senders[j];
      return 1 / (1 + Math.exp(-z));
    });
  }
  return a;
}

/** 8 x 8 numbers, interpolated to 28 x 28 as by kb.data.digits.resize. */
export function enlarge(image) {
  const near = Array.from({ length: 28 }, (_, i) => Math.min(7, Math.max(0, ((i + 0.5) * 8) / 28 - 0.5)));
  return Array.from({ length: 784 }, (_, p) => {
    const y = near[Math.floor(p / 28)], x = near[p % 28], k = Math.min(6, Math.floor(y)), l = Math.min(6, Math.floor(x));
    const row = (k) => (1 + l - x) * image[8 * k + l] + (x - l) * image[8 * k + l + 1];
    return (1 + k - y) * row(k) + (y - k) * row(k + 1);
  });
}

/** The share of ink in each block of 4 x 4 of the 32 x 32 dots. */
export function shrink(dots) {
  const blocks = new Array(64).fill(0);
  dots.forEach((dot, p) => (blocks[(p >> 7) * 8 + ((p & 31) >> 2)] += dot / 16));
  return blocks;
}

/** Strokes, lists of [x, y], as 32 x 32 dots: 32 high and up to 20 wide, in the middle, the 312 nearest dots inked. */
export function dots(strokes) {
  const PEN = 5, ends = (k, end) => end(...strokes.flat().map((p) => p[k]));
  const left = ends(0, Math.min), top = ends(1, Math.min);
  const w = ends(0, Math.max) - left || 1e-9, h = ends(1, Math.max) - top || 1e-9;
  const sy = Math.min((32 - PEN) / h, (3 * (20 - PEN)) / w), sx = Math.min((20 - PEN) / w, sy);
  const lines = strokes
    .map((stroke) => stroke.map(([x, y]) => [16 + (x - left - w / 2) * sx, 16 + (y - top - h / 2) * sy]))
    .flatMap((stroke) => stroke.map((p, i) => [stroke[i - 1] ?? p, p]));
  const away = Array.from({ length: 1024 }, (_, p) =>
    Math.min(
      ...lines.map(([[ax, ay], [bx, by]]) => {
        const x = (p & 31) + 0.5 - ax, y = (p >> 5) + 0.5 - ay, u = bx - ax, v = by - ay;
        const t = Math.min(1, Math.max(0, (x * u + y * v) / (u * u + v * v || 1)));
        return Math.hypot(x - t * u, y - t * v);
      }),
    ),
  );
  const reach = [...away].sort((a, b) => a - b)[311];
  return away.map((d) => +(d <= reach));
}

const best = (a) => a.indexOf(Math.max(...a));

/** A canvas to draw on, the image that the network sees, ten bars and buttons, in place of the static figure. */
function start(root) {
  const digits = [..."0123456789"], button = (text) => `<button type="button">${text}</button>`;
  root.innerHTML = `<div class="trio">
    <div>Draw a digit<canvas width="280" height="280" role="img" aria-label="Your drawing"></canvas></div>
    <div>It sees<canvas width="28" height="28" role="img" aria-label="28 by 28 pixels"></canvas></div>
    <div>It answers${digits.map((d) => `<div class="bar">${d} <i></i> <span></span></div>`).join("")}</div></div>
    ${button("Clear")} or show a held-out ${digits.map(button).join("")} ${button("misread one")}<output></output>`;
  const [paper, sight] = [...root.querySelectorAll("canvas")].map((canvas) => canvas.getContext("2d"));
  const { canvas } = paper, last = {}, weights = new URL("digits_mlp.safetensors", import.meta.url);
  let file, strokes = [];
  const load = () => (file ??= fetch(weights).then((answer) => answer.arrayBuffer()).then(tensors));

  /** Ink from 0 to 1 as squares, `side` to a row. */
  function paint(context, ink, side) {
    const cell = context.canvas.width / side;
    context.clearRect(0, 0, 280, 280);
    ink.forEach((v, p) => {
      context.fillStyle = `rgb(0 0 0 / ${v})`;
      context.fillRect((p % side) * cell, Math.floor(p / side) * cell, cell, cell);
    });
  }

  async function show(image, name) {
    const pixels = enlarge(image), a = forward(await load(), pixels);
    paint(sight, pixels, 28);
    root.querySelectorAll(".bar").forEach(({ children: [bar, number] }, d) => {
      bar.style.width = `${100 * a[d]}%`;
      number.textContent = a[d].toFixed(2);
    });
    root.querySelector("output").textContent = `${name}: the highest output is ${a[best(a)].toFixed(2)}, for ${best(a)}.`;
  }

  function draw({ offsetX, offsetY }) {
    const [x, y] = [offsetX, offsetY].map((v) => (v * 280) / canvas.clientWidth), [before] = strokes.at(-1).slice(-1);
    if (before && Math.hypot(x - before[0], y - before[1]) < 4) return;
    strokes.at(-1).push([x, y]);
    paint(paper, [], 1);
    Object.assign(paper, { lineWidth: 20, lineCap: "round", lineJoin: "round" });
    for (const stroke of strokes) {
      paper.beginPath();
      for (const point of [stroke[0], ...stroke]) paper.lineTo(...point);
      paper.stroke();
    }
    show(shrink(dots(strokes)), "Your drawing");
  }
  canvas.onpointerdown = (event) => {
    canvas.setPointerCapture(event.pointerId);
    strokes.push([]);
    draw(event);
  };
  canvas.onpointermove = (event) => canvas.hasPointerCapture(event.pointerId) && draw(event);

  root.onclick = async ({ target: { type, textContent: wanted } }) => {
    if (type !== "button") return;
    const params = await load(), { images, labels } = params;
    const image = (i) => [...images.subarray(64 * i, 64 * i + 64)].map((v) => v / 16);
    const fits = (i) => (wanted in digits ? labels[i] == wanted : best(forward(params, enlarge(image(i)))) != labels[i]);
    let i = last[wanted] ?? -1;
    if (wanted !== "Clear") do i = (i + 1) % labels.length; while (!fits(i));
    const shown = wanted === "Clear" ? new Array(64).fill(0) : image(i);
    [strokes, last[wanted]] = [[], i];
    paint(paper, shown, 8);
    show(shown, wanted === "Clear" ? "An empty image" : `A held-out ${labels[i]}`);
  };
}

// The figure stays until the reader comes near: nothing here holds up the page.
const root = globalThis.document?.getElementById("draw-digit");
const near = ([entry], observer) => {
  if (!entry.isIntersecting) return;
  observer.disconnect();
  start(root);
};
if (root) new IntersectionObserver(near, { rootMargin: "500px" }).observe(root);
