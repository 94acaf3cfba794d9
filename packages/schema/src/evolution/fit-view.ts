/** What a step made, as a view of its field: what does not fit is left out and reported, and the rest stays. */
import type { Field, Fields } from "../field-kinds.ts";
import { isPlainObject } from "../json.ts";
import { type Path, type Report, slotsOf } from "../slots.ts";
import { MAX_TREE_DEPTH } from "../tree.ts";
import { isKey } from "../write-checks.ts";
import { emptyView, isView } from "./view-shape.ts";

/** The view of a field that is nearest to a value. */
export const fitView = (field: Field, value: unknown, path: Path, report: Report): unknown => {
  const leaveOut = (...within: Path): ReadonlyArray<never> => {
    report({ path: [...path, ...within], reason: "conversion" });
    return [];
  };
  switch (field.kind) {
    case "list":
    case "movableList":
    case "set":
      if (!Array.isArray(value)) break;
      return value.flatMap((item: unknown, index) => (field.accepts(item) ? [item] : leaveOut(index)));
    case "map":
    case "attachments":
      if (!isPlainObject(value)) break;
      return Object.fromEntries(
        Object.entries(value).flatMap(([key, item]) =>
          isKey(key) && field.accepts(item) ? [[key, item] as const] : leaveOut(key),
        ),
      );
    case "records":
      if (!isPlainObject(value)) break;
      return Object.fromEntries(
        Object.entries(value).flatMap(([key, record]) =>
          isKey(key) && isPlainObject(record)
            ? [[key, fitViews(field.fields, record, [...path, key], report)] as const]
            : leaveOut(key),
        ),
      );
    case "tree":
      if (!Array.isArray(value)) break;
      return fitNodes(field.fields, value, path, report, 1, new Set());
    case "plain":
    case "text":
    case "richText":
    case "counter":
      if (isView(field, value)) return value;
      break;
  }
  leaveOut();
  return emptyView(field);
};

/** The same for several fields, by name. */
export const fitViews = (
  fields: Fields,
  values: Readonly<Record<string, unknown>>,
  path: Path,
  report: Report,
): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    slotsOf(fields).map(({ name, field }) => [
      name,
      fitView(field, Object.hasOwn(values, name) ? values[name] : undefined, [...path, name], report),
    ]),
  );

const fitNodes = (
  fields: Fields,
  nodes: ReadonlyArray<unknown>,
  path: Path,
  report: Report,
  depth: number,
  ids: Set<string>,
): ReadonlyArray<unknown> =>
  nodes.flatMap((node, index) => {
    const id = isPlainObject(node) ? node["id"] : undefined;
    if (!isPlainObject(node) || !isKey(id) || ids.has(id) || depth > MAX_TREE_DEPTH) {
      report({ path: [...path, index], reason: "conversion" });
      return [];
    }
    ids.add(id);
    const below: unknown = node["children"];
    const children = Array.isArray(below) ? fitNodes(fields, below, [...path, id], report, depth + 1, ids) : [];
    return [{ id, ...fitViews(fields, node, [...path, id], report), children }];
  });
