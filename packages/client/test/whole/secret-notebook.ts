/**
 * What the search for plaintext looks for: a notebook of words that occur nowhere else, written, shared, attached to and
 * taken away by two whole devices.
 */
import { decodeKeyFile, homeRootSecret, KDF_LABELS, parseAccessLink } from "@cairn/crypto";
import { idToBytes } from "@cairn/protocol";
import { defineDocument, defineSchema, field } from "@cairn/schema";
import { Effect, Schema } from "effect";
import { createHash, hkdfSync } from "node:crypto";
import { expect } from "vitest";
import type { Workspace } from "../../src/workspace-api.ts";
import * as Secrets from "../../src/engine/WorkspaceSecrets.ts";
import type { MakeSealing } from "../../src/engine/WorkspaceContext.ts";
import { until } from "../notebook.ts";
import { type Secret, secretText } from "./byte-search.ts";
import { type OpenDevice, openDevice } from "./device.ts";

const schema = defineSchema({
  version: 1,
  documents: {
    vellumquire: defineDocument({
      fields: {
        headlinkle: field.string({ default: "", list: true, search: true }),
        prosewharf: field.text({ search: true }),
        labeltwine: field.set(Schema.String, { list: true, search: true }),
        annexgrove: field.attachments({ list: true, search: true }),
      },
    }),
  },
});

const SHORT_TEXT = "Wobblethorn gazes at marmalade zeppelins";
const PHONE_TEXT = "Kumquat dirigible übersät mit Flöckchen 🦔 forever";
/** Longer than what is compressed before it is sealed; no 8 bytes of it occur in any other program's files. */
const LONG_TEXT = Array.from(
  { length: 300 },
  (_, index) => `Pfiffikus-${index}-quorbles ${"zyxwobble".repeat((index % 3) + 1)};`,
).join(" ");
const AFTER_KEY_CHANGE = "Snickerdoodle epochs glimmerfjord";
const WORKSPACE_NAME = "Bramblewick Observatory";
const LAPTOP_NAME = "Ophelias quantumtoaster";
const PHONE_NAME = "Barnabys pocketgizmo";
const LINK_LABEL = "for cousin Quillonia";
const TITLE = "Hrothgars teapot ledger";
const LONG_TITLE = "Umbrellaphone mcmxcix";
const TAG = "wigglyfjord";
const PICTURE_NAME = "nudibranch-at-dawn.jpeg";
const LEDGER_NAME = "smugglers-ledger.txt";
const LEDGER_TYPE = "text/x-quizzlebane";

const incompressible = (bytes: number): Uint8Array => {
  const blocks = Array.from({ length: Math.ceil(bytes / 32) }, (_, index) =>
    createHash("sha256").update(`nudibranch ${index}`).digest(),
  );
  return new Uint8Array(Buffer.concat(blocks)).subarray(0, bytes);
};
const PICTURE = incompressible(40_000);
const LEDGER = new TextEncoder().encode("Kontrabendlink fizzwhistle krates; ".repeat(400));

export interface SecretNotebook {
  /** What `EngineOptions.sealing` seals: texts, titles, tags, names of workspaces and files, types of documents. */
  readonly content: ReadonlyArray<Secret>;
  /** What is sealed in other ways: names of devices, labels of links, attachments' bytes. */
  readonly sealedElsewhere: ReadonlyArray<Secret>;
  readonly keys: ReadonlyArray<Secret>;
  readonly tokens: ReadonlyArray<Secret>;
}

/** Lives the notebook's life on a running server, and closes both devices. */
export const liveSecretNotebook = async (options: {
  readonly origin: string;
  readonly directory: (device: string) => string;
  readonly sealing?: MakeSealing | undefined;
}): Promise<SecretNotebook> => {
  const tokens = new Set<string>();
  const open = (name: string) =>
    openDevice({
      schema,
      directory: options.directory(name),
      server: options.origin,
      deviceName: name,
      sealing: options.sealing,
      onToken: (token) => tokens.add(token),
    });
  const laptop = await open(LAPTOP_NAME);
  const phone = await open(PHONE_NAME);
  try {
    const notebook = await laptop.cairn.workspace();
    await notebook.rename(WORKSPACE_NAME);
    const note = await notebook.create("vellumquire", (edit) => {
      edit.headlinkle.set(TITLE);
      edit.prosewharf.insert(0, SHORT_TEXT);
      edit.labeltwine.add(TAG);
    });
    await notebook.create("vellumquire", (edit) => {
      edit.headlinkle.set(LONG_TITLE);
      edit.prosewharf.insert(0, LONG_TEXT);
    });
    const files = [
      { name: PICTURE_NAME, mediaType: "image/jpeg", size: PICTURE.length, data: PICTURE },
      { name: LEDGER_NAME, mediaType: LEDGER_TYPE, size: LEDGER.length, data: LEDGER },
    ];
    const attached = [];
    for (const file of files) attached.push(await notebook.attach(note.id, file));
    await notebook.flush({ tier: "server", timeout: 20_000 });

    const { url, link } = await notebook.createLink({ role: "writer", label: LINK_LABEL });
    const joined = await phone.cairn.join(url);
    await until(async () => (await joined.query("vellumquire")).length === 2);
    await until(() => joined.info().name === WORKSPACE_NAME || renamed(phone, joined));
    const copy = await joined.open("vellumquire", note.id);
    copy.edit((edit) => edit.prosewharf.insert(0, PHONE_TEXT));
    await until(() => note.read().prosewharf.startsWith(PHONE_TEXT));
    for (const { id } of attached) await joined.readAttachment(note.id, id).then(drain);
    await notebook.revokeLink(link);
    await expect(notebook.links()).resolves.toMatchObject([{ status: "revoked", label: LINK_LABEL }]);
    note.edit((edit) => edit.prosewharf.insert(0, AFTER_KEY_CHANGE));
    await until(() => copy.read().prosewharf.startsWith(AFTER_KEY_CHANGE));
    await joined.flush({ tier: "server", timeout: 20_000 });
    const names = (await joined.devices()).map(({ name }) => name).toSorted();
    expect(names).toEqual([PHONE_NAME, LAPTOP_NAME].toSorted());

    return {
      content: contentSecrets(),
      sealedElsewhere: [
        secretText("laptop's name", LAPTOP_NAME),
        secretText("phone's name", PHONE_NAME),
        secretText("link's label", LINK_LABEL),
        { name: "picture", bytes: PICTURE },
        { name: "ledger", bytes: LEDGER.slice(0, 100) },
      ],
      keys: [
        ...(await keysOf("laptop", laptop, notebook)),
        ...(await keysOf("phone", phone, joined)),
        ...linkKeys(url),
        // Their words are in every dictionary; some in a row are not.
        secretText("recovery words", (await laptop.cairn.recoveryWords()).join(" "), 24),
      ],
      tokens: [...tokens].flatMap((token, index) => tokenSecrets(`token ${index}`, token)),
    };
  } finally {
    await laptop.cairn.close();
    await phone.cairn.close();
  }
};

const renamed = (device: OpenDevice<typeof schema>, workspace: Workspace<typeof schema>): boolean =>
  device.cairn.workspaces().some(({ id, name }) => id === workspace.id && name === WORKSPACE_NAME);

const drain = (stream: ReadableStream<Uint8Array>): Promise<unknown> => new Response(stream).arrayBuffer();

const contentSecrets = (): ReadonlyArray<Secret> => [
  secretText("text", SHORT_TEXT),
  secretText("phone's text", PHONE_TEXT),
  secretText("long text", LONG_TEXT),
  secretText("text after the key change", AFTER_KEY_CHANGE),
  secretText("title", TITLE),
  secretText("long note's title", LONG_TITLE),
  secretText("tag", TAG),
  secretText("workspace's name", WORKSPACE_NAME),
  secretText("document type", "vellumquire"),
  secretText("field name", "headlinkle"),
  secretText("picture's name", PICTURE_NAME),
  secretText("ledger's name", LEDGER_NAME),
  secretText("media type", LEDGER_TYPE.slice("text/".length)),
];

const keysOf = async (
  name: string,
  { store }: OpenDevice<typeof schema>,
  { id }: Workspace<typeof schema>,
): Promise<ReadonlyArray<Secret>> => {
  const keys: Array<Secret> = [];
  const keep = (what: string, bytes: Uint8Array) => keys.push({ name: `${name}'s ${what}`, bytes });
  const file = await Effect.runPromise(store.secret(`device/${id}`));
  if (typeof file !== "string") throw new Error("a device in Node keeps its keys as a key file");
  const { agreementSeed, signingSeed } = await decodeKeyFile(file);
  keep("signing seed", signingSeed);
  keep("agreement seed", agreementSeed);
  const keyring = await Effect.runPromise(Secrets.keyring(store, id));
  expect(new Set(keyring.epochKeys.keys())).toEqual(new Set([1, 2]));
  for (const [epoch, key] of keyring.epochKeys) keep(`key of epoch ${epoch}`, key);
  const root = await Effect.runPromise(Secrets.rootSecret(store, id));
  if (root !== undefined) keep("root secret", root);
  const seed = await Effect.runPromise(Secrets.personSeed(store));
  if (seed !== undefined) {
    keep("seed", seed);
    keep("home root secret", await homeRootSecret(seed));
  }
  return keys;
};

const linkKeys = (url: string): ReadonlyArray<Secret> => {
  const { secret, workspace } = parseAccessLink(url);
  const derived = (info: Uint8Array) => new Uint8Array(hkdfSync("sha256", secret, idToBytes(workspace), info, 32));
  return [
    { name: "link's secret", bytes: secret },
    { name: "link's signing seed", bytes: derived(KDF_LABELS.linkSigning) },
    { name: "link's agreement seed", bytes: derived(KDF_LABELS.linkAgreement) },
  ];
};

/** The claims name ids, which are no secret; what makes a token one is its signature. */
const tokenSecrets = (name: string, token: string): ReadonlyArray<Secret> => {
  const [, claims, signature] = token.split(".");
  if (claims === undefined || signature === undefined) throw new Error("a token is a JWT");
  return [secretText(`${name}'s claims`, claims), secretText(`${name}'s signature`, signature)];
};
