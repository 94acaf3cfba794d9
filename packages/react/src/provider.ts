import type { Cairn, Workspace, WorkspaceInfo } from "@cairn/client";
import type { FirstLook } from "@cairn/client/first-look";
import type { DocumentSchema } from "@cairn/schema";
import {
  createContext,
  createElement,
  type ReactNode,
  use,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";

/** The engine's state as components see it. Until it is ready, an app shows what needs no data. */
export type CairnState<S extends DocumentSchema> =
  | { readonly status: "opening" }
  | CairnReady<S>
  | { readonly status: "failed"; readonly error: unknown; readonly retry: () => void };

type Settled<S extends DocumentSchema> = Exclude<CairnState<S>, { readonly status: "opening" }>;

/** The engine, opened. */
export interface CairnReady<S extends DocumentSchema> {
  readonly status: "ready";
  readonly cairn: Cairn<S>;
  readonly workspace: Workspace<S>;
  /** Shows another workspace. Rejects if this device does not have it. */
  readonly select: (id: WorkspaceInfo["id"] | Workspace<S>) => Promise<void>;
}

export interface CairnProviderProps<S extends DocumentSchema> {
  /**
   * Opens the client. Called once, after the first paint. The provider never closes it: a page's client lives as long
   * as the page.
   */
  readonly open: () => Promise<Cairn<S>>;
  /** What lists show while the client opens (`firstLookOf` in `@cairn/client/first-look`). The same at every render. */
  readonly firstLook?: Promise<FirstLook | undefined> | undefined;
  readonly children?: ReactNode;
}

export interface CairnContext<S extends DocumentSchema> {
  readonly CairnProvider: (props: CairnProviderProps<S>) => ReactNode;
  readonly useCairn: () => CairnState<S>;
  readonly useSuspenseCairn: () => CairnReady<S>;
  /** What was seen of the lists; undefined as soon as the client is there. */
  readonly useFirstLook: () => FirstLook | undefined;
}

interface Provided<S extends DocumentSchema> {
  readonly state: CairnState<S>;
  /** What opening came to, for those who wait. */
  readonly settled: Promise<Settled<S>>;
  readonly look: FirstLook | undefined;
}

/** The provider of an app's client, and the hooks that read what it provides. */
export const createCairnContext = <S extends DocumentSchema>(): CairnContext<S> => {
  const Context = createContext<Provided<S> | undefined>(undefined);

  const CairnProvider = ({ open, firstLook, children }: CairnProviderProps<S>): ReactNode => {
    const opening = useRef<Promise<Cairn<S>> | undefined>(undefined);
    const [attempt, setAttempt] = useState(0);
    const [state, setState] = useState<CairnState<S>>({ status: "opening" });
    const [settling, setSettling] = useState<Settling<S>>(makeSettling);
    const [look, setLook] = useState<FirstLook>();

    useEffect(() => {
      let current = true;
      // Whoever cannot look says so in the client's own words, a moment later.
      firstLook?.then((seen) => current && setLook(seen)).catch(() => undefined);
      return () => {
        current = false;
      };
    }, [firstLook]);

    useEffect(() => {
      let current = true;
      const show = (next: Settled<S>): void => {
        if (!current) return;
        setState(next);
        settling.settle(next);
      };
      const start = async (): Promise<void> => {
        await afterPaint();
        const cairn = await (opening.current ??= open());
        const ready = (workspace: Workspace<S>): void =>
          show({
            status: "ready",
            cairn,
            workspace,
            select: async (target) => ready(typeof target === "string" ? await cairn.workspace(target) : target),
          });
        ready(await cairn.workspace());
      };
      start().catch((error: unknown) => {
        opening.current = undefined;
        show({
          status: "failed",
          error,
          retry: () => {
            setState({ status: "opening" });
            setSettling(makeSettling<S>());
            setAttempt((before) => before + 1);
          },
        });
      });
      return () => {
        current = false;
      };
    }, [open, attempt, settling]);

    // Later it would be older than what the client says.
    const shown = state.status === "opening" ? look : undefined;
    const provided = useMemo(() => ({ state, settled: settling.settled, look: shown }), [state, settling, shown]);
    return createElement(Context.Provider, { value: provided }, children);
  };

  const useProvided = (): Provided<S> => {
    const provided = useContext(Context);
    if (!provided) throw new Error("A hook of Cairn is used outside of CairnProvider. Wrap the app in one.");
    return provided;
  };

  const useCairn = (): CairnState<S> => useProvided().state;

  const useFirstLook = (): FirstLook | undefined => useProvided().look;

  const useSuspenseCairn = (): CairnReady<S> => {
    const { state, settled } = useProvided();
    const current = state.status === "opening" ? use(settled) : state;
    if (current.status === "failed") throw current.error;
    return current;
  };

  return { CairnProvider, useCairn, useSuspenseCairn, useFirstLook };
};

interface Settling<S extends DocumentSchema> {
  readonly settled: Promise<Settled<S>>;
  readonly settle: (state: Settled<S>) => void;
}

const makeSettling = <S extends DocumentSchema>(): Settling<S> => {
  let settle: Settling<S>["settle"] = () => undefined;
  const settled = new Promise<Settled<S>>((resolve) => (settle = resolve));
  return { settled, settle };
};

/** Resolves once the browser has painted; at once where there is nothing to paint (tests, workers). */
const afterPaint = (): Promise<void> =>
  new Promise((resolve) => {
    if (typeof requestAnimationFrame !== "function" || document.visibilityState !== "visible") resolve();
    else requestAnimationFrame(() => setTimeout(resolve, 0));
  });
