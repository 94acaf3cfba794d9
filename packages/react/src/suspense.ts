import type { CairnError, DocumentHandle, ListQuery, Row, TypeName, Workspace } from "@cairn/client";
import type { DocumentSchema } from "@cairn/schema";
import { use, useEffect, useSyncExternalStore } from "react";
import type { CairnReady } from "./provider.ts";
import { type Opened, type Resource, Resources } from "./resource.ts";

/**
 * The hooks that wait by suspending, and throw what goes wrong: for apps that show waiting with `Suspense` and failures with
 * error boundaries. Both stand inside of `CairnProvider`.
 */
export interface SuspenseHooks<S extends DocumentSchema> {
  /**
   * A live list over projections. Suspends until the first answer, also to a changed query: `useDeferredValue` or a
   * transition keeps the rows of the one before on screen. Throws `query-invalid`.
   */
  readonly useSuspenseQuery: <T extends TypeName<S>>(type: T, query?: ListQuery<S, T>) => ReadonlyArray<Row<S, T>>;
  /**
   * An open document, shared by all components that show it, and closed some seconds after the last of them is gone.
   * Throws what `open` was rejected with; it is opened anew when the error boundary is reset.
   */
  readonly useSuspenseDocument: <T extends TypeName<S>>(
    type: T,
    id: DocumentHandle<S, T>["id"],
  ) => DocumentHandle<S, T>;
}

/** A live list that has had its first answer. */
interface LiveRows<A> {
  readonly rows: () => ReadonlyArray<A>;
  readonly subscribe: (notify: () => void) => () => void;
}

type DocumentsByType<S extends DocumentSchema> = { [T in TypeName<S>]?: Resources<DocumentHandle<S, T>> };
type ListsByType<S extends DocumentSchema> = { [T in TypeName<S>]?: Resources<LiveRows<Row<S, T>>> };

export const createSuspenseHooks = <S extends DocumentSchema>(
  useSuspenseCairn: () => CairnReady<S>,
): SuspenseHooks<S> => {
  const documents = new WeakMap<Workspace<S>, DocumentsByType<S>>();
  const lists = new WeakMap<Workspace<S>, ListsByType<S>>();

  const useSuspenseDocument = <T extends TypeName<S>>(
    type: T,
    id: DocumentHandle<S, T>["id"],
  ): DocumentHandle<S, T> => {
    const { workspace } = useSuspenseCairn();
    const byType: DocumentsByType<S> = keptFor(documents, workspace);
    const ofType = (byType[type] ??= new Resources<DocumentHandle<S, T>>());
    return useResource(ofType.get(id, () => openDocument(workspace, type, id)));
  };

  const useSuspenseQuery = <T extends TypeName<S>>(type: T, query: ListQuery<S, T> = {}): ReadonlyArray<Row<S, T>> => {
    const { workspace } = useSuspenseCairn();
    const byType: ListsByType<S> = keptFor(lists, workspace);
    const ofType = (byType[type] ??= new Resources<LiveRows<Row<S, T>>>());
    const live = useResource(ofType.get(JSON.stringify(query), () => openList(workspace, type, query)));
    return useSyncExternalStore(live.subscribe, live.rows, live.rows);
  };

  return { useSuspenseQuery, useSuspenseDocument };
};

const keptFor = <S extends DocumentSchema, K extends object>(
  kept: WeakMap<Workspace<S>, Partial<K>>,
  workspace: Workspace<S>,
): Partial<K> => {
  const known = kept.get(workspace);
  if (known !== undefined) return known;
  const made: Partial<K> = {};
  kept.set(workspace, made);
  return made;
};

const useResource = <A>(resource: Resource<A>): A => {
  useEffect(() => resource.retain(), [resource]);
  resource.throwFailure();
  return use(resource.value);
};

const openDocument = <S extends DocumentSchema, T extends TypeName<S>>(
  workspace: Workspace<S>,
  type: T,
  id: DocumentHandle<S, T>["id"],
): Opened<DocumentHandle<S, T>> => {
  const value = workspace.open(type, id);
  return { value, close: () => void value.then((handle) => handle.close()).catch(() => undefined) };
};

const openList = <S extends DocumentSchema, T extends TypeName<S>>(
  workspace: Workspace<S>,
  type: T,
  query: ListQuery<S, T>,
): Opened<LiveRows<Row<S, T>>> => {
  const listeners = new Set<() => void>();
  let latest: ReadonlyArray<Row<S, T>> = [];
  const live: LiveRows<Row<S, T>> = {
    rows: () => latest,
    subscribe: (notify) => {
      listeners.add(notify);
      return () => listeners.delete(notify);
    },
  };
  let close = (): void => undefined;
  const value = new Promise<LiveRows<Row<S, T>>>((resolve, reject) => {
    close = workspace.liveQuery(
      type,
      query,
      (rows) => {
        latest = rows;
        resolve(live);
        for (const notify of listeners) notify();
      },
      // A query that does not fit is a mistake of the app; the rest mends itself.
      (failure: CairnError) => failure.code === "query-invalid" && reject(failure),
    );
  });
  return { value, close: () => close() };
};
