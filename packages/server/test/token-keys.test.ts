import { rotateTokenKeys, TokenKeys, type TokenKeysShape } from "@cairn/server";
import { Effect, Redacted } from "effect";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cairn-keys-"));
  path = join(folder, "inside", "token-keys.json");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const load = (): Promise<TokenKeysShape> =>
  Effect.runPromise(
    Effect.provide(
      Effect.map(TokenKeys, (keys) => keys),
      TokenKeys.layerFile(path),
    ),
  );
const exported = (keys: TokenKeysShape, kid: string) => keys.find(kid)?.export().toString("hex");

describe("token keys in a file", () => {
  test("are made once, for their owner alone, and found again", async () => {
    const first = await load();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const again = await load();
    expect(again.current.kid).toBe(first.current.kid);
    expect(exported(again, first.current.kid)).toBe(exported(first, first.current.kid));
    expect(first.find("unknown")).toBeUndefined();
  });

  test("are the same for programs that start at the same time", async () => {
    const all = await Promise.all(Array.from({ length: 8 }, load));
    expect(new Set(all.map(({ current }) => current.kid)).size).toBe(1);
    expect(await readdir(join(folder, "inside"))).toEqual(["token-keys.json"]);
  });

  test("that others could read are closed to them", async () => {
    await load();
    await chmod(path, 0o644);
    await load();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test("can be rotated: the new one signs, the old one still verifies", async () => {
    const before = await load();
    const kid = await Effect.runPromise(rotateTokenKeys(path));
    const after = await load();
    expect(after.current.kid).toBe(kid);
    expect(kid).not.toBe(before.current.kid);
    expect(exported(after, before.current.kid)).toBe(exported(before, before.current.kid));
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test.each(["", "{}", '{"current":"a","keys":[]}', '{"current":"a","keys":[{"kid":"a","secret":"c2hvcnQ"}]}'])(
    "that are not what Cairn wrote are refused without being quoted: %s",
    async (text) => {
      await load();
      await writeFile(path, text);
      await expect(load()).rejects.toMatchObject({ _tag: "TokenKeysUnusable" });
      await expect(load()).rejects.not.toThrow(/c2hvcnQ/);
      expect(await readFile(path, "utf8")).toBe(text);
    },
  );
});

test("a configured secret gives the same key on every node, and shows in no key id", async () => {
  const secret = "a secret of at least thirty-two characters";
  const make = (text: string) =>
    Effect.runPromise(
      Effect.provide(
        Effect.map(TokenKeys, (keys) => keys),
        TokenKeys.layerSecret(Redacted.make(text)),
      ),
    );
  const [one, two, other] = await Promise.all([make(secret), make(secret), make(`${secret}!`)]);
  expect(one.current.kid).toBe(two.current.kid);
  expect(exported(one, one.current.kid)).toBe(exported(two, two.current.kid));
  expect(other.current.kid).not.toBe(one.current.kid);
  expect(exported(one, one.current.kid)).not.toContain(Buffer.from(one.current.kid, "base64url").toString("hex"));
});
