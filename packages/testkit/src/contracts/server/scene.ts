/** A workspace behind the server's ports, with its people: what the suites of the ports play on. */
import {
  ChallengePurpose,
  encodeCertificate,
  type Entry,
  type Hash,
  hashFromBytes,
  type Page,
  type PushResponse,
  type Session,
  type WireError,
  type WorkspaceId,
} from "@cairn/protocol";
import { BlobStore, Challenges, EntryLog, Links, Tokens } from "@cairn/server";
import { Effect } from "effect";
import { createHash } from "node:crypto";
import {
  admission,
  certificateText,
  certify,
  genesis,
  linkRecord,
  makeLink,
  makeRoot,
  prove,
  TestDevice,
  type TestLink,
  type TestRoot,
} from "../../authors/index.ts";

/** The ports under test. */
export type ServerPorts = EntryLog | Tokens | Links | BlobStore | Challenges;

/** An adapter under test: it runs effects on empty storage of its own. */
export interface PortsSubject {
  readonly run: <A, E>(effect: Effect.Effect<A, E, ServerPorts>) => Promise<A>;
  /** The origin that proofs have to name. */
  readonly origin: string;
  readonly close: () => Promise<void>;
}

/** Somebody with a session. */
export interface Person {
  readonly device: TestDevice;
  readonly session: Session;
}

/** A workspace whose chain has begun. */
export class Scene {
  readonly subject: PortsSubject;
  readonly root: TestRoot;
  readonly owner: Person;

  constructor(subject: PortsSubject, root: TestRoot, owner: Person) {
    this.subject = subject;
    this.root = root;
    this.owner = owner;
  }

  get workspace(): WorkspaceId {
    return this.root.workspace;
  }

  static async found(subject: PortsSubject): Promise<Scene> {
    const root = makeRoot();
    const device = new TestDevice(root.workspace);
    const session = await subject.run(register(subject, root, device));
    const scene = new Scene(subject, root, { device, session });
    await scene.store(scene.owner, [genesis(root, device)]);
    return scene;
  }

  push(person: Person, entries: ReadonlyArray<Entry>): Promise<PushResponse> {
    return this.subject.run(this.pushing(person, entries));
  }

  pushing(person: Person, entries: ReadonlyArray<Entry>): Effect.Effect<PushResponse, WireError, ServerPorts> {
    const { workspace } = this;
    const pusher = { workspace, grant: person.session.grant, device: person.device.device };
    return Effect.flatMap(EntryLog, (log) => log.push(pusher, entries));
  }

  /** Pushes what has to be stored. */
  async store(person: Person, entries: ReadonlyArray<Entry>): Promise<ReadonlyArray<number>> {
    const { results } = await this.push(person, entries);
    return results.map((result) => {
      if (result.status !== "stored") throw new Error(`not stored: ${JSON.stringify(result)}`);
      return result.seq;
    });
  }

  pull(person: Person, after: number, options: Partial<Pull> = {}): Promise<Page> {
    return this.subject.run(
      Effect.flatMap(EntryLog, (log) =>
        log.pull({
          workspace: this.workspace,
          after,
          chain: undefined,
          maxBytes: 1024 * 1024,
          reader: person.device.device,
          own: "full",
          ...options,
        }),
      ),
    );
  }

  state() {
    return this.subject.run(Effect.flatMap(EntryLog, (log) => log.state(this.workspace)));
  }

  async membershipHead(): Promise<Hash> {
    return (await this.state()).membershipHead;
  }

  /** A link that server and chain know. */
  async link(role: "writer" | "reader", maxUses = 0): Promise<TestLink> {
    const link = makeLink(this.workspace);
    const request = { link: link.link, signingKey: link.pair.publicKey, role, maxUses, expiresAt: null };
    await this.subject.run(Effect.flatMap(Links, (links) => links.create(this.workspace, request)));
    await this.store(this.owner, [
      this.owner.device.propose(await this.membershipHead(), [linkRecord(link, role, maxUses)]),
    ]);
    return link;
  }

  /** Opens a link; the chain does not know the device yet. */
  async open(link: TestLink, role: "writer" | "reader", device = new TestDevice(this.workspace)): Promise<Person> {
    const { workspace, subject } = this;
    const certificate = certify(device, role, { type: "link", link: link.link }, link.pair);
    const session = await subject.run(
      Effect.gen(function* () {
        const { server, nonce } = yield* Effect.flatMap(Challenges, ({ make }) => make);
        const proof = prove(link.pair, {
          purpose: ChallengePurpose.openLink,
          server,
          origin: subject.origin,
          workspace,
          subject: device.device,
          statement: encodeCertificate(certificate),
          nonce,
        });
        const links = yield* Links;
        return yield* links.open(workspace, link.link, {
          certificate: certificateText(certificate),
          proof,
          label: "joined",
        });
      }),
    );
    return { device, session };
  }

  /** Somebody who came in by a link and admitted itself. */
  async join(role: "writer" | "reader"): Promise<Person> {
    const link = await this.link(role);
    const person = await this.open(link, role);
    await this.store(person, [admission(person.device, await this.membershipHead(), role, link)]);
    return person;
  }

  async upload(person: Person, bytes: Uint8Array): Promise<Hash> {
    const hash = hashFromBytes(createHash("sha256").update(bytes).digest());
    const uploader = { workspace: this.workspace, grant: person.session.grant };
    await this.subject.run(Effect.flatMap(BlobStore, (blobs) => blobs.put(uploader, hash, bytes)));
    return hash;
  }

  revokeGrant(person: Person): Promise<void> {
    return this.subject.run(Effect.flatMap(Tokens, (tokens) => tokens.revoke(this.workspace, person.session.grant)));
  }
}

type Pull = Parameters<EntryLog["Service"]["pull"]>[0];

/** Registers a workspace with its root key. */
export const register = Effect.fnUntraced(function* (subject: PortsSubject, root: TestRoot, device: TestDevice) {
  const certificate = certify(device, "owner", { type: "root" }, root.pair);
  const { server, nonce } = yield* Effect.flatMap(Challenges, ({ make }) => make);
  const proof = prove(root.pair, {
    purpose: ChallengePurpose.register,
    server,
    origin: subject.origin,
    workspace: root.workspace,
    subject: device.device,
    statement: encodeCertificate(certificate),
    nonce,
  });
  const tokens = yield* Tokens;
  return yield* tokens.register(root.workspace, {
    rootKey: root.pair.publicKey,
    certificate: certificateText(certificate),
    proof,
    label: "first",
  });
});

/** The code of the error that an effect fails with. */
export const codeOf = <A, R>(effect: Effect.Effect<A, WireError, R>): Effect.Effect<string, never, R> =>
  Effect.match(effect, { onSuccess: () => "success", onFailure: ({ code }) => code });
