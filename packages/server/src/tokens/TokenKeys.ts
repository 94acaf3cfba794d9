/**
 * The keys that sessions are signed with. The algorithm is pinned to HS256; a token names its key by `kid`, so that keys
 * can be rotated: a new current key signs, and the ones before it verify until they are dropped.
 *
 * The file is JSON, readable by its owner alone: `{ "current": kid, "keys": [{ "kid", "secret" }] }`, secrets in
 * base64url, at least 32 bytes.
 */
import { decodeBase64Url, encodeBase64Url } from "@cairn/protocol";
import { Context, Effect, Layer, Redacted, Schema } from "effect";
import { createHash, createHmac, createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import { chmod, link, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

const SECRET_BYTES = 32;

export interface TokenKeysShape {
  readonly current: { readonly kid: string; readonly key: KeyObject };
  readonly find: (kid: string) => KeyObject | undefined;
  /** The key of the challenges' seal, derived from the current signing key; the ones before it still verify. */
  readonly challengeKeys: readonly [Uint8Array, ...ReadonlyArray<Uint8Array>];
}

/** The keys cannot be had; the message says what to do. */
export class TokenKeysUnusable extends Schema.TaggedError<TokenKeysUnusable>()("TokenKeysUnusable", {
  message: Schema.String,
}) {}

const KeyFile = Schema.Struct({
  current: Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(64)),
  keys: Schema.Array(
    Schema.Struct({
      kid: Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(64)),
      secret: Schema.String.check(
        Schema.makeFilter(
          (text: string) => (decodeBase64Url(text)?.length ?? 0) >= SECRET_BYTES || "expected 32 bytes of base64url",
        ),
      ),
    }),
  ),
});
type KeyFile = typeof KeyFile.Type;
const decodeKeyFile = Schema.decodeUnknownEffect(Schema.fromJsonString(KeyFile));

export class TokenKeys extends Context.Service<TokenKeys, TokenKeysShape>()("cairn/server/TokenKeys") {
  /** From a file, made on first start. */
  static layerFile(path: string): Layer.Layer<TokenKeys, TokenKeysUnusable> {
    return Layer.effect(
      TokenKeys,
      Effect.flatMap(readOrMake(path), (text) => parse(text, path)),
    );
  }

  /** From configuration: one secret of at least 32 characters, the same on every node. */
  static layerSecret(secret: Redacted.Redacted): Layer.Layer<TokenKeys> {
    return Layer.sync(TokenKeys, () => {
      const digest = createHash("sha256").update("cairn/v1/token-key\0").update(Redacted.value(secret)).digest();
      // The id tells keys apart and nothing else: it is of a hash of the key.
      const kid = encodeBase64Url(
        createHash("sha256").update("cairn/v1/token-key-id\0").update(digest).digest().subarray(0, 9),
      );
      return fromSecrets({ current: kid, keys: [{ kid, secret: encodeBase64Url(digest) }] });
    });
  }

  /** Random keys that end with the process. */
  static readonly layerEphemeral: Layer.Layer<TokenKeys> = Layer.sync(TokenKeys, () => fromSecrets(freshKeys()));
}

/** Adds a key that signs from now on; the ones before it verify until somebody takes them out of the file. */
export const rotateTokenKeys = Effect.fn("rotateTokenKeys")(function* (
  path: string,
): Effect.fn.Return<string, TokenKeysUnusable> {
  const before = yield* Effect.flatMap(readOrMake(path), (text) => decode(text, path));
  const [added] = freshKeys().keys;
  if (added === undefined) return yield* Effect.die("fresh keys hold one key");
  const after: KeyFile = { current: added.kid, keys: [added, ...before.keys] };
  yield* io(path, async () => {
    const draft = await writeDraft(path, after);
    await rename(draft, path);
  });
  return added.kid;
});

const freshKeys = (): KeyFile => {
  const kid = encodeBase64Url(randomBytes(9));
  return { current: kid, keys: [{ kid, secret: encodeBase64Url(randomBytes(SECRET_BYTES)) }] };
};

const io = <A>(path: string, run: () => Promise<A>) =>
  Effect.tryPromise({
    try: run,
    catch: (cause) =>
      new TokenKeysUnusable({
        message: `The token keys in ${path} cannot be read or written (${cause instanceof Error ? cause.message : String(cause)}). Give the file to the user that starts Cairn, with mode 0600.`,
      }),
  });

/** Never half a file under the real name. */
const writeDraft = async (path: string, keys: KeyFile): Promise<string> => {
  const draft = `${path}.${encodeBase64Url(randomBytes(6))}`;
  await writeFile(draft, `${JSON.stringify(keys)}\n`, { mode: 0o600, flush: true });
  return draft;
};

/** Made under another name and linked into place, so that two nodes that start at once agree on one file. */
const readOrMake = (path: string) =>
  io(path, async () => {
    const existing = await readFile(path, "utf8").catch((cause: unknown) => {
      if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
      throw cause;
    });
    if (existing !== undefined) {
      if (process.platform !== "win32" && ((await stat(path)).mode & 0o077) !== 0) await chmod(path, 0o600);
      return existing;
    }
    await mkdir(dirname(path), { recursive: true });
    const draft = await writeDraft(path, freshKeys());
    await link(draft, path).catch((cause: unknown) => {
      if (!(cause instanceof Error && "code" in cause && cause.code === "EEXIST")) throw cause;
    });
    await rm(draft, { force: true });
    return readFile(path, "utf8");
  });

const decode = (text: string, where: string) =>
  Effect.mapError(
    decodeKeyFile(text),
    // The decoder's own message would quote the secret.
    () =>
      new TokenKeysUnusable({
        message: `The token keys in ${where} are not in the form that Cairn writes. Restore them, or remove them: devices then sign in again by themselves.`,
      }),
  );

const parse = Effect.fnUntraced(function* (text: string, where: string) {
  const file = yield* decode(text, where);
  if (!file.keys.some(({ kid }) => kid === file.current)) {
    return yield* new TokenKeysUnusable({
      message: `The token keys in ${where} name a current key that is not there.`,
    });
  }
  return fromSecrets(file);
});

const fromSecrets = (file: KeyFile): TokenKeysShape => {
  const keys = new Map<string, KeyObject>();
  for (const { kid, secret } of file.keys) {
    keys.set(kid, createSecretKey(Buffer.from(decodeBase64Url(secret) ?? new Uint8Array(SECRET_BYTES))));
  }
  const current = keys.get(file.current);
  if (current === undefined) throw new Error("the current key is one of the keys");
  const others = [...keys.values()].filter((key) => key !== current);
  return {
    current: { kid: file.current, key: current },
    find: (kid) => keys.get(kid),
    challengeKeys: [challengeKey(current), ...others.map(challengeKey)],
  };
};

const challengeKey = (key: KeyObject): Uint8Array =>
  createHmac("sha256", key).update("cairn/v1/challenge-nonce").digest();
