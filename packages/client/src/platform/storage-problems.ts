/** What storage problems are called, how they rank, and what helps. Pure. */
import type { StorageProblem, StorageRemedy, StorageState } from "../api.ts";
import { CairnError, type CairnErrorCode } from "../errors.ts";
import type { StoreTrouble } from "./StoreWatch.ts";

type StorageCode = StorageProblem["code"];

const REMEDIES: Readonly<Record<StorageCode, StorageRemedy>> = {
  "storage-full": "free-space",
  "storage-low": "free-space",
  "storage-interrupted": "wait",
  "storage-unresponsive": "restart",
  "storage-blocked": "close-tabs",
  "storage-newer": "reload",
  "storage-lost": "start-anew",
  "storage-unavailable": "reload",
  "storage-not-kept": "keep",
};

/** What helps against an error with this code; undefined where storage is not the matter. Also for what `openCairn` rejects with. */
export const storageRemedyOf = (code: CairnErrorCode): StorageRemedy | undefined =>
  Object.entries(REMEDIES).find(([known]) => known === code)?.[1];

/** The problem of a code, in words. */
export const storageProblem = (code: StorageCode, since: number): StorageProblem => {
  const { message, action } = new CairnError(code);
  return { code, message, action, remedy: REMEDIES[code], since };
};

/** Less than this is little: room for one more large attachment and the index that goes with it. */
const LOW_BYTES = 64 * 1024 * 1024;
/** Nearly used up: more than this part of a quota. */
const LOW_PART = 0.95;

/** Whether so little room is left that a person should know. */
export const isLow = (usage: number | undefined, quota: number | undefined): boolean =>
  usage !== undefined && quota !== undefined && quota > 0 && (quota - usage < LOW_BYTES || usage > quota * LOW_PART);

/** What the platform says of its storage. */
export interface PlatformStorage extends Pick<StorageState, "keeping" | "usage" | "quota"> {}

/** The worst problem there is: of the store, then of room, then of keeping. */
export const storageStateOf = (
  platform: PlatformStorage,
  trouble: StoreTrouble | undefined,
  now: number,
): StorageState => {
  const { keeping, usage, quota } = platform;
  const problem =
    trouble !== undefined
      ? storageProblem(trouble.code, trouble.since)
      : isLow(usage, quota)
        ? storageProblem("storage-low", now)
        : keeping === "refused"
          ? storageProblem("storage-not-kept", now)
          : undefined;
  return { persisted: keeping === "kept", keeping, usage, quota, problem };
};

/** Whether two states show the same, but for when. */
export const isSameStorage = (left: StorageState, right: StorageState): boolean =>
  left.keeping === right.keeping &&
  left.usage === right.usage &&
  left.quota === right.quota &&
  left.problem?.code === right.problem?.code;
