/**
 * Writing what documents say about others, where fields left them for documents of other types (`step.extract` of a schema).
 *
 * It is done before a row says that this version of the app has seen the document: an engine that dies in between does it
 * again, and writing the same again writes nothing. Every device that may write does it, because none knows whether another
 * one ever will; what they write is the same.
 */
import { type DeviceId, DocumentId } from "@cairn/protocol";
import type { DocumentSchema, ExtractedDocument } from "@cairn/schema";
import { Clock, Effect, Schema } from "effect";
import type { ExtractionRequest } from "../documents/extract-documents.ts";
import type { ImporterError, ImporterShape } from "../documents/Importer.ts";
import { peerIdOf } from "../documents/peer-ids.ts";
import { appOutdatedBy } from "../app-version.ts";
import type { PeerLeasesShape } from "../platform/PeerLeases.ts";
import type { LocalStoreShape, StoreFailure } from "../store/LocalStore.ts";
import { rebuildsOf } from "../store/rebuilds.ts";
import type { Extracting } from "./DocumentImports.ts";
import type { NewEdit } from "./EngineApi.ts";
import { leaseFresh } from "./fresh-lease.ts";
import { recordOf, roleOf, type WorkspaceContext } from "./WorkspaceContext.ts";

export interface ExtractingWork {
  readonly store: LocalStoreShape;
  readonly importer: ImporterShape;
  readonly leases: PeerLeasesShape;
  readonly context: WorkspaceContext;
  readonly schema: DocumentSchema;
  /** Edits were stored. */
  readonly edited: (edits: ReadonlyArray<NewEdit>) => void;
}

const isDocumentId = Schema.is(DocumentId);

/** Of so many sources it is remembered what they said last, so that an edit of something else costs nothing. */
const REMEMBERED = 1_000;

export const makeExtracting = (work: ExtractingWork): Extracting => {
  const { context, schema } = work;
  const lastSaid = new Map<DocumentId, string>();
  return Effect.fnUntraced(function* (source, extracted) {
    // Promise 9 and 10: it would be taken by nobody. Who may write does it instead.
    if (roleOf(context) === "reader" || appOutdatedBy(schema.version, context.membership.minimumVersion)) return;
    const said = JSON.stringify(extracted.documents.map(({ target, contribution }) => [target, contribution.values]));
    if (extracted.isMarked && lastSaid.get(source) === said) return;
    // Rule 12: the peer and the edits are of one identity, also where this device takes another one meanwhile.
    const { device } = context;
    const lease = yield* leaseFresh(work.leases, context);
    const peer = peerIdOf(device, lease.lease);
    const isStored = yield* Effect.ensuring(
      Effect.gen(function* () {
        let areStored = true;
        for (const document of extracted.documents) {
          const target = yield* Effect.promise(() => targetOf(context, source, document));
          if (target === undefined || target === source) continue;
          const contributions = [{ source, said: document }];
          const stored = yield* write(work, device, target, document.into, { peer, contributions, marks: [] });
          areStored &&= stored;
        }
        // Last: what is marked was written.
        if (extracted.isMarked || !areStored) return areStored;
        const marks: Array<ExtractedDocument> = [];
        for (const said of extracted.documents) {
          const document = yield* Effect.promise(() => targetOf(context, source, said));
          marks.push(document === undefined ? said : { ...said, place: { source, document } });
        }
        // It may have been given up meanwhile.
        const record = yield* work.store.document(context.workspace, source);
        return (
          record === undefined || (yield* write(work, device, source, record.type, { peer, contributions: [], marks }))
        );
      }),
      lease.release,
    );
    lastSaid.delete(source);
    if (!isStored) return;
    for (const oldest of lastSaid.keys()) if (lastSaid.size >= REMEMBERED) lastSaid.delete(oldest);
    lastSaid.set(source, said);
  });
};

/**
 * A new document's id follows from what it comes from, the same on every device (rule 14). A source that came out of a backup
 * of another workspace remembers the ids that followed there.
 */
const targetOf = async (
  { keyring }: WorkspaceContext,
  source: DocumentId,
  { extraction, target, place }: ExtractedDocument,
): Promise<DocumentId | undefined> => {
  if (isDocumentId(place?.document)) return place.document;
  if ("document" in target) return isDocumentId(target.document) ? target.document : undefined;
  return keyring.singletonDocument(`cairn/extract/${extraction}/${source}/${target.key}`);
};

/** False where it has to be written again later. */
const write = Effect.fnUntraced(function* (
  { store, importer, context, edited }: ExtractingWork,
  device: DeviceId,
  document: DocumentId,
  type: string,
  extraction: ExtractionRequest,
): Effect.fn.Return<boolean, StoreFailure | ImporterError> {
  const { workspace } = context;
  const opened = yield* store.openDocument(workspace, document);
  // A reference may point to something else than was meant.
  if (opened !== undefined && opened.record.type !== "" && opened.record.type !== type) return true;
  const answer = yield* importer.apply({
    workspace,
    document,
    type,
    known: opened?.through ?? 0,
    base: { snapshot: opened?.snapshot },
    updates: opened?.updates ?? [],
    want: { extraction },
  });
  if (answer.type === "missing-base" || answer.extraction === undefined) return true;
  const edit: NewEdit = {
    document,
    type,
    update: answer.extraction,
    time: yield* Clock.currentTimeMillis,
    refs: [],
    row: undefined,
    device,
    rebuilds: opened?.rebuilds ?? rebuildsOf(yield* recordOf(store, workspace), document),
  };
  const stored = yield* store.appendUpdates([{ workspace, ...edit, device }]).pipe(
    Effect.as(true),
    // It was made of what is no more. Whoever has made the document anew shows it anew, and it is written then.
    Effect.catchIf(
      ({ reason }) => reason === "retired" || reason === "rebuilt",
      () => Effect.succeed(false),
    ),
  );
  if (stored) edited([edit]);
  return stored;
});
