import type { CairnError, DocumentHandle, TypeName, TypeOf } from "@cairn/client";
import type { DocumentSchema, FieldsOf, ViewOf } from "@cairn/schema";
import { useCallback, useRef, useSyncExternalStore } from "react";
import { useLatest } from "./store.ts";

/** A document that a component holds open. `failed` carries what `open` was rejected with. */
export type DocumentState<S extends DocumentSchema, T extends TypeName<S>> =
  | { readonly status: "opening" }
  | { readonly status: "open"; readonly handle: DocumentHandle<S, T> }
  | { readonly status: "failed"; readonly error: unknown; readonly retry: () => void };

/**
 * A part of an open document's plain view, live. Renders again only when what `select` gives is a different value,
 * compared as JSON, so that a title does not render with every key pressed in the body.
 */
export const useDocumentView = <S extends DocumentSchema, T extends TypeName<S>, A>(
  handle: DocumentHandle<S, T>,
  select: (view: ViewOf<FieldsOf<TypeOf<S, T>>>) => A,
): A => {
  const kept = useRef<{ readonly handle: unknown; readonly json: string; readonly value: A } | undefined>(undefined);
  const dirty = useRef(true);
  const subscribe = useCallback(
    (notify: () => void) => {
      dirty.current = true;
      return viewOf(handle).subscribe(() => {
        dirty.current = true;
        notify();
      });
    },
    [handle],
  );
  const read = (): A => {
    const last = kept.current;
    if (last && last.handle === handle && !dirty.current) return last.value;
    dirty.current = false;
    const value = select(viewOf(handle).read());
    const json = JSON.stringify(value);
    if (last && last.handle === handle && last.json === json) return last.value;
    kept.current = { handle, json, value };
    return value;
  };
  return useSyncExternalStore(subscribe, read, read);
};

/** An open document's plain view, for all components that show parts of it. */
interface SharedView<V> {
  /** Reads the document once after each change, as long as somebody listens. */
  readonly read: () => V;
  readonly subscribe: (notify: () => void) => () => void;
}

const sharedViews = new WeakMap<object, SharedView<unknown>>();

const viewOf = <S extends DocumentSchema, T extends TypeName<S>>(
  handle: DocumentHandle<S, T>,
): SharedView<ViewOf<FieldsOf<TypeOf<S, T>>>> => {
  const known = sharedViews.get(handle);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it stands under the handle that it reads
  if (known !== undefined) return known as SharedView<ViewOf<FieldsOf<TypeOf<S, T>>>>;
  const listeners = new Set<() => void>();
  let stop = (): void => undefined;
  let view: { readonly value: ViewOf<FieldsOf<TypeOf<S, T>>> } | undefined;
  const made: SharedView<ViewOf<FieldsOf<TypeOf<S, T>>>> = {
    read: () => {
      if (listeners.size === 0) return handle.read();
      view ??= { value: handle.read() };
      return view.value;
    },
    subscribe: (notify) => {
      // Each subscription is one of its own, even of the same function.
      const listener = (): void => notify();
      if (listeners.size === 0) {
        stop = handle.onChange(() => {
          view = undefined;
          for (const one of listeners) one();
        });
      }
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        stop();
        view = undefined;
      };
    },
  };
  sharedViews.set(handle, made);
  return made;
};

/** Whether the edits of a document are durable on this device, and what stands in the way. */
export interface Saved {
  readonly saved: boolean;
  readonly failure: CairnError | undefined;
}

/** Whether all edits of the document so far are durable on this device. Those that are not are kept and tried again. */
export const useSaved = <S extends DocumentSchema, T extends TypeName<S>>(handle: DocumentHandle<S, T>): Saved =>
  useLatest<Saved>(
    useCallback((deliver) => handle.onSaved((saved, failure) => deliver({ saved, failure })), [handle]),
    allSaved,
  );

const allSaved: Saved = { saved: true, failure: undefined };

/** Why nothing new can be written into the document, such as an app that is too old for its workspace; undefined where it can. */
export const useReadOnly = <S extends DocumentSchema, T extends TypeName<S>>(
  handle: DocumentHandle<S, T>,
): CairnError | undefined =>
  useSyncExternalStore(
    useCallback((notify: () => void) => handle.onReadOnly(notify), [handle]),
    () => handle.readOnly(),
    () => undefined,
  );

/** Whether the document is in the bin. */
export const useDeleted = <S extends DocumentSchema, T extends TypeName<S>>(handle: DocumentHandle<S, T>): boolean =>
  useSyncExternalStore(
    useCallback((notify: () => void) => handle.onChange(notify), [handle]),
    () => handle.deleted(),
    () => false,
  );

/** Whether an import takes long and goes on elsewhere: what is shown is older than what has arrived. */
export const useMerging = <S extends DocumentSchema, T extends TypeName<S>>(handle: DocumentHandle<S, T>): boolean =>
  useSyncExternalStore(
    useCallback((notify: () => void) => handle.onChange(notify), [handle]),
    () => handle.merging(),
    () => false,
  );
