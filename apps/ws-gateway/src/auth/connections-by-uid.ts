const NONE: readonly never[] = [];

interface Identified {
  /** Undefined without a token. */
  readonly identity: { readonly uid: string } | undefined;
}

/** Connections of a worker by the ids of their users. */
export class ConnectionsByUid<C extends Identified> {
  /** A user with one connection needs no set. */
  readonly #connections = new Map<string, C | Set<C>>();

  /** Adds a connection that has an identity. */
  add(connection: C): void {
    const uid = connection.identity?.uid;
    if (uid === undefined) return;
    const known = this.#connections.get(uid);
    if (known === undefined) this.#connections.set(uid, connection);
    else if (known instanceof Set) known.add(connection);
    else this.#connections.set(uid, new Set([known, connection]));
  }

  /** Removes a connection, if it was added. */
  delete(connection: C): void {
    const uid = connection.identity?.uid;
    if (uid === undefined) return;
    const known = this.#connections.get(uid);
    if (known === connection) this.#connections.delete(uid);
    else if (known instanceof Set && known.delete(connection) && known.size === 0)
      this.#connections.delete(uid);
  }

  has(uid: string): boolean {
    return this.#connections.has(uid);
  }

  /** Returns the connections of a user. They may come and go during an iteration. */
  of(uid: string): Iterable<C> {
    const known = this.#connections.get(uid);
    if (known === undefined) return NONE;
    return known instanceof Set ? known : [known];
  }
}
