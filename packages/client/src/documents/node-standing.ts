/** What a document has of a tree's node. */
import { type ContainerID, type LoroDoc, LoroTree, type TreeID } from "loro-crdt";

export type NodeStanding = "alive" | "deleted" | "unknown";

/** Whether the node is there, was removed, or has never been heard of. */
export const standingOf = (doc: LoroDoc, tree: ContainerID, node: TreeID): NodeStanding => {
  const container = doc.getContainerById(tree);
  if (!(container instanceof LoroTree) || container.getNodeByID(node) === undefined) return "unknown";
  // A tree in a removed node, or in a removed item, still has its nodes.
  return container.isDeleted() || container.isNodeDeleted(node) ? "deleted" : "alive";
};
