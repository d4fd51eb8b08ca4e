/** Typed events with one argument each. */
export class Emitter<Events> {
  /** For each event its listeners, and whether each hears only one event. */
  readonly #listeners = new Map<keyof Events, Map<(event: never) => void, boolean>>();
  readonly #changed: (() => void) | undefined;

  /** `changed` is called when a listener was added or removed. */
  constructor(changed?: () => void) {
    this.#changed = changed;
  }

  get hasListeners(): boolean {
    return this.#listeners.size > 0;
  }

  /**
   * Returns what removes it. As in the DOM, a listener that is added twice is there once, and one that was removed is not called
   * any more, not even with an event that is being told.
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

  /** Tells the listeners in the order in which they were added. What one throws becomes an uncaught error, and disturbs nothing. */
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
