/**
 * How the earliest script hands a join link's fragment to the app: through a function in memory that gives it out once.
 * It never touches sessionStorage, history state or a cookie, all of which are written to disk. A reload between the
 * two therefore forgets the secret, and the join page asks for the link again.
 */
export interface JoinHandoff {
  /** The fragment of a join link without its `#`, once; afterwards undefined. */
  readonly take: () => string | undefined;
}

/** Fired on `window` when another join link was opened in this tab without a page load. */
export const joinLinkEvent = "cairn:join-link";

declare global {
  interface Window {
    readonly cairnJoin?: JoinHandoff;
  }
}

/** Takes the secret of the join link that this page was opened with. A second call finds nothing. */
export const takeJoinSecret = (): string | undefined => window.cairnJoin?.take();
