import { defineConfig } from "drizzle-kit";

/** `npx drizzle-kit generate --name what-changes` writes the next migration from the schema. */
export default defineConfig({
  dialect: "postgresql",
  schema: "./packages/server/src/database/schema.ts",
  out: "./packages/server/migrations",
});
