import type {
  AttachmentInfo,
  CairnError,
  DocumentHandle,
  ListQuery,
  Row,
  TypeName,
  Workspace,
  WorkspaceInfo,
} from "@cairn/client";
import type { FirstLook } from "@cairn/client/first-look";
import type { DocumentSchema } from "@cairn/schema";
import { useCallback, useEffect, useState } from "react";
import type { DocumentState } from "./document.ts";
import { type CairnContext, createCairnContext } from "./provider.ts";
import { useLatest } from "./store.ts";
import { createSuspenseHooks, type SuspenseHooks } from "./suspense.ts";

export interface CairnHooks<S extends DocumentSchema> extends Omit<CairnContext<S>, "useFirstLook">, SuspenseHooks<S> {
  /** The workspace on screen; undefined until the client is ready. */
  readonly useWorkspace: () => Workspace<S> | undefined;
  readonly useWorkspaces: () => ReadonlyArray<WorkspaceInfo>;
  /**
   * A live list over projections; undefined until the first answer. While a changed query is under way, the rows of the
   * one before stay, so that a list does not flicker while someone types a search.
   */
  readonly useQuery: <T extends TypeName<S>>(type: T, query?: ListQuery<S, T>) => ReadonlyArray<Row<S, T>> | undefined;
  /** Opens a document while the component is mounted, and closes it afterwards. */
  readonly useDocument: <T extends TypeName<S>>(type: T, id: DocumentHandle<S, T>["id"]) => DocumentState<S, T>;
  readonly useAttachments: (document: Row<S, TypeName<S>>["id"]) => ReadonlyArray<AttachmentInfo>;
}

/** Hooks that know an app's schema. Call it once, at the top level of a module. */
export const createCairnHooks = <S extends DocumentSchema>(): CairnHooks<S> => {
  const { CairnProvider, useCairn, useSuspenseCairn, useFirstLook } = createCairnContext<S>();

  const useWorkspace = (): Workspace<S> | undefined => {
    const state = useCairn();
    return state.status === "ready" ? state.workspace : undefined;
  };

  const useWorkspaces = (): ReadonlyArray<WorkspaceInfo> => {
    const state = useCairn();
    const cairn = state.status === "ready" ? state.cairn : undefined;
    return useLatest(
      useCallback((deliver) => cairn?.onWorkspaces(deliver) ?? nothing, [cairn]),
      none,
    );
  };

  const useQuery = <T extends TypeName<S>>(
    type: T,
    query: ListQuery<S, T> = {},
  ): ReadonlyArray<Row<S, T>> | undefined => {
    const workspace = useWorkspace();
    const [answer, setAnswer] = useState<{ readonly of: unknown; readonly rows: ReadonlyArray<Row<S, T>> }>();
    const [failure, setFailure] = useState<CairnError>();
    if (failure) throw failure;
    // A query is written in place on every render: only one with another content is another query.
    const [stable, setStable] = useState(query);
    if (stable !== query && JSON.stringify(stable) !== JSON.stringify(query)) setStable(query);
    const seen = useSeen(type, stable);
    useEffect(
      () =>
        workspace?.liveQuery(
          type,
          stable,
          (rows) => setAnswer({ of: workspace, rows }),
          // A query that does not fit is a mistake of the app, for an error boundary; the rest mends itself.
          (failure) => failure.code === "query-invalid" && setFailure(failure),
        ),
      [workspace, type, stable],
    );
    if (answer && answer.of === workspace) return answer.rows;
    return seen && (workspace === undefined || workspace.id === seen.workspace) ? seen.rows : undefined;
  };

  /** The rows of a first look, for a component that was there when it came: until it has an answer of its own. */
  const useSeen = <T extends TypeName<S>>(type: T, query: ListQuery<S, T>): Seen<S, T> | undefined => {
    const look = useFirstLook();
    const [seen, setSeen] = useState<Seen<S, T>>();
    if (look !== undefined && seen?.look !== look) {
      const found = look.answers.find(
        (answer) => answer.type === type && JSON.stringify(answer.query) === JSON.stringify(query),
      );
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- rows of this type, made by the build's own declaration
      const rows = found?.page.rows.map((row) => ({ ...row, arriving: false })) as ReadonlyArray<Row<S, T>> | undefined;
      setSeen({ look, query, workspace: look.workspace, rows });
    }
    return seen?.query === query ? seen : undefined;
  };

  const useDocument = <T extends TypeName<S>>(type: T, id: DocumentHandle<S, T>["id"]): DocumentState<S, T> => {
    const workspace = useWorkspace();
    const [attempt, setAttempt] = useState(0);
    const [state, setState] = useState<{ readonly of: string; readonly document: DocumentState<S, T> }>();
    useEffect(() => {
      if (!workspace) return undefined;
      let closed = false;
      let handle: DocumentHandle<S, T> | undefined;
      workspace.open(type, id).then(
        (opened) => {
          if (closed) void opened.close();
          else {
            handle = opened;
            setState({ of: id, document: { status: "open", handle: opened } });
          }
        },
        (error: unknown) => {
          const retry = (): void => setAttempt((before) => before + 1);
          if (!closed) setState({ of: id, document: { status: "failed", error, retry } });
        },
      );
      return () => {
        closed = true;
        setState(undefined);
        // After the children's own clean-up: an editor still reads the document while it is taken down.
        if (handle) queueMicrotask(() => void handle?.close());
      };
    }, [workspace, type, id, attempt]);
    return state && state.of === id ? state.document : openingDocument;
  };

  const useAttachments = (document: Row<S, TypeName<S>>["id"]): ReadonlyArray<AttachmentInfo> => {
    const workspace = useWorkspace();
    return useLatest(
      useCallback((deliver) => workspace?.onAttachments(document, deliver) ?? nothing, [workspace, document]),
      none,
    );
  };

  return {
    CairnProvider,
    useCairn,
    useSuspenseCairn,
    useWorkspace,
    useWorkspaces,
    useQuery,
    useDocument,
    useAttachments,
    ...createSuspenseHooks(useSuspenseCairn),
  };
};

interface Seen<S extends DocumentSchema, T extends TypeName<S>> {
  readonly look: FirstLook;
  readonly query: ListQuery<S, T>;
  readonly workspace: Workspace<S>["id"];
  /** Undefined where the look did not ask this. */
  readonly rows: ReadonlyArray<Row<S, T>> | undefined;
}

const openingDocument = { status: "opening" } as const;
const none: ReadonlyArray<never> = [];
const nothing = (): void => undefined;
