import { limits } from '@groupcast/protocol';
import type { QueueRow, QueueStats } from './queue-stats.ts';
import { WorkQueue } from './work-queue.ts';

/** Existing queues by name. A queue exists while it has an item or a watch. */
export class QueueTable {
  readonly #queues = new Map<string, WorkQueue>();
  readonly #queuesMax: number;
  /** Number of queues that are no dead-letter queues. */
  #living = 0;

  /** `queuesMax` limits queues and, separately, dead-letter queues, which outlive their queues. */
  constructor(queuesMax: number) {
    this.#queuesMax = queuesMax;
  }

  get(name: string): WorkQueue | undefined {
    return this.#queues.get(name);
  }

  hasRoomFor(name: string): boolean {
    if (this.#queues.has(name)) return true;
    const count = isDeadName(name) ? this.#queues.size - this.#living : this.#living;
    return count < this.#queuesMax;
  }

  /** Returns the queue, creating it if necessary. */
  obtain(name: string): WorkQueue {
    const known = this.#queues.get(name);
    if (known !== undefined) return known;
    const queue = new WorkQueue(name, isDeadName(name));
    this.#queues.set(name, queue);
    if (!queue.isDead) this.#living += 1;
    return queue;
  }

  dropIfUnused(queue: WorkQueue): void {
    if (!queue.isUnused || !this.#queues.delete(queue.name)) return;
    if (!queue.isDead) this.#living -= 1;
  }

  gauges(nowMs: number): Pick<QueueStats, 'queues' | 'waiting' | 'oldestMs'> {
    let waiting = 0;
    let oldestMs = 0;
    for (const queue of this.#queues.values()) {
      waiting += queue.order.size;
      oldestMs = Math.max(oldestMs, oldestAgeMs(queue, nowMs));
    }
    return { queues: this.#queues.size, waiting, oldestMs };
  }

  /** Returns the `countMax` longest queues. */
  rows(countMax: number, nowMs: number): readonly QueueRow[] {
    const longest = [...this.#queues.values()].sort((one, other) => other.size - one.size);
    return longest.slice(0, countMax).map((queue) => ({
      name: queue.name,
      waiting: queue.order.size,
      leased: queue.leased,
      bytes: queue.bytes,
      oldestMs: oldestAgeMs(queue, nowMs),
      watchers: queue.watches.size,
    }));
  }
}

function isDeadName(name: string): boolean {
  return name.startsWith(limits.DEAD_QUEUE_PREFIX);
}

/** Age of the first waiting item, in milliseconds. */
function oldestAgeMs(queue: WorkQueue, nowMs: number): number {
  const { first } = queue.order;
  return first === undefined ? 0 : nowMs - first.enqueuedAtMs;
}
