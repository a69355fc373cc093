#!/usr/bin/env node
// Runs Icecore on a Node that can: TypeScript as it is, zstd and SQLite built in.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 24 && !(major === 22 && minor >= 18)) {
  console.error(`Icecore needs Node 24, and this is ${process.version}: run it by npm (npm start), which brings one along.`);
  process.exit(1);
}
await import('../src/main.ts');
