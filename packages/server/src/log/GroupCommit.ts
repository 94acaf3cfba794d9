/**
 * Many pushes, one transaction: while a workspace's commit is under way, the pushes that arrive for it wait and go
 * together into the next one. So a busy workspace holds one connection, and pays one fsync for many pushes.
 */
import { Deferred, Effect, type Exit } from "effect";

export interface GroupCommitOptions<Key, Item, Result, E> {
  /** Commits the items of one key in their order, and gives one result each. */
  readonly commit: (key: Key, items: ReadonlyArray<Item>) => Effect.Effect<ReadonlyArray<Result>, E>;
  readonly weigh: (item: Item) => number;
  /** The most weight that one commit takes; a single item may exceed it. */
  readonly maxWeight: number;
  /** The most weight that may wait in all; more is refused (Promise 11). */
  readonly maxWaiting: number;
  readonly refuse: Effect.Effect<never, E>;
}

interface Waiting<Item, Result, E> {
  readonly item: Item;
  readonly weight: number;
  readonly done: Deferred.Deferred<Result, E>;
}

/** Gives the function that submits an item and answers with its result after the commit. */
export const makeGroupCommit = <Key, Item, Result, E>(
  options: GroupCommitOptions<Key, Item, Result, E>,
): ((key: Key, item: Item) => Effect.Effect<Result, E>) => {
  const waitingByKey = new Map<Key, Array<Waiting<Item, Result, E>>>();
  let waitingWeight = 0;

  const take = (waiting: Array<Waiting<Item, Result, E>>): ReadonlyArray<Waiting<Item, Result, E>> => {
    let weight = 0;
    let count = 0;
    for (const { weight: more } of waiting) {
      if (count > 0 && weight + more > options.maxWeight) break;
      weight += more;
      count += 1;
    }
    waitingWeight -= weight;
    return waiting.splice(0, count);
  };

  const drain = (key: Key, waiting: Array<Waiting<Item, Result, E>>): Effect.Effect<void> =>
    Effect.gen(function* () {
      while (waiting.length > 0) {
        const group = take(waiting);
        const exit = yield* Effect.exit(
          options.commit(
            key,
            group.map(({ item }) => item),
          ),
        );
        for (const [index, { done }] of group.entries()) Deferred.doneUnsafe(done, resultAt(exit, index));
      }
      waitingByKey.delete(key);
    });

  return (key, item) =>
    Effect.suspend(() => {
      const weight = options.weigh(item);
      if (waitingWeight + weight > options.maxWaiting && waitingWeight > 0) return options.refuse;
      const done = Deferred.makeUnsafe<Result, E>();
      waitingWeight += weight;
      const waiting = waitingByKey.get(key);
      if (waiting !== undefined) {
        waiting.push({ item, weight, done });
        return Deferred.await(done);
      }
      const first = [{ item, weight, done }];
      waitingByKey.set(key, first);
      // Detached: a client that goes away must not take the commit of others with it.
      return Effect.andThen(Effect.forkDetach(drain(key, first)), Deferred.await(done));
    });
};

const resultAt = <Result, E>(exit: Exit.Exit<ReadonlyArray<Result>, E>, index: number): Effect.Effect<Result, E> => {
  if (exit._tag === "Failure") return Effect.failCause(exit.cause);
  const result = exit.value[index];
  return result === undefined ? Effect.die("a commit answers every push") : Effect.succeed(result);
};
