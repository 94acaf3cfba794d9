/** Writes the golden vectors. A changed file is a changed wire: raise the protocol version, or find the mistake. */
import { writeFile } from "node:fs/promises";
import { goldenVectors, vectorText } from "./golden-vectors.ts";

const folder = new URL("../../protocol/test/vectors/", import.meta.url);
for (const [name, file] of Object.entries(await goldenVectors()))
  await writeFile(new URL(name, folder), vectorText(file));
