/** Typed events with one argument each. */
export class Emitter<Events> {
  /** Listeners by event. The value is true for a listener of one event. */
  readonly #listeners = new Map<keyof Events, Map<(event: never) => void, boolean>>();
  readonly #changed: (() => void) | undefined;

  /** Calls `changed` after a listener was added or removed. */
  constructor(changed?: () => void) {
    this.#changed = changed;
  }

  get hasListeners(): boolean {
    return this.#listeners.size > 0;
  }

  /**
   * Adds a listener. Returns a function that removes it. As in the DOM, adding a listener twice has
   * no effect, and a removed listener does not receive an event that is being emitted.
   */
  on<Name extends keyof Events>(
    name: Name,
    listener: (event: Events[Name]) => void,
    isOnce = false,
  ): () => void {
    const listeners = this.#listeners.get(name) ?? new Map<(event: never) => void, boolean>();
    if (!listeners.has(listener)) this.#listeners.set(name, listeners.set(listener, isOnce));
    this.#changed?.();
    return () => this.off(name, listener);
  }

  off<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): void {
    const listeners = this.#listeners.get(name);
    if (!listeners?.delete(listener)) return;
    if (listeners.size === 0) this.#listeners.delete(name);
    this.#changed?.();
  }

  /**
   * Calls the listeners in the order of their addition. Their exceptions become uncaught errors.
   */
  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    const listeners = this.#listeners.get(name);
    for (const [listener, isOnce] of [...(listeners ?? [])] as [(event: Events[Name]) => void, boolean][]) {
      if (!listeners?.has(listener)) continue;
      if (isOnce) this.off(name, listener);
      try {
        listener(event);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
