/** The version of the app at hand against the workspace's minimum, which an owner raises and devices obey. */
import type { AppOutdated } from "./workspace-api.ts";
import { CairnError } from "./errors.ts";

/** What stands in the way of new edits; undefined where nothing does. */
export const appOutdatedBy = (version: number, minimum: number): AppOutdated | undefined =>
  version < minimum ? { version, minimum } : undefined;

/** Why nothing new can be written, and what to do. */
export const appOutdatedError = (appOutdated: AppOutdated): CairnError =>
  new CairnError(
    "app-outdated",
    `This app writes version ${appOutdated.version} of the documents here, and an owner asks for ${appOutdated.minimum}. Update the app; what was written before is kept and still sent.`,
    { appOutdated },
  );
