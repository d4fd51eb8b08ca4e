import { limits } from '@groupcast/protocol';
import type { QueueRow, QueueStats } from './queue-stats.ts';
import { WorkQueue } from './work-queue.ts';

/** The queues there are: each from its first item or watcher on, until it has neither. */
export class QueueTable {
  readonly #queues = new Map<string, WorkQueue>();
  readonly #queuesMax: number;
  /** Those that are no dead-letter queues. */
  #living = 0;

  /** `queuesMax`: so many, and so many dead-letter queues beside them. Those outlive the queues that they belong to. */
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

  /** Makes the queue if there is none. */
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
      oldestMs = Math.max(oldestMs, ageMs(queue, nowMs));
    }
    return { queues: this.#queues.size, waiting, oldestMs };
  }

  /** The longest queues, so many of them. */
  rows(countMax: number, nowMs: number): readonly QueueRow[] {
    const longest = [...this.#queues.values()].sort((one, other) => other.size - one.size);
    return longest.slice(0, countMax).map((queue) => ({
      name: queue.name,
      waiting: queue.order.size,
      leased: queue.leased,
      bytes: queue.bytes,
      oldestMs: ageMs(queue, nowMs),
      watchers: queue.watches.size,
    }));
  }
}

function isDeadName(name: string): boolean {
  return name.startsWith(limits.DEAD_QUEUE_PREFIX);
}

/** How long the first item has waited. */
function ageMs(queue: WorkQueue, nowMs: number): number {
  const { first } = queue.order;
  return first === undefined ? 0 : nowMs - first.enqueuedAtMs;
}
