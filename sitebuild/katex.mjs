// One line of JSON in ({tex, display}), one line out ({html} or {error}): KaTeX for sitebuild/katex.py.
import readline from "node:readline";
import katex from "katex";

for await (const line of readline.createInterface({ input: process.stdin })) {
  const { tex, display } = JSON.parse(line);
  let answer;
  try {
    answer = { html: katex.renderToString(tex, { displayMode: display, throwOnError: true, strict: "error" }) };
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
