/**
 * A report about synchronisation for whoever helps: everything that explains what happens, and nothing private. No names,
 * no content, no address of the server, no message that an app or a server wrote; ids are short hashes, which tell two of
 * them apart and lead to neither.
 */
import { type DeviceId, label, PROTOCOL_VERSION, type RoleName, type WorkspaceId } from "@cairn/protocol";
import { sha256 } from "@noble/hashes/sha2.js";
import { Clock, Effect } from "effect";
import type { PositionRecord } from "../store/records.ts";
import type { ConnectionMoment, DeadLetter, OutboxState, Unsynced } from "../sync-api.ts";
import type { PlainSyncState } from "./EngineApi.ts";

export interface ReportFacts {
  readonly sync: PlainSyncState;
  readonly outbox: OutboxState;
  readonly connections: ReadonlyArray<ConnectionMoment>;
  readonly letters: ReadonlyArray<DeadLetter>;
  readonly unsynced: Unsynced;
  readonly position: PositionRecord | undefined;
  readonly workspace: WorkspaceId;
  readonly device: DeviceId;
  readonly role: RoleName;
  readonly leads: boolean;
  /** Versions of the app's schema: this one, and the lowest that may write. */
  readonly version: number;
  readonly minimumVersion: number;
}

const HASH_LABEL = label("sync-report");
const HEX_DIGITS = 8;

/** The first digits of a hash: the same for the same id within all reports, and of no use to find the id. */
const shortHash = (id: string): string =>
  [...sha256(Uint8Array.from([...HASH_LABEL, ...new TextEncoder().encode(id)]))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("")
    .slice(0, HEX_DIGITS);

/** The report as indented JSON. Times are given as ages in milliseconds: clocks are private, too. */
export const writeReport = (facts: ReportFacts): Effect.Effect<string> =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    const { sync, outbox, position } = facts;
    const age = (at: number | undefined): number | undefined => (at === undefined ? undefined : now - at);
    const report = {
      report: "cairn-sync",
      protocol: PROTOCOL_VERSION,
      workspace: shortHash(facts.workspace),
      device: shortHash(facts.device),
      role: facts.role,
      leads: facts.leads,
      version: facts.version,
      minimumVersion: facts.minimumVersion,
      status: sync.status,
      condition: outbox.condition,
      problem: sync.problem?.code,
      hasServer: sync.server !== undefined,
      offlineForMillis: age(sync.offlineSince),
      lastSyncedAgoMillis: age(sync.lastSyncedAt),
      unsynced: { ...facts.unsynced, oldestAt: undefined, oldestAgeMillis: age(facts.unsynced.oldestAt) },
      outbox: {
        depth: outbox.depth,
        bytes: outbox.bytes,
        states: outbox.states,
        attempts: outbox.attempts,
        transitions: outbox.transitions,
        stalls: outbox.stalls,
        stalledForMillis: age(outbox.stalledSince),
        lastSuccessAgoMillis: age(outbox.lastSuccessAt),
        nextAttemptInMillis: outbox.nextAttemptAt === undefined ? undefined : outbox.nextAttemptAt - now,
        paused: outbox.paused,
        simulatedOffline: outbox.simulatedOffline,
        entries: outbox.entries.map(({ document, since, ...entry }) => ({
          document: document === undefined ? undefined : shortHash(document),
          ...entry,
          ageMillis: age(since),
        })),
      },
      deadLetters: facts.letters.map(({ document, code, edits, bytes, laterEdits, attempts, history, parkedAt }) => ({
        document: shortHash(document),
        code,
        edits,
        bytes,
        laterEdits,
        attempts,
        parkedAgoMillis: age(parkedAt),
        history: history.map(({ at, message: _, ...moment }) => ({ agoMillis: age(at), ...moment })),
      })),
      log: position === undefined ? undefined : { cursor: position.cursor, nextCounter: position.nextCounter },
      connections: facts.connections.map(({ at, ...moment }) => ({ agoMillis: age(at), ...moment })),
    };
    return JSON.stringify(report, undefined, 2);
  });
