// Bundles CSS and JS, hashes the names, writes the manifest and holds the weight budget.
// Belongs here: the build of crm/static/dist. Does not belong here: anything needed at run time.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const source = "crm/static";
const dist = `${source}/dist`;
const target = ["chrome90", "firefox90", "safari14.1"];
const budget = { css: 16 * 1024, js: 25 * 1024 };

// The dark tokens are written once and used twice: for data-theme="dark" and for the system's choice.
const darkTwice = {
  name: "dark-twice",
  setup(plugin) {
    plugin.onLoad({ filter: /tokens-dark\.css$/ }, ({ path }) => {
      const chosen = readFileSync(path, "utf8");
      const asked = chosen.replace(':root[data-theme="dark"]', ':root:not([data-theme="light"])');
      return { contents: `${chosen}\n@media (prefers-color-scheme: dark) {\n${asked}\n}`, loader: "css" };
    });
  },
};

async function bundle(entry, options = {}) {
  const result = await build({
    entryPoints: [`${source}/${entry}`],
    bundle: true,
    minify: true,
    write: false,
    target,
    legalComments: "none",
    logLevel: "warning",
    ...options,
  });
  return result.outputFiles[0].contents;
}

const htmx = JSON.parse(readFileSync("node_modules/htmx.org/package.json", "utf8"));
const outputs = {
  "app.css": await bundle("css/app.css", { plugins: [darkTwice] }),
  "app.js": await bundle("js/app.js", { format: "iife" }),
  "htmx.js": Buffer.concat([
    Buffer.from(`/* htmx ${htmx.version}, ${htmx.license} */\n`),
    readFileSync("node_modules/htmx.org/dist/htmx.min.js"),
  ]),
  "icons.svg": readFileSync(`${source}/img/icons.svg`),
  "favicon.svg": readFileSync(`${source}/img/favicon.svg`),
};

mkdirSync(dist, { recursive: true });
for (const old of readdirSync(dist)) rmSync(`${dist}/${old}`);
const manifest = {};
const weight = { css: 0, js: 0 };
for (const [name, bytes] of Object.entries(outputs)) {
  const [stem, kind] = name.split(".");
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 10);
  manifest[name] = `${stem}.${hash}.${kind}`;
  writeFileSync(`${dist}/${manifest[name]}`, bytes);
  const gz = gzipSync(bytes, { level: 9 }).length;
  if (kind in weight) weight[kind] += gz;
  console.log(`${manifest[name].padEnd(28)} ${String(bytes.length).padStart(7)} B ${String(gz).padStart(7)} B gz`);
}
writeFileSync(`${dist}/manifest.json`, `${JSON.stringify(manifest, null, 2)}\n`);
for (const kind of Object.keys(budget)) {
  if (weight[kind] > budget[kind]) {
    console.error(`${kind}: ${weight[kind]} B gz is over the budget of ${budget[kind]} B`);
    process.exitCode = 1;
  }
}
