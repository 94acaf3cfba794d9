/**
 * The tables of a profile in SQLite.
 *
 * A document's frequently written numbers (`documents`) stand apart from what its content decides (`views`), so that an
 * edit costs the same however long the text is that searches look through. Updates name their document by a small
 * number. What lists of waiting work need is kept as sums beside the documents and found by partial indexes: no query
 * walks over the log or over other documents.
 */

/** Of the tables below. Kept in `PRAGMA user_version`. */
export const TABLES_VERSION = 1;

/** `updates.state` */
export const UpdateState = { pending: 0, frozen: 1, received: 2 } as const;

export const CREATE_TABLES = `
CREATE TABLE profile (
  one               INTEGER PRIMARY KEY CHECK (one = 1),
  epoch             INTEGER NOT NULL,
  last_update       INTEGER NOT NULL, -- highest id ever given, so that none is given twice
  format            INTEGER,          -- null until the profile was put
  current_workspace TEXT,
  home_workspace    TEXT
) STRICT;
INSERT INTO profile (one, epoch, last_update) VALUES (1, 0, 0);

CREATE TABLE workspaces (
  workspace      TEXT PRIMARY KEY,
  device         TEXT NOT NULL,
  role           TEXT NOT NULL,
  created_here   INTEGER NOT NULL,
  server_origin  TEXT,
  joined_by      TEXT,
  added_at       REAL NOT NULL,
  cursor         INTEGER NOT NULL,
  chain          TEXT NOT NULL,
  server         TEXT,
  server_epoch   INTEGER NOT NULL,
  next_counter   INTEGER NOT NULL,
  last_synced_at REAL
) STRICT, WITHOUT ROWID;

CREATE TABLE documents (
  key             INTEGER PRIMARY KEY,
  workspace       TEXT NOT NULL,
  document        TEXT NOT NULL,
  type            TEXT NOT NULL,
  updated_at      REAL NOT NULL,
  merging         INTEGER NOT NULL DEFAULT 0,
  latest          INTEGER NOT NULL DEFAULT 0, -- id of its newest update, folded ones included
  unprojected     INTEGER,                    -- id of the newest update that its row does not show
  pending_updates INTEGER NOT NULL DEFAULT 0,
  pending_bytes   INTEGER NOT NULL DEFAULT 0,
  UNIQUE (workspace, document)
) STRICT;
CREATE INDEX documents_by_type ON documents (workspace, type);
CREATE INDEX documents_unprojected ON documents (workspace) WHERE unprojected IS NOT NULL;
CREATE INDEX documents_pending ON documents (workspace) WHERE pending_updates > 0;

CREATE TABLE views (
  document    INTEGER PRIMARY KEY,
  fields      TEXT NOT NULL,
  search_text TEXT NOT NULL,
  deleted     INTEGER NOT NULL,
  created_at  REAL NOT NULL
) STRICT;

CREATE TABLE updates (
  id       INTEGER PRIMARY KEY,
  document INTEGER NOT NULL,
  type     TEXT NOT NULL,
  bytes    BLOB NOT NULL,
  state    INTEGER NOT NULL,
  device   TEXT,
  counter  INTEGER,
  time     REAL NOT NULL,
  refs     TEXT -- null where there are none
) STRICT;
CREATE INDEX updates_by_document ON updates (document);
CREATE INDEX updates_pending ON updates (document) WHERE state = ${UpdateState.pending};

CREATE TABLE snapshots (
  document INTEGER PRIMARY KEY,
  through  INTEGER NOT NULL,
  snapshot BLOB NOT NULL
) STRICT;

CREATE TABLE outgoing ( -- the entry's bytes are in the log
  workspace TEXT NOT NULL,
  counter   INTEGER NOT NULL,
  device    TEXT NOT NULL,
  document  TEXT NOT NULL,
  kind      INTEGER NOT NULL,
  bytes     INTEGER NOT NULL,
  hash      TEXT NOT NULL,
  refs      TEXT NOT NULL,
  attempts  INTEGER NOT NULL,
  frozen_at REAL NOT NULL,
  PRIMARY KEY (workspace, counter)
) STRICT, WITHOUT ROWID;

CREATE TABLE parked (
  workspace TEXT NOT NULL,
  counter   INTEGER NOT NULL,
  document  TEXT NOT NULL,
  code      TEXT NOT NULL,
  message   TEXT NOT NULL,
  parked_at REAL NOT NULL,
  PRIMARY KEY (workspace, counter)
) STRICT, WITHOUT ROWID;

CREATE TABLE log (
  workspace TEXT NOT NULL,
  device    TEXT NOT NULL,
  counter   INTEGER NOT NULL,
  seq       INTEGER,
  kind      INTEGER NOT NULL,
  document  TEXT NOT NULL,
  hash      TEXT NOT NULL,
  entry     BLOB NOT NULL,
  UNIQUE (workspace, device, counter)
) STRICT;
CREATE INDEX log_by_kind ON log (workspace, kind, seq, counter, device);

CREATE TABLE heads (
  workspace TEXT NOT NULL,
  device    TEXT NOT NULL,
  counter   INTEGER NOT NULL,
  PRIMARY KEY (workspace, device)
) STRICT, WITHOUT ROWID;

CREATE TABLE chunks (
  workspace TEXT NOT NULL,
  hash      TEXT NOT NULL,
  bytes     BLOB NOT NULL,
  uploaded  INTEGER NOT NULL,
  UNIQUE (workspace, hash)
) STRICT;
`;
