/** `cairn`. */
// By their own paths: the package's index loads servers, clusters and clients that nobody waits for here.
import * as NodeRuntime from "@effect/platform-node/NodeRuntime";
import * as NodeServices from "@effect/platform-node/NodeServices";
import { Effect, Layer, Logger } from "effect";
import { Command } from "effect/cli";
import { command } from "./command.ts";
import { withIdsAsValues } from "./id-arguments.ts";

Command.runWith(command, { version: "0.1.0" })(withIdsAsValues(process.argv.slice(2))).pipe(
  // What goes wrong is said once, in words or as JSON; stdout is for results.
  Effect.provide(Layer.mergeAll(NodeServices.layer, Logger.layer([]))),
  NodeRuntime.runMain({ disableErrorReporting: true }),
);
