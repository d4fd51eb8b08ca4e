import type { Socket } from 'node:net';

/** Faults that a proxy applies to the bytes of one direction. */
export interface Conditions {
  /** How long each chunk is held, default 0. */
  readonly delayMs?: number;
  /** Upper bound of a random further delay, default 0. Bytes keep their order. */
  readonly jitterMs?: number;
  /** How fast bytes leave, default 0: as fast as they can. */
  readonly bytesPerSecond?: number;
  /** Bytes leave in pieces of this size, each written for itself, default 0: as they came. */
  readonly sliceBytes?: number;
}

interface HeldChunk {
  readonly bytes: Buffer;
  readonly dueAt: number;
}

/**
 * Most bytes held for one direction of one connection. Above that the proxy does not read from the
 * sender, as with a full network.
 */
const HELD_BYTES_MAX = 1024 * 1024;

/** With a bounded bandwidth, bytes leave in steps of this time. */
const STEP_MS = 10;

/**
 * One direction of one connection of a proxy: what comes from `source` goes to `target`, under
 * changing conditions.
 */
export class ProxyPipe {
  readonly #source: Socket;
  readonly #target: Socket;
  readonly #random: () => number;
  readonly #onPassed: (bytes: Buffer) => void;
  readonly #held: HeldChunk[] = [];
  #heldBytes = 0;
  #conditions: Conditions = {};
  #isBlackholed = false;
  #sourceEnded = false;
  #isWaiting = false;
  #lastDueAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #turn: NodeJS.Immediate | undefined;

  /** `onPassed` is told of all bytes that left, before they leave. */
  constructor(source: Socket, target: Socket, random: () => number, onPassed: (bytes: Buffer) => void) {
    this.#source = source;
    this.#target = target;
    this.#random = random;
    this.#onPassed = onPassed;
    source.on('data', (bytes: Buffer) => this.#take(bytes));
    source.on('end', () => {
      this.#sourceEnded = true;
      this.#pass();
    });
    target.on('drain', () => this.#wake());
  }

  /** Bytes that wait in here. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  set(conditions: Conditions): void {
    this.#conditions = conditions;
    this.#wake();
  }

  /** While true nothing leaves, neither bytes nor the end. */
  blackhole(isBlackholed: boolean): void {
    this.#isBlackholed = isBlackholed;
    if (!isBlackholed) this.#wake();
  }

  stop(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#turn);
    this.#held.length = 0;
    this.#heldBytes = 0;
  }

  #take(bytes: Buffer): void {
    const { delayMs = 0, jitterMs = 0 } = this.#conditions;
    const dueAt = performance.now() + delayMs + jitterMs * this.#random();
    // A later chunk never overtakes an earlier one.
    this.#lastDueAt = Math.max(this.#lastDueAt, dueAt);
    this.#held.push({ bytes, dueAt: this.#lastDueAt });
    this.#heldBytes += bytes.length;
    if (this.#heldBytes >= HELD_BYTES_MAX) this.#source.pause();
    if (!this.#isWaiting) this.#pass();
  }

  #wake(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#turn);
    this.#isWaiting = false;
    this.#pass();
  }

  /** Sends what is due, and sees to it that it is called again for the rest. */
  #pass(): void {
    const now = performance.now();
    while (!this.#isBlackholed && !this.#isWaiting && !this.#target.destroyed) {
      const [next] = this.#held;
      if (next === undefined) {
        if (this.#sourceEnded) this.#target.end();
        return;
      }
      if (next.dueAt > now) this.#waitMs(next.dueAt - now);
      else this.#send(next);
    }
  }

  #send(next: HeldChunk): void {
    const { bytesPerSecond = 0, sliceBytes = 0 } = this.#conditions;
    const stepBytes = bytesPerSecond === 0 ? Infinity : Math.max(1, (bytesPerSecond * STEP_MS) / 1_000);
    const size = Math.floor(Math.min(next.bytes.length, sliceBytes || Infinity, stepBytes));
    const bytes = next.bytes.subarray(0, size);
    if (size === next.bytes.length) this.#held.shift();
    else this.#held[0] = { bytes: next.bytes.subarray(size), dueAt: next.dueAt };
    this.#heldBytes -= size;
    if (this.#heldBytes < HELD_BYTES_MAX && this.#source.isPaused()) this.#source.resume();
    this.#onPassed(bytes);
    if (this.#target.destroyed) return;
    if (!this.#target.write(bytes)) this.#isWaiting = true;
    else if (bytesPerSecond > 0) this.#waitMs((size / bytesPerSecond) * 1_000);
    else if (sliceBytes > 0) this.#waitTurn();
  }

  #waitMs(ms: number): void {
    this.#isWaiting = true;
    this.#timer = setTimeout(() => this.#wake(), ms);
  }

  #waitTurn(): void {
    this.#isWaiting = true;
    this.#turn = setImmediate(() => this.#wake());
  }
}
