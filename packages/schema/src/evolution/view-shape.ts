/** Views of fields as values: which values are one, and the one of a field that nobody wrote. */
import type { Field, Fields } from "../field-kinds.ts";
import { isPlainObject } from "../json.ts";
import { isRichText } from "../rich-text.ts";
import { slotsOf } from "../slots.ts";
import { MAX_TREE_DEPTH } from "../tree.ts";
import { isKey } from "../write-checks.ts";

/** Whether a value is of a field's view type. */
export const isView = (field: Field, value: unknown): boolean => {
  switch (field.kind) {
    case "plain":
      return field.accepts(value);
    case "text":
      return typeof value === "string" && value.isWellFormed();
    case "list":
    case "movableList":
    case "set":
      return Array.isArray(value) && value.every((item) => field.accepts(item));
    case "map":
    case "attachments":
      return isPlainObject(value) && Object.values(value).every((item) => field.accepts(item));
    case "counter":
      return Number.isSafeInteger(value);
    case "records":
      return (
        isPlainObject(value) &&
        Object.entries(value).every(
          ([key, record]) => isKey(key) && isPlainObject(record) && areViews(field.fields, record),
        )
      );
    case "richText":
      return isRichText(field.styles, value);
    case "tree":
      return areNodes(field.fields, value, 1, new Set());
  }
};

const areViews = (fields: Fields, views: Readonly<Record<string, unknown>>): boolean =>
  slotsOf(fields).every(({ name, field }) => isView(field, views[name]));

const areNodes = (fields: Fields, nodes: unknown, depth: number, ids: Set<string>): boolean =>
  Array.isArray(nodes) &&
  (nodes.length === 0 || depth <= MAX_TREE_DEPTH) &&
  nodes.every((node: unknown) => {
    if (!isPlainObject(node) || !isKey(node["id"]) || ids.has(node["id"])) return false;
    ids.add(node["id"]);
    return areViews(fields, node) && areNodes(fields, node["children"], depth + 1, ids);
  });

/** What a field reads as that nobody wrote. */
export const emptyView = (field: Field): unknown => {
  switch (field.kind) {
    case "plain":
      return field.default;
    case "text":
      return "";
    case "counter":
      return 0;
    case "list":
    case "movableList":
    case "set":
    case "richText":
    case "tree":
      return [];
    case "map":
    case "attachments":
    case "records":
      return {};
  }
};
