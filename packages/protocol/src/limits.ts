/**
 * Hard bounds of the protocol. Every length that comes from outside is checked against one of them before anything is
 * allocated for it (Promise 11). A host may announce lower values for those in `ServerLimits` (see `api/shapes.ts`),
 * never higher ones.
 *
 * Sizes are in bytes.
 */
export const LIMITS = {
  /** One encoded entry. Holds a pasted book; far below what a frame or a row can carry. */
  entryBytes: 4 * 1024 * 1024,
  /** The header of one entry: 2,048 refs of 32 bytes and 1,024 covers of at most 26 bytes fit. */
  headerBytes: 112 * 1024,
  /** Devices named by one snapshot's `covers`. */
  covers: 1024,
  /** Attachment chunks named by one entry: 2 GiB of attachments at 1 MiB a chunk. */
  refs: 2048,
  /** Extensions of one entry. */
  extensions: 16,
  /** The body of one extension. */
  extensionBytes: 4096,
  /** Entries in one batch. */
  batchEntries: 500,
  /** One encoded batch; any single entry fits. */
  batchBytes: 8 * 1024 * 1024,
  /** One page of a pull when the reader does not say; a page holds at least one entry, however large. */
  pageBytesDefault: 1024 * 1024,
  /** The most that a reader may ask for in one page. */
  pageBytesMax: 8 * 1024 * 1024,
  /** Items of one page. */
  pageItems: 10_000,
  /** One live frame: a batch or a page and its envelope. */
  frameBytes: 13 * 1024 * 1024,
  /** The JSON body of a control frame, and of a JSON request. */
  controlBytes: 256 * 1024,
  /** One sealed attachment chunk: 1 MiB of content, a nonce and a tag, with room to spare. */
  chunkBytes: 1024 * 1024 + 64,
  /** Records in one membership entry. */
  membershipRecords: 256,
  /** The body of one membership record. */
  membershipRecordBytes: 64 * 1024,
  /** Recipients of one key change. */
  keyRecipients: 512,
  /** A workspace's name as a link carries it; today's form has 157. */
  sealedLinkNameBytes: 256,
} as const;
