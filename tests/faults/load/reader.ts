import { setTimeout as delay } from 'node:timers/promises';
import { type GroupcastClient, GroupcastError, type HistoryOptions } from '@groupcast/client';
import type { Position } from '../history/history-event.ts';
import type { HistoryLog } from '../history/history-log.ts';
import type { Random } from '../random.ts';
import { readMessage } from './message-text.ts';

export interface ReaderOptions {
  readonly name: string;
  readonly client: GroupcastClient;
  readonly groups: readonly string[];
  readonly log: HistoryLog;
  readonly random: Random;
}

const PAUSE_MS = 100;

/** Messages of one answer: fewer than are asked for, so that a reader reads on. */
const LIMIT = 10;
const LAST_MAX = 30;
const PAGES_MAX = 3;

/** Reads the newest messages of groups at random, page by page, and logs requests and answers. */
export class Reader {
  readonly #options: ReaderOptions;
  readonly #end = new AbortController();
  #reads = 0;
  #running: Promise<void> | undefined;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Resolves when its last request is answered or cancelled. */
  async stop(): Promise<void> {
    this.#end.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { random, groups } = this.#options;
    const { signal } = this.#end;
    while (!signal.aborted) {
      const group = random.pick(groups);
      let position = await this.#read(group, { last: random.between(1, LAST_MAX) });
      for (let pages = 1; position !== undefined && pages < PAGES_MAX; pages++)
        position = await this.#read(group, { since: position });
      await delay(PAUSE_MS, undefined, { signal }).catch(() => {});
    }
  }

  /** Reads one page. Resolves with the position to read on from, if there are further messages. */
  async #read(group: string, from: HistoryOptions): Promise<Position | undefined> {
    const { client, log, name } = this.#options;
    this.#reads += 1;
    const read = `${name}:${this.#reads}`;
    log.add({ type: 'ask', read, group });
    try {
      const options = { ...from, limit: LIMIT, signal: this.#end.signal };
      const {
        messages: found,
        verdict,
        position,
        hasMore: more,
      } = await client.group(group).history(options);
      const messages = found.map(({ offset = 0, message: text }) => ({ offset, ...readMessage(text) }));
      const since = from.since ? { since: from.since } : {};
      log.add({ type: 'read', read, group, verdict, position, more, ...since, messages });
      return more ? position : undefined;
    } catch (error) {
      if (error instanceof GroupcastError || this.#end.signal.aborted) return undefined;
      throw error;
    }
  }
}
