import { readdir, readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { goldenVectors } from "./golden-vectors.ts";

const folder = new URL("../../protocol/test/vectors/", import.meta.url);

it("the golden vectors are what this code writes: a difference is a change of the protocol", async () => {
  const made = await goldenVectors();
  const names = (await readdir(folder)).filter((name) => name.endsWith(".json"));
  expect(names.toSorted((a, b) => a.localeCompare(b))).toEqual(Object.keys(made));
  const read = async (name: string): Promise<[string, unknown]> => [
    name,
    JSON.parse(await readFile(new URL(name, folder), "utf8")),
  ];
  expect(Object.fromEntries(await Promise.all(names.map(read)))).toEqual(made);
});
