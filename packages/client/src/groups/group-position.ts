import type { Position } from '@groupcast/protocol/client';

/** Own messages ahead of the position that are remembered. */
const AHEAD_MAX = 1_000;

/**
 * The position up to which a client has received the messages of a group. It passes over own
 * messages with `excludeSelf`, which are never delivered to their sender. Otherwise the position of
 * a member that only sends would become older than the history, and the next join would report a
 * false gap.
 */
export class GroupPosition {
  /** Read-only for others. */
  value: Position | undefined;
  readonly #ahead = new Set<number>();

  /** Starts over at a position, or without one. */
  set(position: Position | undefined): void {
    this.value = position;
    this.#ahead.clear();
  }

  /** Moves to a received offset. Returns false for a repetition. */
  receive(offset: number): boolean {
    const position = this.value;
    if (!Number.isSafeInteger(offset) || position === undefined || offset <= position.offset) return false;
    // Skipped offsets are those of own messages: for others the gateway sends a gap.
    this.#moveTo({ ...position, offset });
    return true;
  }

  /** Passes over an own message that is not delivered to this client. */
  skip({ epoch, offset }: Position): void {
    if (this.value?.epoch !== epoch || offset <= this.value.offset) return;
    if (offset === this.value.offset + 1) this.#moveTo({ epoch, offset });
    else if (this.#ahead.size < AHEAD_MAX) this.#ahead.add(offset);
  }

  #moveTo({ epoch, offset }: Position): void {
    let top = offset;
    while (this.#ahead.delete(top + 1)) top += 1;
    for (const passed of this.#ahead) if (passed <= top) this.#ahead.delete(passed);
    this.value = { epoch, offset: top };
  }
}
