/** The `cairn-server` program. */
import { NodeRuntime, NodeServices } from "@effect/platform-node";
import { Effect, Exit, Layer } from "effect";
import { CliConfig, Command, GlobalFlag } from "effect/cli";
import { decodeConfiguration, flags } from "./configuration.ts";
import { serverLayer } from "./server.ts";
import { Terminal } from "./Terminal.ts";
import { version } from "./version.ts";

const command = Command.make("cairn-server", flags, (given) =>
  Effect.flatMap(decodeConfiguration(given), (configuration) => Layer.launch(serverLayer(configuration))),
).pipe(
  Command.withDescription(
    "Serves Cairn: the API, and the notebook in the browser. Each setting is a flag or the environment variable in brackets.",
  ),
);

/** Without the command line library's own `--log-level` and `--wizard`: `--log` says what is logged, for the whole server. */
const onlyHelpfulFlags = CliConfig.layer({
  builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions],
});

NodeRuntime.runMain(
  Command.run(command, { version }).pipe(
    Effect.tapErrorTag("Refusal", ({ message }) => Effect.sync(() => Terminal.refuse(message))),
    Effect.tapDefect((defect) => Effect.logError("The server ended because of a mistake in it", defect)),
    Effect.provide(Layer.merge(NodeServices.layer, onlyHelpfulFlags)),
  ),
  {
    // Refusals, and flags that do not exist, were explained already.
    disableErrorReporting: true,
    // Ctrl-C and SIGTERM are the usual ways to stop a server: a clean stop is a success.
    teardown: (exit, onExit) => onExit(Exit.isSuccess(exit) || Exit.hasInterrupts(exit) ? 0 : 1),
  },
);
