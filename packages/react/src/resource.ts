/** How long something stays open that no component shows, in milliseconds: long enough to come back to it at once. */
const LINGER_MILLIS = 5_000;

/** What opening gives, and how to close it again. */
export interface Opened<A> {
  readonly value: Promise<A>;
  readonly close: () => void;
}

/** Something opened for components, and kept open while any of them shows it. */
export interface Resource<A> {
  /** For React's `use`. */
  readonly value: Promise<A>;
  /** Throws what opening failed with, if it did. Opening is tried anew when it is asked for later. */
  readonly throwFailure: () => void;
  /** Keeps it open until the function it returns is called. */
  readonly retain: () => () => void;
}

/**
 * What is opened while a component renders outlives that render: a component that suspends has no state of its own yet. So
 * it is kept here by its key, and closed when nobody has shown it for some seconds.
 */
export class Resources<A> {
  readonly #kept = new Map<string, Resource<A>>();

  get(key: string, open: () => Opened<A>): Resource<A> {
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    const made = this.#make(open(), () => {
      if (this.#kept.get(key) === made) this.#kept.delete(key);
    });
    this.#kept.set(key, made);
    return made;
  }

  #make({ value, close }: Opened<A>, forget: () => void): Resource<A> {
    let shownBy = 0;
    let closing: ReturnType<typeof setTimeout> | undefined;
    let failure: { readonly error: unknown } | undefined;
    const end = (): void => {
      forget();
      close();
    };
    const closeIn = (millis: number): void => {
      clearTimeout(closing);
      closing = setTimeout(end, millis);
    };
    // Whoever asked may have gone while it opened.
    const opened = (): void => {
      if (shownBy === 0) closeIn(LINGER_MILLIS);
    };
    value.then(opened, (error: unknown) => {
      failure = { error };
      opened();
    });
    return {
      value,
      throwFailure: () => {
        if (failure === undefined) return;
        // Not at once: React renders a component that threw once more before it gives up.
        closeIn(0);
        throw failure.error;
      },
      retain: () => {
        shownBy += 1;
        clearTimeout(closing);
        return () => {
          shownBy -= 1;
          if (shownBy === 0) closeIn(LINGER_MILLIS);
        };
      },
    };
  }
}
