/** What whoever hosts the server decides about it. */
import { LIMITS } from "@cairn/protocol";
import { Context, type Redacted } from "effect";

export interface ServerSettingsShape {
  /** Who may register workspaces that the server does not know. */
  readonly registration: "open" | "invite" | "closed";
  /** The codes that `invite` accepts. */
  readonly invites: ReadonlyArray<Redacted.Redacted>;
  /** Where the server wants links to point to. */
  readonly publicUrl: string | undefined;
  /**
   * The origins by which clients may know this server: that of `publicUrl` and those of the listening addresses. Asked
   * each time, because a port may be known only once the server listens.
   */
  readonly origins: () => ReadonlySet<string>;
  /** Origins, besides the server's own, whose pages may open live connections. */
  readonly allowedOrigins: ReadonlySet<string>;
  /** What a workspace may hold, entries and attachments together; 0 for no limit. */
  readonly workspaceBytes: number;
  /** One attachment, all chunks together. */
  readonly attachmentBytes: number;
  /** How long a session lasts, in milliseconds. */
  readonly sessionMillis: number;
  /** How long devices keep what only they can supply again after a restored backup (rule 11). */
  readonly backupHorizonSeconds: number;
  /** How long an uploaded chunk is kept that no entry refers to, in milliseconds. */
  readonly chunkLeaseMillis: number;
  /** Unproven requests that one address may make in a minute; 0 for no limit. */
  readonly unprovenPerMinute: number;
  /** Addresses and networks of the proxies in front, whose `X-Forwarded-For` says where a request comes from. */
  readonly trustedProxies: ReadonlyArray<string>;
}

export class ServerSettings extends Context.Service<ServerSettings, ServerSettingsShape>()(
  "cairn/server/ServerSettings",
) {}

const MINUTE = 60_000;
const DAY_SECONDS = 24 * 60 * 60;

/** The settings of a server that nobody configured. `origins` has no default: it says where the server listens. */
export const defaultSettings: Omit<ServerSettingsShape, "origins"> = {
  registration: "open",
  invites: [],
  publicUrl: undefined,
  allowedOrigins: new Set(),
  workspaceBytes: 0,
  attachmentBytes: 2048 * LIMITS.chunkBytes,
  sessionMillis: 15 * MINUTE,
  backupHorizonSeconds: 35 * DAY_SECONDS,
  chunkLeaseMillis: DAY_SECONDS * 1000,
  unprovenPerMinute: 600,
  trustedProxies: ["127.0.0.0/8", "::1"],
};
