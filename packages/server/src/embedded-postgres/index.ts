export { databaseUser, firstImpassable, makeFolder } from "./database-user.ts";
export { DatabaseRefusal } from "./DatabaseRefusal.ts";
export { EmbeddedPostgres, type EmbeddedPostgresOptions, makeEmbeddedPostgres } from "./EmbeddedPostgres.ts";
export { acquireInstanceLock } from "./InstanceLock.ts";
export { locatePostgresBinaries, type PostgresBinaries } from "./PostgresBinaries.ts";
