// Fails clearly on a Node that Cairn cannot run on. npm scripts find the pinned Node 24 in node_modules/.bin first.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(
    `Cairn needs Node 22.19 or newer, and this is ${process.versions.node}.\n` +
      "Run it through npm (npm start, npm test, npm run …): the install brings its own Node 24.\n" +
      "If you did: run npm ci again without --omit=optional, or install a newer Node.",
  );
  process.exit(1);
}
