import { Effect, Layer } from "effect";
import { refuse } from "../refusals.ts";
import { LiveConnections } from "./LiveConnections.ts";

export const layerLiveConnections: Layer.Layer<LiveConnections> = Layer.succeed(
  LiveConnections,
  LiveConnections.of({ serve: () => refuse("unavailable"), closeAll: Effect.void }),
);
