/** Calls to a server that can be unplugged: for developers who want to see their app without a network. */
import { Effect } from "effect";
import { type ServerCalls, type TransportFailure, Unreachable } from "../transport/Transport.ts";

/** The same calls, which fail as without a network as long as `unplugged`. */
export const unpluggable = (calls: ServerCalls, unplugged: () => boolean): ServerCalls => {
  const through = <A>(call: Effect.Effect<A, TransportFailure>): Effect.Effect<A, TransportFailure> =>
    Effect.suspend(() => (unplugged() ? Effect.fail(new Unreachable({ cause: "simulated" })) : call));
  return {
    origin: calls.origin,
    describe: through(calls.describe),
    challenge: through(calls.challenge),
    register: (...args) => through(calls.register(...args)),
    renew: (...args) => through(calls.renew(...args)),
    state: (...args) => through(calls.state(...args)),
    push: (...args) => through(calls.push(...args)),
    pull: (...args) => through(calls.pull(...args)),
    createLink: (...args) => through(calls.createLink(...args)),
    listGrants: (...args) => through(calls.listGrants(...args)),
    listLinks: (...args) => through(calls.listLinks(...args)),
    describeLink: (...args) => through(calls.describeLink(...args)),
    openLink: (...args) => through(calls.openLink(...args)),
    revokeLink: (...args) => through(calls.revokeLink(...args)),
    putChunk: (...args) => through(calls.putChunk(...args)),
    hasChunk: (...args) => through(calls.hasChunk(...args)),
    getChunk: (...args) => through(calls.getChunk(...args)),
  };
};
