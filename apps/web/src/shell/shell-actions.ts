import { createContext, useContext } from "react";

/** What any part of the page may ask the frame to show. */
export interface ShellActionSet {
  readonly share: () => void;
  readonly help: () => void;
  readonly newNotebook: () => void;
}

const Context = createContext<ShellActionSet | undefined>(undefined);

export const ShellActions = Context.Provider;

export const useShellActions = (): ShellActionSet => {
  const actions = useContext(Context);
  if (!actions) throw new Error("useShellActions is used outside of the shell");
  return actions;
};
