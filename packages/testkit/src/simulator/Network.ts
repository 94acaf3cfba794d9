/**
 * The wires between devices and server nodes. What travels is bytes; whether, when and how it arrives is drawn from the
 * seed, within the conditions that hold at the time. Every fault is counted.
 */
import type { SimulatedProcess, World } from "./World.ts";

/** Probabilities for each message, and delays in virtual milliseconds. */
export interface Conditions {
  readonly lost: number;
  readonly delayed: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly truncated: number;
  /** The request was served, and its answer never came. */
  readonly lostAnswer: number;
}

/** A network without faults. */
export const CALM: Conditions = { lost: 0, delayed: 0, duplicated: 0, reordered: 0, truncated: 0, lostAnswer: 0 };

/** Delays of an ordinary message, and of a delayed one. */
const SHORT = { least: 1, most: 30 };
const LONG = { least: 200, most: 12_000 };
/** A client gives up on a call by itself after this long (`FetchTransport`). */
export const CALL_TIMEOUT = 30_000;

export class Network {
  readonly world: World;
  conditions: Conditions = CALM;

  constructor(world: World) {
    this.world = world;
  }

  delay(): number {
    const { random } = this.world;
    if (random.chance(this.conditions.delayed)) {
      this.world.count("fault: delayed frame");
      return LONG.least + random.unit() * (LONG.most - LONG.least);
    }
    return SHORT.least + random.unit() * (SHORT.most - SHORT.least);
  }

  /** Whether a fault of this kind befalls the message at hand. */
  befalls(kind: "lost" | "duplicated" | "reordered" | "truncated" | "lostAnswer"): boolean {
    if (!this.world.random.chance(this.conditions[kind])) return false;
    this.world.count(kind === "lostAnswer" ? "fault: lost answer" : `fault: ${kind} frame`);
    return true;
  }

  /** The message with its end cut off. */
  truncate(bytes: Uint8Array): Uint8Array {
    return bytes.slice(0, this.world.random.below(bytes.length));
  }
}

/** One direction of a connection: messages arrive in order, unless a fault says otherwise. */
export class Channel {
  readonly #network: Network;
  readonly #receiver: SimulatedProcess;
  readonly #deliver: (bytes: Uint8Array) => void;
  #lastArrival = 0;
  #closed = false;
  /** Nothing arrives before: a receiver that does not read. */
  stalledUntil = 0;
  /** Bytes that were sent and have not arrived. */
  underWay = 0;

  constructor(network: Network, receiver: SimulatedProcess, deliver: (bytes: Uint8Array) => void) {
    this.#network = network;
    this.#receiver = receiver;
    this.#deliver = deliver;
  }

  send(bytes: Uint8Array): void {
    if (this.#closed) return;
    const network = this.#network;
    if (network.befalls("lost")) return;
    const sent = network.befalls("truncated") ? network.truncate(bytes) : bytes;
    this.#arrive(sent, network.befalls("reordered"));
    if (network.befalls("duplicated")) this.#arrive(sent, false);
  }

  #arrive(bytes: Uint8Array, reordered: boolean): void {
    const { world } = this.#network;
    let arrival = world.now + this.#network.delay();
    // One that overtakes, or is overtaken, leaves the order of the others alone.
    if (reordered) arrival += world.random.unit() * 300;
    else arrival = this.#lastArrival = Math.max(arrival, this.#lastArrival, this.stalledUntil);
    this.underWay += bytes.length;
    const deliver = (): void => {
      this.underWay -= bytes.length;
      if (!this.#closed) this.#deliver(bytes);
    };
    world.after(arrival - world.now, deliver, this.#receiver);
  }

  close(): void {
    this.#closed = true;
  }
}
