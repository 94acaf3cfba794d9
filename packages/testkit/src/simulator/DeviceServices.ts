/** What the tabs of one simulated device share: locks, which die with their holder, and events, which may be lost. */
import { type LocksShape, type NotifierShape, type ProfileEvent } from "@cairn/client/effect";
import { Deferred, Effect } from "effect";
import type { SimulatedProcess } from "./World.ts";

interface Waiting {
  readonly process: SimulatedProcess;
  readonly grant: () => void;
}

interface Line {
  holder: { readonly process: SimulatedProcess; readonly lost: Deferred.Deferred<void> } | undefined;
  readonly waiting: Array<Waiting>;
}

/** The locks of a device's browser. */
export class DeviceLocks {
  readonly #lines = new Map<string, Line>();

  of(process: SimulatedProcess): LocksShape {
    process.onDeath(() => this.#bury(process));
    const own = (name: string) =>
      Effect.acquireRelease(
        Effect.sync(() => ({ process, lost: Deferred.makeUnsafe<void>() })),
        (hold) => Effect.sync(() => this.#release(name, hold)),
      );
    return {
      acquire: (name, mode) =>
        Effect.flatMap(own(name), (hold) =>
          Effect.callback((resume) => {
            const line = this.#lineOf(name);
            const granted = Effect.succeed({ lost: Deferred.await(hold.lost) });
            if (mode === "steal" || line.holder === undefined) {
              const before = line.holder;
              line.holder = hold;
              if (before !== undefined) {
                process.world.count("lock stolen");
                Deferred.doneUnsafe(before.lost, Effect.void);
              }
              resume(granted);
              return;
            }
            const turn: Waiting = {
              process,
              grant: () => {
                line.holder = hold;
                process.enqueue(() => resume(granted));
              },
            };
            line.waiting.push(turn);
            return Effect.sync(() => {
              const at = line.waiting.indexOf(turn);
              if (at >= 0) line.waiting.splice(at, 1);
            });
          }),
        ),
      tryAcquire: (name) =>
        Effect.map(own(name), (hold) => {
          const line = this.#lineOf(name);
          if (line.holder !== undefined) return undefined;
          line.holder = hold;
          return { lost: Deferred.await(hold.lost) };
        }),
    };
  }

  /** Lets the next one in while the holder goes on believing: two hold the lock. The holder; none where nobody waits. */
  split(name: string): SimulatedProcess | undefined {
    const line = this.#lineOf(name);
    const { holder } = line;
    const next = line.waiting.shift();
    if (holder === undefined || next === undefined) return undefined;
    next.grant();
    return holder.process;
  }

  #lineOf(name: string): Line {
    const line = this.#lines.get(name) ?? { holder: undefined, waiting: [] };
    this.#lines.set(name, line);
    return line;
  }

  #release(name: string, hold: Line["holder"]): void {
    const line = this.#lineOf(name);
    if (line.holder !== hold) return;
    line.holder = undefined;
    line.waiting.shift()?.grant();
  }

  #bury(process: SimulatedProcess): void {
    for (const [name, line] of this.#lines) {
      for (let at = line.waiting.length - 1; at >= 0; at -= 1) {
        if (line.waiting[at]?.process === process) line.waiting.splice(at, 1);
      }
      if (line.holder?.process === process) this.#release(name, line.holder);
    }
  }
}

/** How long an event takes to another tab, in milliseconds, and how often it does not arrive: events are hints. */
const EVENT_MILLIS = 4;
const EVENT_LOST = 0.01;

/** The broadcast channel of a device's browser. */
export class DeviceEvents {
  readonly #listeners = new Map<SimulatedProcess, Set<(event: ProfileEvent) => void>>();
  readonly #deafUntil = new Map<SimulatedProcess, number>();

  /** For so many milliseconds no event reaches this one. */
  deafen(process: SimulatedProcess, millis: number): void {
    this.#deafUntil.set(process, process.world.now + millis);
  }

  hearAgain(): void {
    this.#deafUntil.clear();
  }

  of(process: SimulatedProcess): NotifierShape {
    const own = new Set<(event: ProfileEvent) => void>();
    this.#listeners.set(process, own);
    process.onDeath(() => this.#listeners.delete(process));
    const { world } = process;
    return {
      notify: (event) =>
        Effect.sync(() => {
          for (const [other, listeners] of this.#listeners) {
            if (other === process) continue;
            if (world.now < (this.#deafUntil.get(other) ?? 0)) continue;
            if (world.random.chance(EVENT_LOST)) {
              world.count("fault: lost event between tabs");
              continue;
            }
            const deliver = (): void => {
              for (const listener of listeners) listener(event);
            };
            world.after(world.random.unit() * EVENT_MILLIS, deliver, other);
          }
        }),
      listen: (callback) =>
        Effect.asVoid(
          Effect.acquireRelease(
            Effect.sync(() => own.add(callback)),
            () => Effect.sync(() => own.delete(callback)),
          ),
        ),
    };
  }
}
