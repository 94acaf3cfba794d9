/**
 * Everything that can be set, from flags or the environment; a flag wins. `--help` is generated from this table.
 */
import { LIMITS } from "@cairn/protocol";
import { defaultSettings, invalidNetwork } from "@cairn/server";
import {
  Config,
  Context,
  Duration,
  Effect,
  type LogLevel,
  Option,
  Redacted,
  Schema,
  SchemaTransformation,
} from "effect";
import { Flag } from "effect/cli";
import { Refusal } from "./Refusal.ts";

export interface ServerConfigurationShape {
  readonly host: string;
  /** 0 lets the system choose one. */
  readonly port: number;
  /** `undefined`: `./data`. */
  readonly dataFolder: string | undefined;
  /** An existing PostgreSQL; `undefined`: the embedded one. */
  readonly databaseUrl: Redacted.Redacted | undefined;
  readonly allowUnsafeDatabase: boolean;
  /** The origin that people reach this server under; access links begin with it. */
  readonly publicUrl: string | undefined;
  readonly tls: { readonly certificateFile: string; readonly keyFile: string } | undefined;
  /** Origins, besides the server's own, whose pages may use the API. */
  readonly allowedOrigins: ReadonlyArray<string>;
  readonly registration: "open" | "invite" | "closed";
  readonly inviteCodes: ReadonlyArray<Redacted.Redacted>;
  /** The secret that signs tokens; `undefined`: one of its own in the data folder. */
  readonly tokenKey: Redacted.Redacted | undefined;
  readonly logLevel: LogLevel.LogLevel;
  readonly logFormat: "json" | "pretty";
  /** Bytes that one workspace may hold. */
  readonly workspaceQuotaBytes: number;
  /** Bytes that one attachment may have. */
  readonly attachmentLimitBytes: number;
  /** Requests a minute that one address may make before it has proved anything; 0 for any number. */
  readonly unprovenLimit: number;
  /** Addresses and networks of the proxies in front of the server. */
  readonly trustedProxies: ReadonlyArray<string>;
  /** How far back a restored backup of this server may be: devices keep what it could lack for as long. */
  readonly backupHorizon: Duration.Duration;
  /** The built web app; `undefined`: the one of this repository. */
  readonly webFolder: string | undefined;
}

/** The decoded configuration, for every layer that depends on it. */
export class ServerConfiguration extends Context.Service<ServerConfiguration, ServerConfigurationShape>()(
  "cairn/server-app/ServerConfiguration",
) {}

interface SettingOptions {
  readonly flag: string;
  readonly variable: string;
  readonly metavar: string;
  readonly description: string;
}

/** What was given for a setting, to be decoded with an error that names where it came from. */
interface Given {
  readonly setting: SettingOptions;
  readonly text: Option.Option<string>;
}

const setting = (options: SettingOptions): Flag.Flag<Given> =>
  Flag.String(options.flag).pipe(
    Flag.withMetavar(options.metavar),
    Flag.withDescription(`${options.description} [${options.variable}]`),
    Flag.withFallbackConfig(Config.String(options.variable)),
    Flag.optional,
    // A variable that is set to nothing counts as not set, as in most compose files.
    Flag.map((text) => ({ setting: options, text: Option.filter(text, (value) => value.trim() !== "") })),
  );

/** The flags, in the order in which `--help` shows them. */
export const flags = {
  host: setting({
    flag: "host",
    variable: "HOST",
    metavar: "ADDRESS",
    description: "The address to listen on; 0.0.0.0 for all. Default: 127.0.0.1",
  }),
  port: setting({
    flag: "port",
    variable: "PORT",
    metavar: "NUMBER",
    description: "The port, 0 to 65535; 0 for any that is free. Default: 4780",
  }),
  publicUrl: setting({
    flag: "public-url",
    variable: "CAIRN_PUBLIC_URL",
    metavar: "URL",
    description: "The origin that people reach this server under, such as https://notes.example.org; links use it",
  }),
  certificateFile: setting({
    flag: "tls-cert",
    variable: "CAIRN_TLS_CERT",
    metavar: "FILE",
    description: "A certificate chain (PEM), to serve https",
  }),
  keyFile: setting({
    flag: "tls-key",
    variable: "CAIRN_TLS_KEY",
    metavar: "FILE",
    description: "The certificate's private key (PEM)",
  }),
  allowedOrigins: setting({
    flag: "allowed-origins",
    variable: "CAIRN_ALLOWED_ORIGINS",
    metavar: "ORIGINS",
    description: "Other origins whose pages may use the API, separated by commas",
  }),
  dataFolder: setting({
    flag: "data-dir",
    variable: "CAIRN_DATA_DIR",
    metavar: "FOLDER",
    description: "Where everything is kept. Default: ./data",
  }),
  databaseUrl: setting({
    flag: "database-url",
    variable: "DATABASE_URL",
    metavar: "URL",
    description: "A PostgreSQL (15 or newer) to use instead of the embedded one: postgres://user:password@host/name",
  }),
  allowUnsafeDatabase: setting({
    flag: "allow-unsafe-database",
    variable: "CAIRN_ALLOW_UNSAFE_DATABASE",
    metavar: "yes|no",
    description:
      "Accept a database with fsync or synchronous_commit off, which can lose what it confirmed. Default: no",
  }),
  registration: setting({
    flag: "registration",
    variable: "CAIRN_REGISTRATION",
    metavar: "open|invite|closed",
    description: "Who may register a workspace: everybody, whoever has an invite code, or nobody. Default: open",
  }),
  inviteCodes: setting({
    flag: "invite",
    variable: "CAIRN_INVITE",
    metavar: "CODES",
    description: "The invite codes, separated by commas",
  }),
  tokenKey: setting({
    flag: "token-key",
    variable: "CAIRN_TOKEN_KEY",
    metavar: "SECRET",
    description:
      "The secret that signs tokens, at least 32 characters, the same on every node. Default: one made in the data folder",
  }),
  workspaceQuota: setting({
    flag: "quota",
    variable: "CAIRN_QUOTA",
    metavar: "SIZE",
    description: "How much a workspace may hold, such as 500MB or 20GB. Default: 5GB",
  }),
  attachmentLimit: setting({
    flag: "attachment-limit",
    variable: "CAIRN_ATTACHMENT_LIMIT",
    metavar: "SIZE",
    description: "How large an attachment may be, at most 2GB; the apps keep to it. Default: 1GB",
  }),
  unprovenLimit: setting({
    flag: "unproven-limit",
    variable: "CAIRN_UNPROVEN_LIMIT",
    metavar: "NUMBER",
    description:
      "Requests a minute that one address may make before it has proved anything, such as registering or opening links; 0 for any number. Default: 600",
  }),
  trustedProxies: setting({
    flag: "trusted-proxies",
    variable: "CAIRN_TRUSTED_PROXIES",
    metavar: "NETWORKS",
    description:
      "Addresses of the proxies in front, separated by commas, whose X-Forwarded-For is believed, such as 10.0.0.0/8. Default: this machine's own",
  }),
  backupHorizon: setting({
    flag: "backup-horizon",
    variable: "CAIRN_BACKUP_HORIZON",
    metavar: "DURATION",
    description:
      "How old a backup you would still restore; devices keep what it could lack for as long, such as 14 days. Default: 30 days",
  }),
  logLevel: setting({
    flag: "log",
    variable: "CAIRN_LOG_LEVEL",
    metavar: "debug|info|warn|error",
    description: "What is logged. Default: info",
  }),
  logFormat: setting({
    flag: "log-format",
    variable: "CAIRN_LOG_FORMAT",
    metavar: "json|pretty",
    description: "One JSON object a line, or lines for people. Default: pretty in a terminal, else json",
  }),
  webFolder: setting({
    flag: "web-dir",
    variable: "CAIRN_WEB_DIR",
    metavar: "FOLDER",
    description: "The built web app to serve. Default: apps/web/dist",
  }),
};

type Settings = { readonly [Name in keyof typeof flags]: Given };

const Origin = Schema.String.check(
  Schema.makeFilter((text: string) => {
    const url = URL.parse(text);
    return url !== null &&
      (url.protocol === "https:" || url.protocol === "http:") &&
      url.origin === text.replace(/\/$/, "")
      ? undefined
      : "expected an origin such as https://notes.example.org, without a path";
  }),
).pipe(
  Schema.decodeTo(
    Schema.String,
    SchemaTransformation.transform({ decode: (text) => text.replace(/\/$/, ""), encode: (text) => text }),
  ),
);

const Port = Schema.FiniteFromString.check(Schema.isInt(), Schema.isBetween({ minimum: 0, maximum: 65_535 }));

const PostgresUrl = Schema.RedactedFromValue(Schema.String.check(Schema.isPattern(/^postgres(ql)?:\/\//)));

const commaSeparated = (text: string): ReadonlyArray<string> =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

const bytesPerUnit: Readonly<Record<string, number>> = { "": 1, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };

const Size = Schema.String.check(Schema.isPattern(/^\d+\s*([KMGT]?B)?$/i)).pipe(
  Schema.decodeTo(
    Schema.Int,
    SchemaTransformation.transform({
      decode: (text) => Number.parseInt(text, 10) * (bytesPerUnit[text.replace(/^\d+\s*/, "").toUpperCase()] ?? 1),
      encode: (bytes) => String(bytes),
    }),
  ),
);

/** One entry refers to so many chunks at most, and an attachment is attached by one entry. */
const AttachmentSize = Size.check(Schema.isLessThanOrEqualTo(LIMITS.refs * LIMITS.chunkBytes));

const Network = Schema.String.check(Schema.makeFilter(invalidNetwork));

const CountFromString = Schema.FiniteFromString.check(Schema.isInt(), Schema.isGreaterThanOrEqualTo(0));

/** Decodes what was given, or says which setting is wrong and what it expects. */
export const decodeConfiguration = Effect.fn("decodeConfiguration")(function* (
  given: Settings,
): Effect.fn.Return<ServerConfigurationShape, Refusal> {
  const certificateFile = textOf(given.certificateFile);
  const keyFile = textOf(given.keyFile);
  if ((certificateFile === undefined) !== (keyFile === undefined)) {
    return yield* new Refusal({
      code: "configuration",
      message: "To serve https Cairn needs both CAIRN_TLS_CERT and CAIRN_TLS_KEY, and only one of them is set.",
    });
  }
  const registration = yield* decode(given.registration, Schema.Literals(["open", "invite", "closed"]), "open");
  const inviteCodes = commaSeparated(textOf(given.inviteCodes) ?? "");
  if (registration === "invite" && inviteCodes.length === 0) {
    return yield* new Refusal({
      code: "configuration",
      message: "CAIRN_REGISTRATION is invite, but there is no code anybody could use: set CAIRN_INVITE as well.",
    });
  }
  const proxies = textOf(given.trustedProxies);
  const origins = commaSeparated(textOf(given.allowedOrigins) ?? "");
  return {
    host: textOf(given.host) ?? "127.0.0.1",
    port: yield* decode(given.port, Port, 4780),
    dataFolder: textOf(given.dataFolder),
    databaseUrl: yield* decode(given.databaseUrl, PostgresUrl, undefined),
    allowUnsafeDatabase: yield* decode(given.allowUnsafeDatabase, YesOrNo, false),
    publicUrl: yield* decode(given.publicUrl, Origin, undefined),
    tls: certificateFile === undefined || keyFile === undefined ? undefined : { certificateFile, keyFile },
    allowedOrigins: yield* Effect.forEach(origins, (origin) =>
      decodeText(given.allowedOrigins.setting, Option.some(origin), Origin, origin),
    ),
    registration,
    inviteCodes: inviteCodes.map((code) => Redacted.make(code)),
    tokenKey: yield* decode(
      given.tokenKey,
      Schema.RedactedFromValue(Schema.String.check(Schema.isMinLength(32))),
      undefined,
    ),
    logLevel: yield* decode(given.logLevel, Level, "Info"),
    logFormat: yield* decode(
      given.logFormat,
      Schema.Literals(["json", "pretty"]),
      process.stderr.isTTY ? "pretty" : "json",
    ),
    workspaceQuotaBytes: yield* decode(given.workspaceQuota, Size, 5e9),
    attachmentLimitBytes: yield* decode(given.attachmentLimit, AttachmentSize, 1e9),
    unprovenLimit: yield* decode(given.unprovenLimit, CountFromString, defaultSettings.unprovenPerMinute),
    trustedProxies:
      proxies === undefined
        ? defaultSettings.trustedProxies
        : yield* Effect.forEach(commaSeparated(proxies), (network) =>
            decodeText(given.trustedProxies.setting, Option.some(network), Network, network),
          ),
    backupHorizon: yield* decode(given.backupHorizon, Schema.DurationFromString, Duration.days(30)),
    webFolder: textOf(given.webFolder),
  };
});

const YesOrNo = Schema.Literals(["yes", "no", "true", "false", "1", "0"]).pipe(
  Schema.decodeTo(
    Schema.Boolean,
    SchemaTransformation.transform({
      decode: (text) => text === "yes" || text === "true" || text === "1",
      encode: (value) => (value ? ("yes" as const) : ("no" as const)),
    }),
  ),
);

const levels = { debug: "Debug", info: "Info", warn: "Warn", error: "Error" } as const;
const Level = Schema.Literals(["debug", "info", "warn", "error"]).pipe(
  Schema.decodeTo(
    Schema.Literals(["Debug", "Info", "Warn", "Error"]),
    SchemaTransformation.transform({
      decode: (text) => levels[text],
      encode: (level) => ({ Debug: "debug", Info: "info", Warn: "warn", Error: "error" } as const)[level],
    }),
  ),
);

const textOf = (given: Given): string | undefined => Option.getOrUndefined(given.text);

const decode = <A, const B>(
  given: Given,
  schema: Schema.Codec<A, string>,
  fallback: B,
): Effect.Effect<A | B, Refusal> => decodeText(given.setting, given.text, schema, fallback);

const secrets: ReadonlySet<string> = new Set(["CAIRN_TOKEN_KEY", "DATABASE_URL", "CAIRN_INVITE"]);

const decodeText = <A, const B>(
  { description, flag, metavar, variable }: SettingOptions,
  text: Option.Option<string>,
  schema: Schema.Codec<A, string>,
  fallback: B,
): Effect.Effect<A | B, Refusal> =>
  Option.match(text, {
    onNone: () => Effect.succeed(fallback),
    onSome: (value) =>
      Schema.decodeUnknownEffect(schema)(value).pipe(
        Effect.mapError(
          () =>
            new Refusal({
              code: "configuration",
              message:
                `${variable} (or --${flag}) is ${secrets.has(variable) ? "not usable" : JSON.stringify(value)}, ` +
                `and ${metavar} is expected: ${description}.`,
            }),
        ),
      ),
  });
