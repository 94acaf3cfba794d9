/** The session's document on one device, as the engine keeps it: waiting for what others wrote, and looking at it. */
import type { DocumentHandle, Workspace } from "@cairn/client";
import type { LoroDoc } from "loro-crdt";
import { type schema, type SESSION_TYPE, TEXT } from "./session-schema.ts";
import { describeVersion, includes, type Version, versionOf } from "./versions.ts";

/** How often a device that waits looks at the document without being told of a change. */
const LOOK_MILLIS = 5;
/** Nothing that a device waits for may take longer. */
const WAIT_MILLIS = 600_000;

export interface Replica {
  /** What this device holds equals what was recorded. */
  readonly equal: boolean;
  readonly operations: number;
}

type Schema = typeof schema;
type Session = typeof SESSION_TYPE;

export class OpenSession {
  readonly workspace: Workspace<Schema>;
  readonly #handle: DocumentHandle<Schema, Session>;
  /** The document's version, read anew after each change. */
  #received: Version | undefined;
  readonly #waiting = new Set<() => void>();

  constructor(workspace: Workspace<Schema>, handle: DocumentHandle<Schema, Session>) {
    this.workspace = workspace;
    this.#handle = handle;
    handle.onChange(() => {
      this.#received = undefined;
      for (const look of this.#waiting) look();
    });
  }

  get id(): DocumentHandle<Schema, Session>["id"] {
    return this.#handle.id;
  }

  get loro(): LoroDoc {
    return this.#handle.loro;
  }

  received(): Version {
    this.#received ??= versionOf(this.#handle.loro);
    return this.#received;
  }

  text(): string {
    return this.#handle.read()[TEXT];
  }

  /** What the store holds, beside the open document. */
  async storedText(): Promise<unknown> {
    const { content } = await this.workspace.contentOf(this.id);
    return typeof content === "object" && content !== null && TEXT in content ? content[TEXT] : undefined;
  }

  /** Waits until the document holds a version. */
  async until(version: Version): Promise<void> {
    const started = performance.now();
    while (!includes(this.received(), version)) {
      if (performance.now() - started > WAIT_MILLIS) {
        const { status, problem } = this.workspace.sync();
        const wanted = describeVersion(version);
        const has = describeVersion(this.received());
        throw new Error(`waited too long for ${wanted}, has ${has}; ${status} ${problem?.message ?? ""}`);
      }
      await this.#change();
    }
  }

  /**
   * The next change of the document, or a moment: operations that change nothing, such as the deletion of what somebody
   * else has deleted, come without one.
   */
  #change(): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        this.#received = undefined;
        resolve();
      };
      const timer = setTimeout(look, LOOK_MILLIS);
      this.#waiting.add(look);
    });
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
