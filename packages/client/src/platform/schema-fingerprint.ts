/** Which declarations a thread has: each loads its schema from a module of its own. */
import type { DocumentSchema } from "@cairn/schema";

/** Tells builds of an app apart by what their documents are declared as. */
export const schemaFingerprint = (schema: DocumentSchema): string => {
  const declarations = Object.entries(schema.documents).flatMap(([type, { fields }]) =>
    Object.entries(fields).map(([name, { kind, physical, origin }]) => {
      const stored = origin === undefined ? (physical ?? name) : `${origin.key}.${origin.member}`;
      return `${type}.${name}:${kind}:${stored}`;
    }),
  );
  return [schema.version, ...declarations.toSorted((left, right) => (left < right ? -1 : 1))].join("\n");
};
