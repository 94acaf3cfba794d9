/** A whole device in Node whose sealing and transport a test may look into or replace; otherwise what `openCairn` opens. */
import type { Session } from "@cairn/protocol";
import type { DocumentSchema } from "@cairn/schema";
import { Effect, Exit, Layer, Scope } from "effect";
import type { Cairn } from "../../src/api.ts";
import { Importer, type ImporterShape } from "../../src/documents/Importer.ts";
import { inProcessImporterLayer } from "../../src/documents/InProcessImporter.ts";
import { makeEngine } from "../../src/engine/Engine.ts";
import type { MakeSealing } from "../../src/engine/WorkspaceContext.ts";
import { openOver } from "../../src/platform/EngineConnection.ts";
import { Leadership } from "../../src/platform/Leadership.ts";
import { Locks } from "../../src/platform/Locks.ts";
import { makeNotifierHub, Notifier } from "../../src/platform/Notifier.ts";
import { PeerLeases } from "../../src/platform/PeerLeases.ts";
import { makeStorageConnection } from "../../src/platform/StorageConnection.ts";
import { LocalStore, type LocalStoreShape } from "../../src/store/LocalStore.ts";
import { layer as sqliteStore } from "../../src/store/SqliteStore.ts";
import { layerFetch } from "../../src/transport/FetchTransport.ts";
import { type ServerCalls, Transport, type TransportShape } from "../../src/transport/Transport.ts";

export interface OpenDevice<S extends DocumentSchema> {
  readonly cairn: Cairn<S>;
  readonly store: LocalStoreShape;
}

/** Opens a device. `sealing` takes the place of the real one; `onToken` hears every token that the server issues. */
export const openDevice = async <S extends DocumentSchema>(options: {
  readonly schema: S;
  readonly directory: string;
  readonly server: string;
  readonly deviceName: string;
  readonly sealing?: MakeSealing | undefined;
  readonly stateMarkMillis?: number | undefined;
  readonly onToken?: ((token: string) => void) | undefined;
  /** Stands before the real importer. */
  readonly importer?: ((real: ImporterShape) => ImporterShape) | undefined;
}): Promise<OpenDevice<S>> => {
  const transport = Layer.effect(
    Transport,
    Effect.map(Transport, (real) => listening(real, options.onToken ?? (() => undefined))),
  ).pipe(Layer.provide(layerFetch));
  const importer = Layer.effect(
    Importer,
    Effect.map(Importer, (real) => options.importer?.(real) ?? real),
  ).pipe(Layer.provide(inProcessImporterLayer({ schema: options.schema, now: () => performance.now() })));
  const services = Layer.mergeAll(
    Leadership.layer(options.directory),
    PeerLeases.layer(options.directory),
    importer,
    transport,
  ).pipe(
    Layer.provideMerge(
      Layer.mergeAll(
        sqliteStore({ directory: options.directory }),
        Locks.inProcess,
        Notifier.inProcess(makeNotifierHub()),
      ),
    ),
  );
  const lifetime = Scope.makeUnsafe();
  const start = Effect.flatMap(Layer.build(services), (context) =>
    Effect.gen(function* () {
      const engine = yield* makeEngine({
        schema: options.schema,
        profile: options.directory,
        server: options.server,
        deviceName: options.deviceName,
        deviceKeyForm: "file",
        sealing: options.sealing,
        stateMarkMillis: options.stateMarkMillis,
      });
      return { engine, store: yield* LocalStore };
    }).pipe(Effect.provideContext(context)),
  );
  const { engine, store } = await Effect.runPromise(Scope.provide(start, lifetime));
  const cairn = await openOver(
    options.schema,
    Promise.resolve({
      engine,
      storage: makeStorageConnection(engine, {
        read: () => Promise.resolve({ keeping: "kept", usage: undefined, quota: undefined }),
        keep: () => Promise.resolve(),
      }),
      close: () => Effect.runPromise(Scope.close(lifetime, Exit.void)),
    }),
  );
  return { cairn, store };
};

const listening = (real: TransportShape, onToken: (token: string) => void): TransportShape => ({
  ...real,
  server: (origin): ServerCalls => {
    const calls = real.server(origin);
    const heard = <E>(call: Effect.Effect<Session, E>): Effect.Effect<Session, E> =>
      Effect.tap(call, ({ token }) => Effect.sync(() => onToken(token)));
    return {
      ...calls,
      register: (...call) => heard(calls.register(...call)),
      renew: (...call) => heard(calls.renew(...call)),
      openLink: (...call) => heard(calls.openLink(...call)),
    };
  },
});
