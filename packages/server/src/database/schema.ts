/**
 * The server's tables.
 *
 * Every key but the singleton's starts with the workspace, so that the tables can be spread over several machines by
 * it. Ids, hashes and keys are bytes. What a device sealed is stored as it came: `entries.bytes` and `chunks.bytes` are
 * opaque (Promise 6).
 */
import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  check,
  customType,
  foreignKey,
  index,
  integer,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  uniqueIndex,
} from "drizzle-orm/pg-core";

const bytea = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => "bytea" });
const int8 = (name: string) => bigint(name, { mode: "bigint" });
const instant = (name: string) => timestamp(name, { withTimezone: true, mode: "date" });

/** One row: what this database is. A backup carries it along, so that clients recognise a restored server. */
export const server = pgTable(
  "server",
  {
    singleton: smallint("singleton").primaryKey().default(1),
    server: bytea("server").notNull(),
    /** Raised by whoever restores a backup on purpose (rule 11). */
    epoch: integer("epoch").notNull().default(1),
    /** Raised by one in every transaction that withdraws access; polled by every node (rule 23). */
    revocationMark: int8("revocation_mark")
      .notNull()
      .default(sql`0`),
    createdAt: instant("created_at").notNull().defaultNow(),
  },
  (table) => [check("server_singleton", sql`${table.singleton} = 1`)],
);

/** A workspace's head. Its row lock is what makes the order of sequences the order of commits (Promise 3). */
export const workspaces = pgTable("workspaces", {
  workspace: bytea("workspace").primaryKey(),
  /** The current root key; the first one's hash is the workspace's id. */
  rootKey: bytea("root_key").notNull(),
  head: int8("head")
    .notNull()
    .default(sql`0`),
  /** The running hash at `head` (rule 11). */
  chain: bytea("chain").notNull(),
  /** Hash of the membership chain's last entry; zeros before the first. */
  membershipHead: bytea("membership_head").notNull(),
  keyEpoch: int8("key_epoch")
    .notNull()
    .default(sql`0`),
  /** The lowest version of the app's schema that may write; devices enforce it, and it only rises. */
  minimumVersion: int8("minimum_version")
    .notNull()
    .default(sql`1`),
  entriesBytes: int8("entries_bytes")
    .notNull()
    .default(sql`0`),
  attachmentsBytes: int8("attachments_bytes")
    .notNull()
    .default(sql`0`),
  createdAt: instant("created_at").notNull(),
});

/**
 * The registry of authors. A row is kept for ever, whatever is pruned: `last` and its hash make a late retry a
 * duplicate and never new (rule 2).
 */
export const devices = pgTable(
  "devices",
  {
    workspace: bytea("workspace").notNull(),
    device: bytea("device").notNull(),
    signingKey: bytea("signing_key").notNull(),
    agreementKey: bytea("agreement_key"),
    role: smallint("role").notNull(),
    /** The counters that count: `[from_counter, to_counter]`, open at the end while null (rule 19). */
    fromCounter: int8("from_counter").notNull(),
    toCounter: int8("to_counter"),
    /** Whether the membership chain has its admission. */
    admitted: boolean("admitted").notNull().default(false),
    /** Whether the chain has revoked it; an interval may also end by its certificate. */
    revoked: boolean("revoked").notNull().default(false),
    last: int8("last")
      .notNull()
      .default(sql`0`),
    lastHash: bytea("last_hash"),
    createdAt: instant("created_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.workspace, table.device] }),
    foreignKey({ columns: [table.workspace], foreignColumns: [workspaces.workspace] }),
  ],
);

/** The log. */
export const entries = pgTable(
  "entries",
  {
    workspace: bytea("workspace").notNull(),
    seq: int8("seq").notNull(),
    device: bytea("device").notNull(),
    counter: int8("counter").notNull(),
    document: bytea("document").notNull(),
    kind: smallint("kind").notNull(),
    epoch: int8("epoch").notNull(),
    /** SHA-256 of the encoded entry. Stays when the bytes go. */
    hash: bytea("hash").notNull(),
    /** The running hash at this position (rule 11). */
    chain: bytea("chain").notNull(),
    size: integer("size").notNull(),
    /** The encoded entry; null once it was pruned. */
    bytes: bytea("bytes"),
    receivedAt: instant("received_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.workspace, table.seq] }),
    // No foreign key: rows are written under the workspace's row lock only, and the check would cost once per entry.
    uniqueIndex("entries_identity").on(table.workspace, table.device, table.counter),
  ],
);

/** Documents that an owner ordered to be deleted for good (rule 27). */
export const purgedDocuments = pgTable(
  "purged_documents",
  {
    workspace: bytea("workspace").notNull(),
    document: bytea("document").notNull(),
    seq: int8("seq").notNull(),
    purgedAt: instant("purged_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.workspace, table.document] })],
);

/** The lasting right of a device, from which sessions are made (rule 23). */
export const grants = pgTable(
  "grants",
  {
    workspace: bytea("workspace").notNull(),
    grant: bytea("grant").notNull(),
    device: bytea("device").notNull(),
    role: smallint("role").notNull(),
    label: text("label").notNull(),
    revoked: boolean("revoked").notNull().default(false),
    createdAt: instant("created_at").notNull(),
    /** Null: until revoked. */
    expiresAt: instant("expires_at"),
    lastSeenAt: instant("last_seen_at"),
    /** The link that it was opened with, if any. */
    link: bytea("link"),
  },
  (table) => [
    primaryKey({ columns: [table.workspace, table.grant] }),
    uniqueIndex("grants_active_device")
      .on(table.workspace, table.device)
      .where(sql`not ${table.revoked}`),
    foreignKey({ columns: [table.workspace, table.device], foreignColumns: [devices.workspace, devices.device] }),
  ],
);

/** Access links: the public halves, and how the server honours them. */
export const links = pgTable(
  "links",
  {
    workspace: bytea("workspace").notNull(),
    link: bytea("link").notNull(),
    signingKey: bytea("signing_key").notNull(),
    role: smallint("role").notNull(),
    /** How many devices may join; 0 for any number. */
    maxUses: int8("max_uses").notNull(),
    /** Whether an owner asked this server to let devices in by it; a link may also be known from the chain alone. */
    honoured: boolean("honoured").notNull(),
    /** Whether the membership chain has it. */
    chained: boolean("chained").notNull().default(false),
    /** Admissions by it, in the chain's order (rule 22). */
    chainUses: int8("chain_uses")
      .notNull()
      .default(sql`0`),
    revoked: boolean("revoked").notNull().default(false),
    createdAt: instant("created_at").notNull(),
    expiresAt: instant("expires_at"),
    /** The workspace's name, sealed for those who hold the link's secret. */
    sealedName: bytea("sealed_name"),
  },
  (table) => [
    primaryKey({ columns: [table.workspace, table.link] }),
    foreignKey({ columns: [table.workspace], foreignColumns: [workspaces.workspace] }),
  ],
);

/** Which devices came in by which link: opening twice is one use. */
export const linkUses = pgTable(
  "link_uses",
  {
    workspace: bytea("workspace").notNull(),
    link: bytea("link").notNull(),
    device: bytea("device").notNull(),
    usedAt: instant("used_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.workspace, table.link, table.device] }),
    foreignKey({ columns: [table.workspace, table.link], foreignColumns: [links.workspace, links.link] }),
  ],
);

/** Sealed attachment chunks. A lease keeps one that no entry refers to yet (rule 25). */
export const chunks = pgTable(
  "chunks",
  {
    workspace: bytea("workspace").notNull(),
    hash: bytea("hash").notNull(),
    size: integer("size").notNull(),
    bytes: bytea("bytes").notNull(),
    leasedUntil: instant("leased_until").notNull(),
    createdAt: instant("created_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.workspace, table.hash] }),
    foreignKey({ columns: [table.workspace], foreignColumns: [workspaces.workspace] }),
  ],
);

/** Which entries refer to which chunks. */
export const entryRefs = pgTable(
  "entry_refs",
  {
    workspace: bytea("workspace").notNull(),
    hash: bytea("hash").notNull(),
    seq: int8("seq").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.workspace, table.hash, table.seq] }),
    index("entry_refs_seq").on(table.workspace, table.seq),
    foreignKey({ columns: [table.workspace, table.seq], foreignColumns: [entries.workspace, entries.seq] }),
    foreignKey({ columns: [table.workspace, table.hash], foreignColumns: [chunks.workspace, chunks.hash] }),
  ],
);
