/** Opening an entry with content: whether it counts, what it says, and which updates it brings. */
import { authorityOf, EpochKeyMissing, openEntry } from "@cairn/crypto";
import { type Entry, hasCriticalExtension, MalformedBytes } from "@cairn/protocol";
import { Result } from "effect";
import { updateRanges } from "../documents/update-ranges-later.ts";
import type { NewReceivedUpdate } from "../store/store-changes.ts";
import { decodeContent, type EntryContent } from "./entry-content.ts";
import type { WorkspaceContext } from "./WorkspaceContext.ts";

export type Opened =
  | { readonly type: "content"; readonly content: EntryContent }
  | {
      readonly type: "unapplied";
      /** For the log, never with content. */
      readonly reason: string;
      /** A key that comes later, or a newer version of the app, may open it. */
      readonly mayChange: boolean;
    };

const never = (reason: string): Opened => ({ type: "unapplied", reason, mayChange: false });
const notYet = (reason: string): Opened => ({ type: "unapplied", reason, mayChange: true });

/** Opens an entry with content, and says whether it may be applied. */
export const openContent = async (context: WorkspaceContext, entry: Entry): Promise<Opened> => {
  const { header } = entry;
  if (hasCriticalExtension(header)) return notYet("critical extension of a newer version");
  const authority = authorityOf(context.membership, header);
  if (!authority.counts) return never(authority.reason);
  const author = context.membership.devices.get(header.device);
  if (author === undefined) return never("not-a-member");
  try {
    const content = decodeContent(await openEntry(entry, context.sealing, author.signingKey));
    // Rule 13: a forged peer id would make replicas differ with equal version vectors.
    const { operationsOf } = await updateRanges();
    const refused = content.updates.map((update) => operationsOf(header.device, update)).find(Result.isFailure);
    return refused === undefined ? { type: "content", content } : never(refused.failure.reason);
  } catch (error) {
    if (error instanceof MalformedBytes) return notYet("content of an unknown form");
    const reason = error instanceof Error ? error.name : "unknown";
    return error instanceof EpochKeyMissing ? notYet(reason) : never(reason);
  }
};

/** What a store takes of an entry's content. */
export const updatesOf = ({ header }: Entry, content: EntryContent): ReadonlyArray<NewReceivedUpdate> =>
  content.updates.map((update) => ({
    document: header.document,
    type: content.type,
    update,
    device: header.device,
    counter: header.counter,
    time: content.time,
  }));
