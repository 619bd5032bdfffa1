#!/usr/bin/env node
"use strict";
// Starts the program of this platform's package.
const { spawnSync } = require("node:child_process");

const name = `bowline-${process.platform}-${process.arch}`;
const file = process.platform === "win32" ? "bowline.exe" : "bowline";
let program;
try {
  program = require.resolve(`${name}/bin/${file}`);
} catch {
  console.error(`error: bowline has no build for this platform: ${process.platform} ${process.arch}`);
  console.error(`hint: if there is a package \`${name}\`, install without \`--omit=optional\`; else build from source`);
  process.exit(1);
}
const ended = spawnSync(program, process.argv.slice(2), { stdio: "inherit" });
if (ended.error) {
  console.error(`error: cannot start \`${program}\`: ${ended.error.message}`);
  process.exit(1);
}
if (ended.signal) {
  process.kill(process.pid, ended.signal);
}
process.exit(ended.status ?? 1);
