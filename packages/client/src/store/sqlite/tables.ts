/**
 * The tables of a profile in SQLite.
 *
 * A document's frequently written numbers (`documents`) stand apart from what its content decides (`views`), so that an
 * edit costs the same however long the text is that searches look through. Updates name their document by a small
 * number. What lists of waiting work need is kept as sums beside the documents and found by partial indexes: no query
 * walks over the log or over other documents.
 */

/** Of the tables below. Kept in `PRAGMA user_version`. */
export const TABLES_VERSION = 7;

/** `updates.state` */
export const UpdateState = { pending: 0, frozen: 1, received: 2 } as const;

const CREATE_STREAMS = `
CREATE TABLE streams (
  workspace TEXT NOT NULL,
  document  TEXT NOT NULL,
  state     TEXT NOT NULL,
  attempts  INTEGER NOT NULL,
  code      TEXT,
  message   TEXT,
  since     REAL NOT NULL,
  through   INTEGER NOT NULL,
  history   TEXT NOT NULL,
  PRIMARY KEY (workspace, document)
) STRICT, WITHOUT ROWID;`;

const CREATE_DOCUMENT_INDEXES = `
CREATE INDEX documents_by_projection ON documents (workspace, type, projection);
CREATE INDEX documents_unprojected ON documents (workspace, type) WHERE unprojected IS NOT NULL;
`;

/**
 * Rows by their indexed values, as bytes in the order of UTF-16 code units, and by their words. As elsewhere, `document` is
 * the id in the one that is sorted by it, and the number in the other.
 */
const CREATE_ROW_INDEXES = `
CREATE TABLE entries (
  entry    BLOB NOT NULL,
  document TEXT NOT NULL,
  key      INTEGER NOT NULL,
  PRIMARY KEY (entry, document)
) STRICT, WITHOUT ROWID;
CREATE INDEX entries_by_document ON entries (key);
CREATE TABLE words (
  document INTEGER NOT NULL,
  word     TEXT NOT NULL,
  PRIMARY KEY (document, word)
) STRICT, WITHOUT ROWID;
CREATE INDEX words_by_word ON words (word);
`;

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
  last_synced_at REAL,
  paused         INTEGER NOT NULL DEFAULT 0,
  retired_leases TEXT, -- null where there are none
  rebuilds       TEXT, -- null where no document was made anew
  ahead          INTEGER -- null where nothing was taken from behind the cursor
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
  deleted         INTEGER NOT NULL DEFAULT 0,
  created_at      REAL NOT NULL DEFAULT 0,
  projection      TEXT NOT NULL DEFAULT '',   -- fingerprint of the declaration that its row was made by
  entries         TEXT NOT NULL DEFAULT '[]', -- its entries in the index
  UNIQUE (workspace, document)
) STRICT;
${CREATE_DOCUMENT_INDEXES}
CREATE INDEX documents_pending ON documents (workspace) WHERE pending_updates > 0;

CREATE TABLE views (
  document    INTEGER PRIMARY KEY,
  fields      TEXT NOT NULL,
  search_text TEXT -- of rows of version 2 and before, until they are made anew
) STRICT;
${CREATE_ROW_INDEXES}

CREATE TABLE updates (
  id       INTEGER PRIMARY KEY,
  document INTEGER NOT NULL,
  type     TEXT NOT NULL,
  bytes    BLOB NOT NULL,
  state    INTEGER NOT NULL,
  device   TEXT,
  counter  INTEGER,
  time     REAL NOT NULL,
  refs     TEXT, -- null where there are none
  first_form TEXT, -- null unless it was made anew
  applied_again TEXT, -- null unless it applies others again
  former_edits BLOB -- those, as they were
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
  state     TEXT NOT NULL DEFAULT 'IN_FLIGHT',
  PRIMARY KEY (workspace, counter)
) STRICT, WITHOUT ROWID;

${CREATE_STREAMS}

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

/** Updates of entries that version 1 had parked: refused, and kept in their frozen form. */
const PARKED_UPDATES = `state = ${UpdateState.frozen} AND EXISTS (
  SELECT 1 FROM parked JOIN documents ON documents.workspace = parked.workspace AND documents.document = parked.document
  JOIN workspaces ON workspaces.workspace = parked.workspace
  WHERE documents.key = updates.document AND workspaces.device = updates.device AND parked.counter = updates.counter)`;

/**
 * What makes the tables of one version those of the next: at its index, from version 1 on. Each runs in one transaction
 * with the new version's number.
 */
export const UPGRADES: ReadonlyArray<string> = [
  // 1 to 2: states are explicit, and what is parked is a document's stream with its waiting edits.
  `
ALTER TABLE workspaces ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;
ALTER TABLE workspaces ADD COLUMN retired_leases TEXT;
ALTER TABLE outgoing ADD COLUMN state TEXT NOT NULL DEFAULT 'IN_FLIGHT';
${CREATE_STREAMS}
INSERT INTO streams (workspace, document, state, attempts, code, message, since, through, history)
SELECT parked.workspace, parked.document, 'DEAD_LETTER', 0, parked.code, parked.message, parked.parked_at,
  max(updates.id), '[]'
FROM parked
JOIN documents ON documents.workspace = parked.workspace AND documents.document = parked.document
JOIN workspaces ON workspaces.workspace = parked.workspace
JOIN updates ON updates.document = documents.key AND updates.state = ${UpdateState.frozen}
  AND updates.device = workspaces.device AND updates.counter = parked.counter
GROUP BY parked.workspace, parked.document;
UPDATE documents SET
  pending_updates = pending_updates + (SELECT count(*) FROM updates WHERE updates.document = key AND ${PARKED_UPDATES}),
  pending_bytes = pending_bytes + (SELECT coalesce(sum(length(bytes)), 0) FROM updates
    WHERE updates.document = key AND ${PARKED_UPDATES})
WHERE EXISTS (SELECT 1 FROM parked WHERE parked.workspace = documents.workspace AND parked.document = documents.document);
UPDATE updates SET state = ${UpdateState.pending}, device = NULL, counter = NULL WHERE ${PARKED_UPDATES};
DROP TABLE parked;
`,
  // 2 to 3: rows say by which declaration they were made (by none that is known), and are made anew by and by.
  `
ALTER TABLE documents ADD COLUMN deleted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE documents ADD COLUMN created_at REAL NOT NULL DEFAULT 0;
ALTER TABLE documents ADD COLUMN projection TEXT NOT NULL DEFAULT '';
ALTER TABLE documents ADD COLUMN entries TEXT NOT NULL DEFAULT '[]';
UPDATE documents SET deleted = views.deleted, created_at = views.created_at
FROM views WHERE views.document = documents.key;
DROP INDEX documents_by_type;
DROP INDEX documents_unprojected;
ALTER TABLE views RENAME TO old_views;
CREATE TABLE views (document INTEGER PRIMARY KEY, fields TEXT NOT NULL, search_text TEXT) STRICT;
INSERT INTO views (document, fields, search_text) SELECT document, fields, search_text FROM old_views;
DROP TABLE old_views;
${CREATE_DOCUMENT_INDEXES}
${CREATE_ROW_INDEXES}
`,
  // 3 to 4: edits that were made anew under another identity say what they were.
  `ALTER TABLE updates ADD COLUMN first_form TEXT;`,
  // 4 to 5: documents say how often they were made anew.
  `ALTER TABLE workspaces ADD COLUMN rebuilds TEXT;`,
  // 5 to 6: edits say which others they apply again, and a position how far a succession looked ahead.
  `
ALTER TABLE updates ADD COLUMN applied_again TEXT;
ALTER TABLE workspaces ADD COLUMN ahead INTEGER;
`,
  // 6 to 7: edits that apply others again keep those as they were.
  `ALTER TABLE updates ADD COLUMN former_edits BLOB;`,
];
