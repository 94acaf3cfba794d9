/**
 * Promise 6, searched in bytes: whatever two devices wrote, nothing that the server keeps, in whatever state it ended,
 * contains a word of it or a byte of a key. The same search finds everything where nothing was sealed.
 */
import { decodeEntry } from "@cairn/protocol";
import { type DatabaseValue, ServerPlace } from "@cairn/testkit/server-program";
import { decodeImportBlobMeta, LoroDoc } from "loro-crdt";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import {
  brotliDecompressSync,
  gunzipSync,
  inflateRawSync,
  inflateSync,
  deflateRawSync,
  zstdDecompressSync,
} from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import type { MakeSealing } from "../../src/engine/WorkspaceContext.ts";
import { ByteSearch, encode, ENCODINGS, type Finding, type Secret, windowOf } from "./byte-search.ts";
import { liveSecretNotebook, type SecretNotebook } from "./secret-notebook.ts";

const places: Array<ServerPlace> = [];
afterEach(async () => {
  for (const place of places.splice(0)) await place.leave();
});

/** One life of the notebook, and what the running server's database then says. */
const run = async (sealing?: MakeSealing) => {
  // The log that says most.
  const place = await ServerPlace.make({ environment: { CAIRN_LOG_LEVEL: "debug" } });
  places.push(place);
  await place.start();
  const notebook = await liveSecretNotebook({
    origin: place.origin,
    directory: (device) => place.beside(device.replaceAll(" ", "-")),
    sealing,
  });
  return { place, notebook, values: await place.everyValue() };
};

const secretsOf = (notebook: SecretNotebook): ReadonlyArray<Secret> => [
  ...notebook.content,
  ...notebook.sealedElsewhere,
  ...notebook.keys,
  ...notebook.tokens,
];

/** The key that signs tokens and the database's password. */
const serverSecrets = async ({ folder }: ServerPlace): Promise<ReadonlyArray<Secret>> => {
  const keys = await readFile(join(folder, "token-keys.json"), "utf8");
  const [secret = ""] = [...keys.matchAll(/"secret":"([^"]+)"/g)].map(([, text]) => text ?? "");
  const password = (await readFile(join(folder, "database", "password"), "utf8")).trim();
  return [
    { name: "token key", bytes: Buffer.from(secret, "base64url") },
    { name: "password", bytes: Buffer.from(password, "utf8") },
  ];
};

const searchFor = (notebook: SecretNotebook): ByteSearch => new ByteSearch(secretsOf(notebook));

const filesUnder = async (folder: string): Promise<ReadonlyArray<string>> => {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
};

const searchFiles = async (search: ByteSearch, folder: string): Promise<ReadonlyArray<Finding>> => {
  const findings: Array<Finding> = [];
  for (const file of await filesUnder(folder)) {
    findings.push(...search.findings(relative(folder, file), await readFile(file)));
  }
  return findings;
};

const searchValues = (search: ByteSearch, values: ReadonlyArray<DatabaseValue>): ReadonlyArray<Finding> =>
  [...values, ...payloadsOf(values)].flatMap(({ bytes, column, table }) =>
    unpacked(bytes).flatMap((content) => search.findings(`${table}.${column}`, content)),
  );

/** Files of the data folder, the decoded database, and the logs. */
const searchEverything = async (
  notebook: SecretNotebook,
  place: ServerPlace,
  values: ReadonlyArray<DatabaseValue>,
): Promise<ReadonlyArray<Finding>> => {
  const search = searchFor(notebook);
  return [
    ...(await searchFiles(search, place.folder)),
    ...searchValues(search, values),
    ...search.findings("output", Buffer.from(place.output, "utf8")),
  ];
};

const unpackers = [inflateRawSync, inflateSync, gunzipSync, brotliDecompressSync, zstdDecompressSync];

/** The bytes themselves, and whatever they decompress to. */
const unpacked = (bytes: Uint8Array): ReadonlyArray<Uint8Array> => [
  bytes,
  ...unpackers.flatMap((unpack) => {
    try {
      return [unpack(bytes, { maxOutputLength: 1 << 26 })];
    } catch {
      return [];
    }
  }),
];

/** Loro's exports begin with these bytes; one may stand anywhere in a payload. */
const LORO_MAGIC = "loro";

const opensWithLoro = (bytes: Uint8Array): boolean => {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const starts = [0];
  for (let at = buffer.indexOf(LORO_MAGIC); at >= 0; at = buffer.indexOf(LORO_MAGIC, at + 1)) starts.push(at);
  return starts.some((start) => {
    const rest = bytes.subarray(start);
    // The envelope around an update says how long it is; here every length that could be one is tried.
    const lengths = start === 0 ? [rest.length] : Array.from({ length: rest.length }, (_, index) => index + 1);
    return lengths.some((length) => opens(rest.subarray(0, length)));
  });
};

const opens = (bytes: Uint8Array): boolean => {
  try {
    decodeImportBlobMeta(bytes, true);
    new LoroDoc().import(bytes);
    return true;
  } catch {
    return false;
  }
};

/** What devices sealed: payloads of entries, and chunks. */
const payloadsOf = (values: ReadonlyArray<DatabaseValue>): ReadonlyArray<DatabaseValue> =>
  values.flatMap((value) => {
    if (value.column !== "bytes") return [];
    return [value.table === "entries" ? { ...value, bytes: decodeEntry(value.bytes).payload } : value];
  });

const readable = (values: ReadonlyArray<DatabaseValue>): number =>
  payloadsOf(values).filter(({ bytes }) => unpacked(bytes).some(opensWithLoro)).length;

/** Leaves out sealing, and compresses what the real one would: in this test only. */
const identitySealing: MakeSealing = () => ({
  seal: (_header, _headerBytes, content) =>
    Promise.resolve(content.length < 4096 ? content : new Uint8Array(deflateRawSync(content))),
  open: (_header, _headerBytes, payload) =>
    Promise.resolve(payload[0] === 1 ? payload : new Uint8Array(inflateRawSync(payload))),
});

describe("Promise 6: the server is blind", () => {
  it(
    "keeps no word and no key in its database, its files and its logs, after a clean stop",
    { timeout: 120_000 },
    async () => {
      const { notebook, place, values } = await run();
      await place.end("SIGTERM");
      expect(await searchEverything(notebook, place, values)).toEqual([]);
      expect(payloadsOf(values).length).toBeGreaterThan(10);
      expect(readable(values)).toBe(0);

      // The server's own keys stay in the files that are made for them.
      const own = new ByteSearch(await serverSecrets(place));
      const places = [
        ...(await searchFiles(own, place.folder)),
        ...own.findings("output", Buffer.from(place.output, "utf8")),
        ...searchValues(own, values),
      ].map(({ place: where }) => where);
      expect(new Set(places)).toEqual(new Set(["token-keys.json", "database/password"]));

      // Control: eight bytes of anything, in any encoding, would have been found.
      const search = searchFor(notebook);
      for (const secret of secretsOf(notebook)) {
        for (const encoding of ENCODINGS) {
          const planted = plant(secret, encoding);
          const findings = planted === undefined ? [] : search.findings("planted", planted);
          expect(findings.some((finding) => finding.secret === secret.name && finding.encoding === encoding)).toBe(
            planted !== undefined,
          );
        }
      }
      const [secret] = notebook.keys;
      if (secret !== undefined) await writeFile(join(place.folder, "planted"), plant(secret, "HEX") ?? "");
      expect(await searchFiles(search, place.folder)).toMatchObject([{ place: "planted", encoding: "HEX" }]);
    },
  );

  it("nor where the server and its database were killed", { timeout: 120_000 }, async () => {
    const { notebook, place, values } = await run();
    await place.end("SIGKILL");
    await place.killPostmaster();
    expect(await searchEverything(notebook, place, values)).toEqual([]);
  });

  it(
    "control: without sealing, the same search finds the content and Loro opens it",
    { timeout: 120_000 },
    async () => {
      const { notebook, place, values } = await run(identitySealing);
      // Writes to the data files what was only in the write-ahead log.
      await place.end("SIGTERM");
      const findings = await searchEverything(notebook, place, values);
      const found = new Set(findings.map(({ secret }) => secret));
      expect(notebook.content.map(({ name }) => name).filter((name) => !found.has(name))).toEqual([]);
      // In the decoded columns, in the data files and in the write-ahead log.
      expect(findings.some(({ place: where }) => where === "entries.bytes")).toBe(true);
      expect(findings.some(({ place: where }) => where.includes("/base/"))).toBe(true);
      expect(findings.some(({ place: where }) => where.includes("/pg_wal/"))).toBe(true);
      // What is sealed in other ways stays sealed.
      const others = [...notebook.sealedElsewhere, ...notebook.keys, ...notebook.tokens];
      expect(others.map(({ name }) => name).filter((name) => found.has(name))).toEqual([]);
      expect(readable(values)).toBeGreaterThan(3);
    },
  );
});

/** The form of some window in the middle of a secret, between other bytes. */
const plant = (secret: Secret, encoding: (typeof ENCODINGS)[number]): Uint8Array | undefined => {
  const form = encode(secret, encoding);
  if (form === undefined) return undefined;
  const { length, step } = windowOf(secret, encoding);
  const windows = Math.floor((form.length - length) / step);
  const from = Math.floor(windows / 2) * step;
  return Buffer.concat([Buffer.from("..."), form.subarray(from, from + length), Buffer.from("...")]);
};
