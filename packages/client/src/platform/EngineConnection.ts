/** The engine as a page has it: behind a worker in browsers, in process in Node. */
import type { DocumentSchema } from "@cairn/schema";
import type { Cairn, OpenOptions } from "../api.ts";
import type { EngineApi } from "../engine/EngineApi.ts";
import type { SyncOptions } from "../sync-api.ts";
import { OpenCairn } from "../page/OpenCairn.ts";
import type { StorageConnection } from "./StorageConnection.ts";
import type { AppVersion } from "./Versions.ts";

export interface EngineConnection {
  readonly engine: EngineApi;
  readonly storage: StorageConnection;
  /** Ends the engine: releases its locks and its store. */
  readonly close: () => Promise<void>;
}

/** What an engine needs to know of the page that starts it. Plain data. */
export interface EngineStart {
  /** Name of the local database. */
  readonly profile: string;
  readonly server: string | undefined;
  readonly invite: string | undefined;
  readonly deviceName: string;
  readonly sync?: SyncOptions | undefined;
  /** Of engine, schema and app. */
  readonly version: AppVersion;
  /** The database that has to be there; undefined where there was none yet. */
  readonly expected: string | undefined;
  /** Delete what is left of the database first: a person said so. */
  readonly erase: boolean;
}

/** The public profile over an engine that is being started. */
export const openOver = async <S extends DocumentSchema>(
  schema: S,
  starting: Promise<EngineConnection>,
  firstLists?: OpenOptions<S>["firstLists"],
): Promise<Cairn<S>> => {
  const connection = await starting;
  const cairn = new OpenCairn({ schema, ...connection });
  try {
    await cairn.begin(firstLists);
    return cairn;
  } catch (error) {
    await connection.close();
    throw error;
  }
};
