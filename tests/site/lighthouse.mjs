// Lighthouse's scores of every address that comes in on a line, and the times that the score of performance is made of.
// node tests/site/lighthouse.mjs performance seo …, with CHROME_PATH and CHROME_FLAGS set.
import { createInterface } from "node:readline";
import * as launcher from "chrome-launcher";
import lighthouse from "lighthouse";

const TIMES = ["first-contentful-paint", "largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift"];
const chrome = await launcher.launch({ chromeFlags: process.env.CHROME_FLAGS.split(" ") });
const settings = { port: chrome.port, onlyCategories: process.argv.slice(2), disableFullPageScreenshot: true };
for await (const url of createInterface({ input: process.stdin })) {
    const { lhr } = await lighthouse(url, settings);
    const scores = Object.fromEntries(Object.values(lhr.categories).map(({ id, score }) => [id, score]));
    const times = Object.fromEntries(TIMES.map((name) => [name, lhr.audits[name].displayValue]));
    console.log(JSON.stringify({ scores, times }));
}
chrome.kill();
