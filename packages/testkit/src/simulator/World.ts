/**
 * Time and order of a run. No real time passes: when nothing can run, the clock jumps to the next timer. Which process runs
 * next is drawn from the seed; inside one process tasks keep their order, as on one thread. Promises are let through
 * before the clock moves, so that what is computed takes no time.
 */
import { Clock, Context, Duration, Effect, type Fiber, Logger, Random, References, Scheduler } from "effect";
import { SeededRandom } from "./seeded-random.ts";

interface Timer {
  readonly time: number;
  readonly order: number;
  readonly process: SimulatedProcess | undefined;
  run: (() => void) | undefined;
}

/** Virtual milliseconds since 1970 when a run begins. */
export const EPOCH_MILLIS = 1_800_000_000_000;
/** A run that needs more tasks than this goes round in circles. */
const MAX_TASKS = 3_000_000;
/** So does a process that needs more of them in so many virtual milliseconds: several times what the busiest one needs. */
const CIRCLING = { millis: 5_000, tasks: 2_500 };

/** So many times promises settle without a turn of the process's own event loop. */
const SETTLED_PER_TURN = 500;

/** All promises that can settle have: a tick comes when the queue of microtasks is empty. */
const settled = (): Promise<void> =>
  new Promise((resolve) => {
    process.nextTick(resolve);
  });
/** As `settled`, and other work of the process gets its turn. */
const turn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

export class World {
  readonly seed: number;
  /** Draws of the scheduler, and of whatever else is part of the world. */
  readonly random: SeededRandom;
  /** Virtual milliseconds since the beginning. */
  now = 0;
  /** Tasks that were run. */
  tasks = 0;
  /** What went wrong inside of the system, as its own logs tell. */
  readonly complaints: Array<string> = [];
  /** Processes that did far more than there was to do. */
  readonly circling = new Set<string>();
  /** The run's events, where they are wanted. */
  readonly lines: Array<string> | undefined;
  /** How often each fault fired, and each thing was done. */
  readonly counts = new Map<string, number>();
  #hashA = 0x811c9dc5;
  #hashB = 0x1000193;
  #order = 0;
  #settled = 0;
  readonly #heap: Array<Timer> = [];
  readonly #runnable: Array<SimulatedProcess> = [];
  #processes = 0;

  constructor(seed: number, options: { readonly trace?: boolean } = {}) {
    this.seed = seed;
    this.random = new SeededRandom(seed, 1);
    this.lines = options.trace === true ? [] : undefined;
  }

  /** A number for a new process. */
  nextProcess(): number {
    this.#processes += 1;
    return this.#processes;
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  /** Takes note of an event: it becomes part of the run's hash, and of its trace. */
  note(event: string, detail: number | string = 0): void {
    let a = this.#hashA ^ (this.now | 0);
    let b = this.#hashB;
    for (let at = 0; at < event.length; at += 1) a = Math.imul(a ^ event.charCodeAt(at), 0x01000193);
    if (typeof detail === "number") b = Math.imul(b ^ detail ^ a, 0x85ebca6b);
    else for (let at = 0; at < detail.length; at += 1) b = Math.imul(b ^ detail.charCodeAt(at), 0xc2b2ae35);
    this.#hashA = a;
    this.#hashB = (b ^ (b >>> 15) ^ a) | 0;
    this.lines?.push(`${this.now.toFixed(1).padStart(10)} ${event} ${detail}`);
  }

  /** The hash of all events so far. */
  get hash(): string {
    return (this.#hashA >>> 0).toString(16).padStart(8, "0") + (this.#hashB >>> 0).toString(16).padStart(8, "0");
  }

  /** Runs something after some milliseconds, in a process or in none. The returned function takes it back. */
  after(millis: number, run: () => void, process?: SimulatedProcess): () => void {
    this.#order += 1;
    const timer: Timer = { time: this.now + Math.max(0, millis), order: this.#order, process, run };
    this.#push(timer);
    return () => {
      timer.run = undefined;
    };
  }

  /** Lets a process that has tasks be chosen. */
  runnable(process: SimulatedProcess): void {
    this.#runnable.push(process);
  }

  /** Runs until the clock reaches `time`, or until `done` says so. */
  async runUntil(time: number, done: () => boolean = () => false): Promise<void> {
    for (;;) {
      this.#runReady();
      this.#settled += 1;
      await (this.#settled % SETTLED_PER_TURN === 0 ? turn() : settled());
      if (this.#runnable.length > 0) continue;
      if (done()) return;
      const next = this.#next();
      if (next === undefined || next.time > time) {
        this.now = Math.max(this.now, time);
        return;
      }
      this.now = next.time;
      // All that is due now; a timer of a process becomes one of its tasks.
      for (let due = this.#next(); due !== undefined && due.time <= this.now; due = this.#next()) {
        this.#pop();
        const { run, process } = due;
        if (run === undefined) continue;
        due.run = undefined;
        if (process === undefined) run();
        else process.enqueue(run);
      }
    }
  }

  #runReady(): void {
    const runnable = this.#runnable;
    while (runnable.length > 0) {
      this.tasks += 1;
      if (this.tasks > MAX_TASKS) throw new Error("the run does not come to rest");
      const at = runnable.length === 1 ? 0 : this.random.below(runnable.length);
      const process = runnable[at];
      if (process === undefined) continue;
      const task = process.take();
      if (process.idle) {
        const last = runnable.pop();
        if (last !== undefined && last !== process) runnable[at] = last;
      }
      task?.();
    }
  }

  #next(): Timer | undefined {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (first.run !== undefined && first.process?.alive !== false) return first;
      this.#pop();
    }
    return undefined;
  }

  #before(left: Timer, right: Timer): boolean {
    return left.time < right.time || (left.time === right.time && left.order < right.order);
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(timer);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !this.#before(timer, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      let least = heap[child];
      if (least === undefined) break;
      const right = heap[child + 1];
      if (right !== undefined && this.#before(right, least)) {
        child += 1;
        least = right;
      }
      if (!this.#before(least, last)) break;
      heap[at] = least;
      at = child;
    }
    heap[at] = last;
  }
}

/**
 * One thread of one computer: a tab with its engine, or a server node. Its fibers, timers and randomness are its own. When
 * it dies, nothing of it ever runs again; while it is frozen, everything of it waits.
 */
export class SimulatedProcess {
  readonly world: World;
  readonly name: string;
  readonly id: number;
  /** What this computer's clock says more than the world's, in milliseconds. */
  readonly skew: () => number;
  readonly random: SeededRandom;
  alive = true;
  readonly context: Context.Context<never>;
  #tasks: Array<() => void> = [];
  #first = 0;
  #frozen = false;
  #queued = false;
  #windowEnds = 0;
  #tasksInWindow = 0;
  readonly #ends: Array<() => void> = [];

  constructor(world: World, name: string, skew: () => number = () => 0) {
    this.world = world;
    this.name = name;
    this.skew = skew;
    this.id = world.nextProcess();
    this.random = new SeededRandom(world.seed, this.id + 100);
    const dispatcher: Scheduler.SchedulerDispatcher = {
      scheduleTask: (task) => this.enqueue(task),
      flush: () => undefined,
    };
    const scheduler: Scheduler.Scheduler = {
      executionMode: "async",
      shouldYield: (fiber) => fiber.currentOpCount >= 2048,
      makeDispatcher: () => dispatcher,
    };
    this.context = Context.empty().pipe(
      Context.add(Scheduler.Scheduler, scheduler),
      Context.add(Clock.Clock, this.#clock()),
      Context.add(Random.Random, {
        nextIntUnsafe: () => this.random.next() * 0x20_0000 + (this.random.next() >>> 11),
        nextDoubleUnsafe: () => this.random.unit(),
      }),
      Context.add(Logger.CurrentLoggers, new Set([this.#logger()])),
      Context.add(References.MinimumLogLevel, world.lines === undefined ? "Error" : "Debug"),
      Context.add(References.TracerEnabled, false),
    );
  }

  /** Runs an effect whose every part belongs to this process. */
  run<A, E>(effect: Effect.Effect<A, E>): Fiber.Fiber<A, E> {
    return Effect.runForkWith(this.context)(effect);
  }

  enqueue(task: () => void): void {
    if (!this.alive) return;
    this.#tasks.push(task);
    this.#offer();
  }

  #offer(): void {
    if (this.#queued || this.#frozen || !this.alive) return;
    this.#queued = true;
    this.world.runnable(this);
  }

  /** The next task; none where it died or was frozen meanwhile. */
  take(): (() => void) | undefined {
    if (!this.alive || this.#frozen) {
      this.#queued = false;
      return undefined;
    }
    this.#watch();
    const task = this.#tasks[this.#first];
    this.#first += 1;
    if (this.#first === this.#tasks.length) {
      this.#tasks = [];
      this.#first = 0;
      this.#queued = false;
    }
    return task;
  }

  /** A loop that waits for nothing burns a person's battery, and no promise breaks. */
  #watch(): void {
    const { now, circling } = this.world;
    if (now >= this.#windowEnds) {
      this.#windowEnds = now + CIRCLING.millis;
      this.#tasksInWindow = 0;
    }
    this.#tasksInWindow += 1;
    if (this.#tasksInWindow > CIRCLING.tasks) circling.add(this.name);
  }

  /** Nothing of it can run now. */
  get idle(): boolean {
    return !this.#queued;
  }

  /** Tasks that wait. */
  get pending(): number {
    return this.#tasks.length - this.#first;
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  freeze(): void {
    this.#frozen = true;
  }

  thaw(): void {
    this.#frozen = false;
    if (this.#tasks.length > this.#first) this.#offer();
  }

  /** What the death of this process does elsewhere. */
  onDeath(then: () => void): void {
    this.#ends.push(then);
  }

  /** Ends it at once, between any two of its steps. */
  kill(): void {
    if (!this.alive) return;
    this.alive = false;
    this.#tasks = [];
    this.#first = 0;
    for (const end of this.#ends.toReversed()) end();
  }

  #clock(): Clock.Clock {
    const millis = (): number => EPOCH_MILLIS + Math.floor(this.world.now) + this.skew();
    const nanos = (): bigint => BigInt(millis()) * 1_000_000n;
    const monotonic = (): bigint => BigInt(Math.floor(this.world.now * 1000)) * 1000n;
    return {
      currentTimeMillisUnsafe: millis,
      currentTimeMillis: Effect.sync(millis),
      currentTimeNanosUnsafe: nanos,
      currentTimeNanos: Effect.sync(nanos),
      monotonicTimeNanosUnsafe: monotonic,
      monotonicTimeNanos: Effect.sync(monotonic),
      sleep: (duration) => {
        const time = Duration.toMillis(duration);
        if (time === Infinity) return Effect.never;
        return Effect.callback<void>((resume) => {
          const cancel = this.world.after(time, () => resume(Effect.void), this);
          return Effect.sync(cancel);
        });
      },
    };
  }

  #logger(): Logger.Logger<unknown, void> {
    return Logger.make(({ message, cause, logLevel, fiber }) => {
      const text = Array.isArray(message) ? message.map(String).join(" ") : String(message);
      if (this.world.lines !== undefined) {
        const annotations = JSON.stringify(fiber.getRef(References.CurrentLogAnnotations));
        this.world.lines.push(
          `${this.world.now.toFixed(1).padStart(10)} log ${this.name}: ${text} ${annotations} ${String(cause)}`,
        );
      }
      // A disk that refuses is a fault of the run; what else is an error is one of the system.
      if ((logLevel === "Error" || logLevel === "Fatal") && !String(cause).includes("StoreFailure"))
        this.world.complaints.push(`${this.name}: ${text} ${String(cause)}`);
    });
  }
}
