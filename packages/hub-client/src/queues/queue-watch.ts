import type { native } from '@groupcast/protocol';

/** One item of work. */
export interface QueueItem {
  readonly queue: string;
  readonly kind: native.PayloadKind;
  /** Valid as long as it is referred to. */
  readonly payload: Uint8Array;
  /** How often the item was handed out, this time counted: above 1 it may have been worked on before. */
  readonly attempt: number;
}

/** Works on an item. It is done when this returns, or when its promise resolves; when it throws or rejects, the item is handed out again. */
export type QueueHandler = (item: QueueItem) => Promise<void> | void;

export interface WatchOptions {
  /** Items at a time, 1 to 1,000. Default 1, which keeps their order. */
  readonly concurrency?: number;
}

/** What `watch` answers with. */
export interface QueueWatcher {
  /** Asks for no more items. Resolves when the handler has ended for all that it has; their outcome is told to the hub. */
  close(): Promise<void>;
}

/** A queue that is watched, over broken links as well. */
export class QueueWatch {
  readonly queue: string;
  readonly handler: QueueHandler;
  readonly concurrency: number;
  /** Of the last WATCH: a refusal of an earlier one says nothing any more. */
  request = 0;
  /** The hub has refused it on this link, and is to be asked again. */
  isRefused = false;
  /** That it was refused has been told, and nothing has come since. */
  isRefusalTold = false;
  #underWay = 0;
  #onIdle: (() => void)[] = [];

  constructor(queue: string, handler: QueueHandler, concurrency: number) {
    this.queue = queue;
    this.handler = handler;
    this.concurrency = concurrency;
  }

  /** Works on an item. Rejects with whatever the handler throws. */
  async run(item: QueueItem): Promise<void> {
    this.#underWay += 1;
    try {
      await this.handler(item);
    } finally {
      this.#underWay -= 1;
      if (this.#underWay === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
    }
  }

  /** When the handler has ended for all items. */
  idle(): Promise<void> {
    if (this.#underWay === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }
}
