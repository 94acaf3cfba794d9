/** A peer that sends rubbish: bytes that are no frame, frames out of turn, pages of nowhere. */
import { encodeFrame, encodePage, FRAME_TYPES, Hash } from "@cairn/protocol";
import type { Run } from "./Run.ts";
import type { SimulatedDevice } from "./SimulatedDevice.ts";

/** Puts rubbish on a wire of the device, towards its server or towards itself. False where it has none. */
export const sendRubbish = (run: Run, device: SimulatedDevice, a: number, b: number): boolean => {
  const wire = run.world.random.pick([...device.wires]);
  if (wire === undefined) return false;
  const { random } = run.world;
  const log = run.workspace === undefined ? undefined : run.cluster.database.logs.get(run.workspace);
  const noise = random.bytes(1 + Math.floor(b * 60));
  const frames: ReadonlyArray<() => Uint8Array> = [
    () => noise,
    () => new Uint8Array(0),
    () => {
      noise[0] = random.pick(Object.values(FRAME_TYPES)) ?? 0;
      return noise;
    },
    () => encodeFrame({ type: "push", push: 77, batch: noise }),
    () => encodeFrame({ type: "page", page: noise }),
    () => encodeFrame({ type: "received", cursor: 1_000_000 }),
    () => encodeFrame({ type: "renew", token: "rubbish" }),
    () => {
      // A page that pretends to be the next one.
      const chain = log?.entries.at(-1)?.chain;
      const cursor = Math.max(0, (log?.head ?? 0) - Math.floor(b * 3));
      if (chain === undefined) return noise;
      const entry = { type: "entry" as const, seq: cursor + 1, entry: noise };
      return encodeFrame({
        type: "page",
        page: encodePage({ after: cursor, until: cursor + 1, head: cursor + 1, chain, items: [entry] }),
      });
    },
    () =>
      encodeFrame({
        type: "pushed",
        push: 1,
        response: { results: [], head: 0, chain: log?.chain ?? Hash.make("A".repeat(43)) },
      }),
  ];
  const make = frames[Math.floor(a * frames.length)];
  if (make === undefined) return false;
  (b < 0.5 ? wire.toServer : wire.toClient).send(make());
  return true;
};
