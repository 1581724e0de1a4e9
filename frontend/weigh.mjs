/**
 * Weighs the built page as it goes over the wire (gzip), along the imports in Vite's manifest: the shell
 * with the first view, and what each further view adds to it. Fails where one is over its budget.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const DIST = "dist";
const ENTRY = "index.html";
const FIRST_VIEW = "src/views/Standard/Standard.tsx";
const VIEW = /^src\/views\/(\w+)\/\1\.tsx$/;

const BUDGETS = {
  // Libraries are 83 kB of it, react-dom 64 of these.
  shell: 150_000,
  styles: 18_000,
  view: 25_000,
};

const manifest = JSON.parse(readFileSync(join(DIST, ".vite", "manifest.json"), "utf8"));

/** All that is fetched before one of these parts runs. */
function closure(keys, found = new Set()) {
  for (const key of keys) {
    if (found.has(key)) continue;
    found.add(key);
    closure(manifest[key].imports ?? [], found);
  }
  return found;
}

const gzipBytes = (file) => gzipSync(readFileSync(join(DIST, file))).length;
const weightOf = (files) => [...new Set(files)].reduce((sum, file) => sum + gzipBytes(file), 0);
const scriptsOf = (keys) => [...keys].map((key) => manifest[key].file).filter((file) => file.endsWith(".js"));
const stylesOf = (keys) => [...keys].flatMap((key) => manifest[key].css ?? []);

// The first view lies in the shell's own file (`vite.config.ts`), or is a part of its own.
const first = closure([ENTRY, FIRST_VIEW].filter((key) => key in manifest));
const rows = [
  ["shell with the first view", weightOf(scriptsOf(first)), BUDGETS.shell],
  ["styles", weightOf(stylesOf(first)), BUDGETS.styles],
];
for (const key of Object.keys(manifest)) {
  const name = VIEW.exec(key)?.[1];
  if (name === undefined || key === FIRST_VIEW) continue;
  const added = [...closure([key])].filter((each) => !first.has(each));
  rows.push([`${name}, on top`, weightOf(scriptsOf(added)), BUDGETS.view]);
}

const kB = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
for (const [name, bytes, budget] of rows) {
  process.stdout.write(`${bytes > budget ? "over " : "     "}${name}: ${kB(bytes)} of ${kB(budget)}\n`);
}
if (rows.some(([, bytes, budget]) => bytes > budget)) process.exitCode = 1;
