/** Where what is in one document is in another one that says the same: by its place, whatever operations made it. */
import { type Change, madeAbove, nodesInOrder, operationNaming, renameOperation } from "@cairn/schema";
import {
  type Container,
  type ContainerID,
  type Diff,
  isContainer,
  type JsonDiff,
  type LoroDoc,
  LoroList,
  LoroMap,
  LoroMovableList,
  LoroTree,
  type TreeID,
} from "loro-crdt";
import { namesForNew, renameInChange, renameValue, renameWithin, withValues } from "./node-names.ts";
import type { IsShared } from "./tree-changes.ts";

/** The places of a moment: neither document may change meanwhile. */
export class Counterparts {
  readonly #from: LoroDoc;
  readonly #to: LoroDoc;
  readonly #isShared: IsShared;
  readonly #nodes = new Map<ContainerID, ReadonlyMap<TreeID, TreeID>>();
  readonly #found = new Set<TreeID>();

  /** @param isShared says of which operations both documents have the same: what these made keeps its name */
  constructor(from: LoroDoc, to: LoroDoc, isShared: IsShared = () => false) {
    this.#from = from;
    this.#to = to;
    this.#isShared = isShared;
  }

  /**
   * The id of the container that is in `to` where `id` is in `from`; of one that is not in `from` yet, `id` itself. Throws
   * where there is none.
   */
  idOf(id: ContainerID): ContainerID {
    const operation = operationNaming(id);
    if (operation === undefined) return id;
    if (this.#isShared(operation) && this.#to.getContainerById(id) !== undefined) return id;
    const above = madeAbove(id);
    const container = this.#from.getContainerById(above === undefined ? id : `cid:${above}:Map`);
    if (container === undefined) return id;
    const found = this.#counterpart(container).id;
    const made = above === undefined ? undefined : operationNaming(found);
    return made === undefined ? found : renameOperation(id, made);
  }

  /** Changes that begin where `from` stands, as changes of `to`. Throws where that does not tell them apart. */
  place<D extends Diff | JsonDiff>(changes: ReadonlyArray<Change<D>>): Array<[ContainerID, D]> {
    const names = new Map(namesForNew(changes, this.#from, this.#to, (operation) => this.#isAlive(operation)));
    for (const [id, diff] of changes) {
      const tree = diff.type === "tree" ? this.#from.getContainerById(id) : undefined;
      const other = tree === undefined ? undefined : this.#to.getContainerById(this.idOf(id));
      if (diff.type !== "tree" || !(tree instanceof LoroTree && other instanceof LoroTree)) continue;
      const mentioned = diff.diff.flatMap((item) => ["parent" in item ? item.parent : undefined, item.target]);
      for (const node of mentioned) {
        if (node === undefined || names.has(node)) continue;
        if (this.#isShared(node) && other.getNodeByID(node) !== undefined) continue;
        const there = this.#nodesOf(tree, other).get(node);
        if (there !== undefined) names.set(node, there);
      }
    }
    const placed = changes.map(([id, diff]): [ContainerID, D] => {
      const operation = operationNaming(id);
      const container = this.#from.getContainerById(id);
      // What is in something that is deleted is made again with it.
      const isNew =
        container === undefined ||
        this.#isDeleted(container) ||
        (operation !== undefined && this.#isDeadNode(operation));
      return [isNew ? renameWithin(id, names) : this.idOf(id), this.#withMoved(id, renameInChange(diff, names))];
    });
    if (new Set(placed.map(([id]) => id)).size < placed.length) throw new Error("two containers have one counterpart");
    return placed;
  }

  /** Whether there is a node, or an item of a list, that this operation made. */
  #isAlive(operation: TreeID): boolean {
    return this.#from.getContainerById(`cid:${operation}:Map`) !== undefined && !this.#isDeadNode(operation);
  }

  #isDeleted(container: Container): boolean {
    // A counter is not asked.
    return "isDeleted" in container ? container.isDeleted() : this.#from.getPathToContainer(container.id) === undefined;
  }

  /** A node that is deleted: changes that name it make it again. */
  #isDeadNode(node: TreeID): boolean {
    const tree = this.#from.getContainerById(`cid:${node}:Map`)?.parent();
    return tree instanceof LoroTree && tree.isNodeDeleted(node);
  }

  /** Of a movable list: items that it has, and that come to stand elsewhere in it, by what they are in `to`. */
  #withMoved<D extends Diff | JsonDiff>(id: ContainerID, diff: D): D {
    if (diff.type !== "list") return diff;
    const list = this.#from.getContainerById(id);
    if (!(list instanceof LoroMovableList)) return diff;
    const items = new Set(list.toArray().flatMap((item) => (isContainer(item) ? [item.id] : [])));
    return withValues(diff, (item) => {
      if (isContainer(item)) return items.has(item.id) ? this.#to.getContainerById(this.idOf(item.id)) : item;
      return renameValue(item, (name) => (items.has(name) ? this.idOf(name) : name));
    });
  }

  /** Whether something was found whose name is of this operation of `to`. */
  isFound(operation: TreeID): boolean {
    return this.#found.has(operation);
  }

  #counterpart(container: Container): Container {
    const operation = operationNaming(container.id);
    const same = this.#to.getContainerById(container.id);
    if (same !== undefined && (operation === undefined || this.#isShared(operation))) return same;
    const parent = container.parent();
    const found = parent === undefined ? undefined : this.#childAt(parent, container.id, this.#counterpart(parent));
    if (found === undefined) throw new Error("a container has no counterpart");
    const made = operationNaming(found.id);
    if (made !== undefined) this.#found.add(made);
    return found;
  }

  #childAt(parent: Container, id: ContainerID, other: Container): Container | undefined {
    const isIt = (value: unknown): boolean => isContainer(value) && value.id === id;
    let value: unknown;
    if (parent instanceof LoroMap && other instanceof LoroMap) {
      const found = parent.entries().find(([, child]) => isIt(child));
      value = found === undefined ? undefined : other.get(found[0]);
    } else if (
      (parent instanceof LoroList && other instanceof LoroList) ||
      (parent instanceof LoroMovableList && other instanceof LoroMovableList)
    ) {
      const index = parent.toArray().findIndex(isIt);
      value = index < 0 ? undefined : other.get(index);
    } else if (parent instanceof LoroTree && other instanceof LoroTree) {
      const node = operationNaming(id);
      const there = node === undefined ? undefined : this.#nodesOf(parent, other).get(node);
      value = there === undefined ? undefined : other.getNodeByID(there)?.data;
    }
    return isContainer(value) ? value : undefined;
  }

  /** The nodes of a tree, and those at the same places of the other one. */
  #nodesOf(tree: LoroTree, other: LoroTree): ReadonlyMap<TreeID, TreeID> {
    const known = this.#nodes.get(tree.id);
    if (known !== undefined) return known;
    const there = nodesInOrder(other);
    const pairs = nodesInOrder(tree).map(({ id }, index): readonly [TreeID, TreeID | undefined] => {
      const isSame = this.#isShared(id) && other.getNodeByID(id) !== undefined;
      return [id, isSame ? id : there[index]?.id];
    });
    const nodes = new Map<TreeID, TreeID>();
    for (const [id, found] of pairs) {
      if (found === undefined) throw new Error("a node has no counterpart");
      nodes.set(id, found);
      if (found !== id) this.#found.add(found);
    }
    this.#nodes.set(tree.id, nodes);
    return nodes;
  }
}
