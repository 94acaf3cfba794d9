import { useSyncExternalStore } from "react";

export type ThemeChoice = "system" | "light" | "dark";

const key = "cairn.theme";
const system = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

const isChoice = (value: unknown): value is ThemeChoice => value === "system" || value === "light" || value === "dark";

const stored = (): ThemeChoice => {
  try {
    const value = localStorage.getItem(key);
    return isChoice(value) ? value : "system";
  } catch {
    return "system";
  }
};

let choice = stored();

const apply = (): void => {
  const theme = choice === "system" ? (system.matches ? "dark" : "light") : choice;
  document.documentElement.dataset["theme"] = theme;
  document.querySelector('meta[name="theme-color"]')?.setAttribute("content", theme === "dark" ? "#151311" : "#f6f3ec");
  for (const listener of listeners) listener();
};

system.addEventListener("change", apply);
addEventListener("storage", (event) => {
  if (event.key !== key) return;
  choice = stored();
  apply();
});
apply();

export const setTheme = (next: ThemeChoice): void => {
  choice = next;
  try {
    localStorage.setItem(key, next);
  } catch {
    // A browser that stores nothing keeps the choice for this page.
  }
  apply();
};

export const useTheme = (): ThemeChoice =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => choice,
    () => "system" as const,
  );
