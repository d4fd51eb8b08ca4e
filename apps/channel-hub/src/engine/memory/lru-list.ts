/** Neighbours of a node in its list; undefined at the ends, and outside of a list. */
interface LruNode<Node> {
  older: Node | undefined;
  newer: Node | undefined;
}

/**
 * Nodes by their last use. Each operation takes constant time. A Map would have to skip all holes
 * that moved entries leave at its front.
 */
export class LruList<Node extends LruNode<Node>> {
  #oldest: Node | undefined;
  #newest: Node | undefined;

  /** The least recently used node. */
  get oldest(): Node | undefined {
    return this.#oldest;
  }

  /** Makes the node the most recently used one, adding it if necessary. */
  touch(node: Node): void {
    if (this.#newest === node) return;
    this.remove(node);
    node.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = node;
    else this.#newest.newer = node;
    this.#newest = node;
  }

  /** Removing a node that is not in the list is allowed. */
  remove(node: Node): void {
    const { older, newer } = node;
    if (this.#oldest === node) this.#oldest = newer;
    if (this.#newest === node) this.#newest = older;
    if (older !== undefined) older.newer = newer;
    if (newer !== undefined) newer.older = older;
    node.older = undefined;
    node.newer = undefined;
  }
}
