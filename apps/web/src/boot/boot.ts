import type { JoinHandoff } from "./handoff.ts";

/*
 * The earliest script of the page: classic, blocking, free of imports. Everything that could send, log or store the
 * address runs after it.
 */

let secret: string | undefined;

const takeFromAddress = (): boolean => {
  if (location.pathname !== "/join" || location.hash.length < 2) return false;
  secret = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  return true;
};

takeFromAddress();

// A link pasted into the address bar of an open join page changes only the fragment: no load, no new boot.
addEventListener("hashchange", () => {
  if (takeFromAddress()) dispatchEvent(new Event("cairn:join-link"));
});

const handoff: JoinHandoff = {
  take: () => {
    const taken = secret;
    secret = undefined;
    return taken;
  },
};
Object.defineProperty(window, "cairnJoin", { value: handoff });

// Rule 29: without a secure context there is no WebCrypto, and plain JavaScript is no substitute for it.
if (!isSecureContext || !("subtle" in crypto)) location.replace("/insecure.html");

const chosenTheme = (): string => {
  try {
    return localStorage.getItem("cairn.theme") ?? "system";
  } catch {
    return "system";
  }
};
const theme = chosenTheme();
document.documentElement.dataset["theme"] =
  theme === "light" || theme === "dark" ? theme : matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
