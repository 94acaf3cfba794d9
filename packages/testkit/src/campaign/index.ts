/** Campaigns of seeded runs over several threads. */
export * from "./Campaign.ts";
export * from "./progress.ts";
export * from "./serve-seeds.ts";
