/**
 * What the engines of one profile tell each other, taken in: what another tab stored, what the leader says, and who this
 * device is. Pages hear what concerns them.
 */
import { Effect, type Scope } from "effect";
import type { NotifierShape } from "../platform/Notifier.ts";
import type { EngineServices } from "./Engine.ts";
import type { EngineEvent } from "./EngineApi.ts";
import type { Workspaces } from "./Workspaces.ts";

export interface ProfileEvents {
  /** How often other engines told of stored documents. */
  readonly heard: () => number;
}

/** Listens until the scope ends. */
export const hearProfileEvents = Effect.fnUntraced(function* (
  notifier: NotifierShape,
  workspaces: Workspaces,
  publish: (event: EngineEvent) => void,
): Effect.fn.Return<ProfileEvents, never, EngineServices | Scope.Scope> {
  const services = yield* Effect.context<EngineServices | Scope.Scope>();
  const { opened } = workspaces;
  let heard = 0;
  yield* notifier.listen((event) => {
    switch (event.type) {
      case "documents":
        heard += 1;
        opened(event.workspace)?.changedElsewhere(event.documents, event.types);
        break;
      case "outbox":
        opened(event.workspace)?.outboxChanged(event.rowless);
        break;
      case "sync-now":
        opened(event.workspace)?.driver.retryNow();
        break;
      case "identity":
        Effect.runForkWith(services)(
          Effect.andThen(
            Effect.ignore(opened(event.workspace)?.identityChanged(event.documents) ?? Effect.void),
            Effect.sync(() => publish(event)),
          ),
        );
        break;
      case "workspaces":
        Effect.runForkWith(services)(
          Effect.andThen(
            Effect.ignore(workspaces.changedElsewhere),
            Effect.sync(() => publish(event)),
          ),
        );
        break;
      case "sync":
      case "outbox-state":
      case "connections":
        if (opened(event.workspace)?.adopt(event) !== false) publish(event);
        break;
      case "rebuilt": {
        const runtime = opened(event.workspace);
        const taken = Effect.all([
          runtime?.rebuilt(event.document, event.peers) ?? Effect.void,
          Effect.ignore(workspaces.changedElsewhere),
        ]);
        Effect.runForkWith(services)(
          Effect.andThen(
            taken,
            Effect.sync(() => publish(event)),
          ),
        );
        break;
      }
      case "sync-paused": {
        const runtime = opened(event.workspace);
        if (runtime !== undefined) Effect.runForkWith(services)(runtime.driver.pause(event.paused));
        break;
      }
      case "offline-simulated": {
        const runtime = opened(event.workspace);
        if (runtime !== undefined) Effect.runForkWith(services)(runtime.driver.simulateOffline(event.on));
        break;
      }
      case "sync-asked": {
        const runtime = opened(event.workspace);
        if (runtime?.fence() !== undefined) runtime.status.republish();
        break;
      }
      case "outbox-event":
      case "dead-letters":
      case "attachments":
        publish(event);
        break;
      case "leader-asked":
      case "leader-answered":
      case "leader-called":
      case "leader-returned":
      // Of each tab alone.
      case "transfer":
      case "storage":
      case "update":
        break;
    }
  });
  return { heard: () => heard };
});
