import { backoffMillis, compareVersions, documentsToFreeze, takeBatch } from "@cairn/sync";
import { deviceIdFromBytes, documentIdFromBytes } from "@cairn/protocol";

const id = (value: number) => new Uint8Array(16).fill(value);
const [walls, bread] = [documentIdFromBytes(id(1)), documentIdFromBytes(id(2))];
const [laptop, phone] = [deviceIdFromBytes(id(3)), deviceIdFromBytes(id(4))];

// Edits of both documents wait, and an entry of `walls` is under way: only `bread` may make one now.
const waiting = [walls, bread].map((document) => ({ document, oldest: 0 }));
export const next = documentsToFreeze(waiting, new Set([walls]), 10);

// The longest run of frozen entries that fits a batch.
const frozen = [400, 500, 300].map((size) => ({ entry: new Uint8Array(size) }));
export const batch = takeBatch(frozen, { entries: 256, bytes: 1_000 });

// The server came back from an older backup: it lacks two entries of the laptop's, and has one of the phone's.
const here = new Map([[laptop, 7]]);
export const { supply, lack } = compareVersions(here, [
  { device: laptop, last: 5 },
  { device: phone, last: 1 },
]);

// The third attempt, with the middle of all random numbers.
export const wait = backoffMillis(3, 0.5);
