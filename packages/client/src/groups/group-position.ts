import type { Position } from '@groupcast/protocol/client';

/** Own messages that were published ahead of what was received are remembered up to this number. */
const AHEAD_MAX = 1_000;

/**
 * Up to where a group's messages have been received. Messages that this client sent with `excludeSelf` never come back, so the
 * position moves over them when the gateway says where they are; or else a member that only sends would stay behind for ever,
 * and once its position is older than the history, it would be told of a gap in which nothing was missed.
 */
export class GroupPosition {
  /** Changed here only. */
  value: Position | undefined;
  readonly #ahead = new Set<number>();

  /** Begins anew at a position, or without one. */
  set(position: Position | undefined): void {
    this.value = position;
    this.#ahead.clear();
  }

  /** Whether a message with this offset is new. */
  receive(offset: number): boolean {
    const position = this.value;
    if (!Number.isSafeInteger(offset) || position === undefined || offset <= position.offset) return false;
    // Offsets in between are of own messages: the gateway leaves out nothing else without a word.
    this.#moveTo({ ...position, offset });
    return true;
  }

  /** A message that this client will not get was published there. */
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
