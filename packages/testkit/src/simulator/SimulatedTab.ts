/**
 * One tab: the real engine over simulated ports, and a page that edits as a person would. The page keeps Loro documents
 * of its own, brings them up to date before it edits, and hands every edit to the engine.
 */
import type { DeadLetter } from "@cairn/client";
import {
  type EngineApi,
  Importer,
  joinUpdates,
  Leadership,
  LocalStore,
  Locks,
  makeEngine,
  makeInProcessImporter,
  Notifier,
  PeerLeases,
  Transport,
} from "@cairn/client/effect";
import type { DeviceId, DocumentId, WorkspaceId } from "@cairn/protocol";
import { describeDocument, setDeleted } from "@cairn/schema";
import { Cause, Context, Effect, Exit, Layer, Scope } from "effect";
import { LoroDoc } from "loro-crdt";
import type { Defect } from "./Defect.ts";
import { openDisk } from "./DeviceDisk.ts";
import type { Ledger, LedgerEdit } from "./Ledger.ts";
import { NOTE, type NoteVersion, editNote, noteSchemas } from "./note-schema.ts";
import { type OutlineChange, OUTLINE, makeNode, moveNode, removeNode } from "./outline.ts";
import { ORIGIN } from "./ServerCluster.ts";
import type { SimulatedDevice } from "./SimulatedDevice.ts";
import { makeSimulatedTransport } from "./SimulatedTransport.ts";
import { SimulatedProcess } from "./World.ts";

/** What a person does with edits that the server does not take. */
export type Decision = "retry" | "fork" | "discard" | "look";

export type EditKind = "text" | "list" | "map" | "counter" | "title" | "delete" | "restore" | "move" | "remove";

interface OpenNote {
  readonly loro: LoroDoc;
  /** Whose peer it writes under. */
  readonly maker: DeviceId;
  through: number;
  /** How often it had been made anew when it was opened. */
  readonly rebuilds: number;
  /** Edits of one note go to the engine one after the other. */
  queue: Promise<void>;
}

const codeOf = (error: unknown): unknown =>
  typeof error === "object" && error !== null && "code" in error ? error.code : undefined;

const isAt = (told: string, path: string): boolean => told === path || told.startsWith(`${path}.`);

export class SimulatedTab {
  readonly device: SimulatedDevice;
  readonly process: SimulatedProcess;
  /** Of the app. */
  readonly version: NoteVersion;
  /** Undefined until it has started. */
  engine: EngineApi | undefined;
  readonly started: Promise<EngineApi>;
  readonly #ledger: Ledger;
  readonly #scope = Scope.makeUnsafe();
  readonly #notes = new Map<DocumentId, Promise<OpenNote>>();
  readonly #loros = new Set<LoroDoc>();
  #lease: ReturnType<EngineApi["leasePeer"]> | undefined;

  constructor(device: SimulatedDevice, name: string, defect: Defect | undefined) {
    const { world, network, cluster, ledger } = device.system;
    this.device = device;
    this.version = device.version;
    this.#ledger = ledger;
    this.process = new SimulatedProcess(world, name, () => device.skew);
    const { process } = this;
    const schema = noteSchemas[this.version];
    const importer = Effect.runSync(Scope.provide(makeInProcessImporter({ schema, now: () => 0 }), this.#scope));
    process.onDeath(() => {
      // Hazard L9: what it holds of Loro does not come back by itself.
      Effect.runSync(importer.close);
      for (const loro of this.#loros) loro.free();
      this.#loros.clear();
    });
    const disk = openDisk(process, device.storage, device.disk, ledger, defect, device.index);
    const transport = makeSimulatedTransport(world, network, cluster, process, device);
    const services = process.context.pipe(
      Context.add(LocalStore, disk),
      Context.add(Locks, device.locks.of(process)),
      Context.add(Notifier, device.events.of(process)),
      Context.add(Transport, defect?.transport?.(transport, world) ?? transport),
      Context.add(Importer, defect?.importer?.(importer, world) ?? importer),
    );
    const profile = `device-${device.index}`;
    const start = Effect.gen(function* () {
      const profiled = yield* Layer.build(Layer.mergeAll(Leadership.layer(profile), PeerLeases.layer(profile)));
      return yield* Effect.provideContext(
        makeEngine({
          profile,
          schema,
          server: ORIGIN,
          deviceName: profile,
          deviceKeyForm: "file",
          random: (length) => process.random.bytes(length),
        }),
        profiled,
      );
    }).pipe(Scope.provide(this.#scope));
    this.started = new Promise<EngineApi>((resolve, reject) => {
      const fiber = Effect.runForkWith(services)(start);
      fiber.addObserver((exit) => {
        if (Exit.isFailure(exit)) return reject(new Error(String(Cause.squash(exit.cause))));
        this.engine = exit.value;
        exit.value.subscribe((event) => {
          if (event.type === "rebuilt") this.#reopen(event.document);
        });
        resolve(exit.value);
      });
    });
    // Whoever waits for it hears of a failure; a tab that does not start is closed by the device.
    this.started.catch(() => undefined);
  }

  get alive(): boolean {
    return this.process.alive;
  }

  /** Closes the tab as its browser does: nothing more runs. */
  close(): void {
    this.process.kill();
  }

  /** Edits a note. Resolves when the engine has said that it is saved, or that it is not; never, where the tab dies before. */
  async edit(workspace: WorkspaceId, document: DocumentId, kind: EditKind, id: string): Promise<boolean> {
    const { world } = this.process;
    const engine = this.engine ?? (await this.started);
    const opened = this.#notes.get(document) ?? this.#open(engine, workspace, document);
    this.#notes.set(document, opened);
    let note: OpenNote;
    try {
      note = await opened;
    } catch {
      this.#notes.delete(document);
      return false;
    }
    let tell: (saved: boolean) => void = () => undefined;
    const result = new Promise<boolean>((resolve) => {
      tell = resolve;
    });
    note.queue = note.queue.then(async () => {
      // An edit that was not saved took the note with it.
      if (!this.alive || this.#notes.get(document) !== opened) return tell(false);
      try {
        const newer = await engine.updatesAfter(workspace, document, note.through);
        if (!this.alive) return;
        if (this.#notes.get(document) !== opened) return tell(false);
        for (const update of joinUpdates(newer.updates)) note.loro.import(update);
        note.through = Math.max(note.through, newer.through);
        const { update, edit } = this.#change(note.loro, document, kind, id);
        this.#ledger.ask(edit, update);
        if (this.#ledger.isLate(edit)) world.count("late edit of an older app");
        if (this.#isParked(workspace, document)) world.count("edit behind a dead letter");
        const time = world.now + this.device.skew;
        await engine.append(workspace, [
          {
            document,
            type: NOTE,
            update,
            time: Math.max(0, Math.floor(time)),
            refs: [],
            row: undefined,
            device: note.maker,
            rebuilds: note.rebuilds,
          },
        ]);
        edit.saved = true;
        tell(true);
      } catch (error) {
        // What the page has and the device has not would be a gap in every later edit: the note is opened anew.
        if (this.#notes.get(document) === opened) this.#notes.delete(document);
        if (codeOf(error) === "document-rebuilt") {
          world.count("edit of what was given up refused");
          this.#reopen(document);
        }
        tell(false);
      }
    });
    return result;
  }

  #isParked(workspace: WorkspaceId, document: DocumentId): boolean {
    return this.device.storage.workspaces.get(workspace)?.streams.get(document)?.state === "DEAD_LETTER";
  }

  /** A document was made anew without edits that were given up: it is opened again, under another peer. */
  #reopen(document: DocumentId): void {
    this.#notes.delete(document);
    this.#lease = undefined;
  }

  /** The dead letters, as a person sees them; none where nothing answers. */
  async deadLetters(workspace: WorkspaceId): Promise<ReadonlyArray<DeadLetter>> {
    try {
      return await (this.engine ?? (await this.started)).deadLetters(workspace);
    } catch {
      return [];
    }
  }

  /** Does with a dead letter what a person can do. Somebody else may have been faster, and the device may be in trouble. */
  async decide(workspace: WorkspaceId, { document, laterEdits }: DeadLetter, decision: Decision): Promise<void> {
    const { world } = this.process;
    try {
      const engine = this.engine ?? (await this.started);
      switch (decision) {
        case "retry":
          return await engine.retryDeadLetter(workspace, document);
        case "fork":
          return void (await engine.forkDeadLetter(workspace, document));
        case "discard": {
          const unplaced = `${this.device.index}/${document}`;
          this.#ledger.unplaced.delete(unplaced);
          this.#ledger.movedBehind.delete(unplaced);
          const { notReapplied } = await engine.discardDeadLetter(workspace, document);
          if (laterEdits > 0) world.count("dead letter with later edits discarded");
          // All containers of a note but the newer forms of others are there from the beginning.
          const hasMoved = this.#ledger.movedBehind.has(unplaced);
          const lost = notReapplied.filter((path) => !(hasMoved && isAt(path, OUTLINE)));
          if (lost.length > 0 && this.device.system.versions === undefined) {
            this.#ledger.violations.push(`promise 4: edits behind refused ones were lost: ${lost.join(", ")}`);
          }
          for (const path of this.#ledger.unplaced.get(unplaced) ?? []) {
            if (notReapplied.some((told) => isAt(told, path))) world.count("loss by what was given up named");
            else this.#ledger.violations.push(`promise 4: nobody was told that ${path} of ${document} is lost`);
          }
          return;
        }
        case "look": {
          await engine.previewDiscard(workspace, document);
          await engine.exportDeadLetter(workspace, document);
          return;
        }
      }
    } catch (error) {
      if (!this.alive || codeOf(error) !== "internal") return;
      this.#ledger.violations.push(`promise 4: nobody can ${decision} the dead letter ${document}: ${String(error)}`);
    }
  }

  async #open(engine: EngineApi, workspace: WorkspaceId, document: DocumentId): Promise<OpenNote> {
    this.#lease ??= engine.leasePeer(workspace);
    const { peer, device: maker } = await this.#lease;
    const { defect } = this.device.system;
    const opened = await engine.openDocument(workspace, document);
    const loro = new LoroDoc();
    this.#loros.add(loro);
    loro.setPeerId(defect?.sharedPeer === true ? (BigInt(peer) >> 16n) << 16n : peer);
    if (opened.snapshot !== undefined) loro.import(opened.snapshot);
    for (const update of joinUpdates(opened.updates)) loro.import(update);
    const { through, rebuilds } = opened;
    return { loro, maker, through, rebuilds, queue: Promise.resolve() };
  }

  #change(
    loro: LoroDoc,
    document: DocumentId,
    kind: EditKind,
    id: string,
  ): { readonly update: Uint8Array; readonly edit: LedgerEdit } {
    const { random } = this.process;
    const before = loro.oplogVersion();
    const note = editNote(this.version, loro);
    if (loro.opCount() === 0) describeDocument(loro, { type: NOTE, createdAt: 0 });
    const isMixed = this.device.system.versions !== undefined;
    let amount = 0;
    let characters = 0;
    let line = false;
    let outline: OutlineChange | undefined;
    let mark: string | undefined;
    switch (kind) {
      case "text": {
        characters = 1 + random.below(6);
        note.body.insert(random.below(note.body.length + 1), "abcdef".slice(0, characters));
        break;
      }
      case "list":
        outline = makeNode(note.outline, id);
        if (isMixed) {
          line = true;
          note.addLine(id);
        }
        break;
      case "map":
        mark = `k${random.below(4)}`;
        note.setMark(mark, id);
        break;
      case "counter":
        amount = random.below(9) + 1;
        note.tally.add(amount);
        break;
      case "title":
        note.setTitle(id);
        break;
      case "delete":
        setDeleted(loro, true);
        break;
      case "restore":
        setDeleted(loro, false);
        break;
      case "move":
        outline = moveNode(note.outline, random) ?? makeNode(note.outline, id);
        break;
      case "remove":
        outline = removeNode(note.outline, random) ?? makeNode(note.outline, id);
        break;
    }
    note.leave(id);
    if (isMixed) this.device.system.defect?.page?.(loro, this.version);
    loro.commit();
    const update = loro.export({ mode: "update", from: before });
    before.free();
    const edit: LedgerEdit = {
      id,
      device: this.device.index,
      document,
      amount,
      characters,
      version: this.version,
      line,
      outline,
      mark,
      state: "asked",
      saved: false,
      unplaced: false,
    };
    return { update, edit };
  }
}
