/** `cairn`. */
import { NodeRuntime, NodeServices } from "@effect/platform-node";
import { Effect, Layer, Logger } from "effect";
import { Command } from "effect/cli";
import { command } from "./command.ts";

command.pipe(
  Command.run({ version: "0.1.0" }),
  // What goes wrong is said once, in words or as JSON; stdout is for results.
  Effect.provide(Layer.mergeAll(NodeServices.layer, Logger.layer([]))),
  NodeRuntime.runMain({ disableErrorReporting: true }),
);
