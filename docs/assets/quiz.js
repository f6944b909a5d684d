// "Check what you know": a tick beside every answer, remembered in this browser only.

const KEY = "kb.answers";

function load() {
  try {
    return new Set(JSON.parse(localStorage.getItem(KEY) || "[]"));
  } catch {
    return new Set(); // no storage here, or something else in it
  }
}

function remember(known) {
  try {
    localStorage.setItem(KEY, JSON.stringify([...known].sort()));
  } catch {}
}

/** A box "I knew this" at the end of every answer under root; `count` says how many are ticked. */
export function wire(root, count) {
  const known = load();
  const answers = [...root.querySelectorAll(".quiz")].flatMap((quiz) =>
    [...quiz.querySelectorAll("details")].map((details, i) => [details, `${quiz.dataset.slug}.${i + 1}`]),
  );
  const tell = () => {
    const ticked = answers.filter(([, name]) => known.has(name)).length;
    count.textContent = `You knew ${ticked} of ${answers.length}.`;
  };
  for (const [details, name] of answers) {
    const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: known.has(name) });
    const label = document.createElement("label");
    label.className = "quiz-knew";
    label.append(box, " I knew this");
    details.append(label);
    box.addEventListener("change", () => {
      known[box.checked ? "add" : "delete"](name);
      remember(known);
      tell();
    });
  }
  tell();
}

if (typeof document !== "undefined") wire(document, document.querySelector(".quiz-count"));
