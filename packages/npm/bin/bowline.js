#!/usr/bin/env node
"use strict";
// Starts the program of this platform's package, passes signals on to it, and ends as it ends.
const { spawn } = require("node:child_process");
const { constants } = require("node:os");
const { isatty } = require("node:tty");

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
// A second signal ends the program at once, so each has to arrive once. A terminal sends those of its keys, and that it
// is gone, to the program itself; elsewhere the program has a group of its own, and gets what this process passes on.
const atTerminal = [0, 1, 2].some(isatty);
const signals = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];
for (const signal of signals) {
  process.on(signal, () => {
    if (!atTerminal || signal === "SIGTERM") {
      child.kill(signal);
    }
  });
}
const child = spawn(program, process.argv.slice(2), {
  stdio: "inherit",
  detached: !atTerminal && process.platform !== "win32",
});
child.on("error", (error) => {
  console.error(`error: cannot start \`${program}\`: ${error.message}`);
  process.exit(1);
});
child.on("exit", (code, signal) => {
  if (!signal) {
    process.exit(code);
  }
  signals.forEach((own) => process.removeAllListeners(own));
  process.kill(process.pid, signal);
  // Where the signal does not end this process, as the first of a container, a shell's exit code tells it.
  process.exitCode = 128 + constants.signals[signal];
});
