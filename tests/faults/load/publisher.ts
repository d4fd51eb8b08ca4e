import { setTimeout as delay } from 'node:timers/promises';
import { type GroupcastClient, GroupcastError } from '@groupcast/client';
import type { HistoryLog } from '../history/history-log.ts';
import type { Random } from '../random.ts';
import { writeMessage } from './message-text.ts';

export interface PublisherOptions {
  readonly name: string;
  readonly client: GroupcastClient;
  /** Groups that it sends to, at random. */
  readonly groups: readonly string[];
  readonly log: HistoryLog;
  readonly random: Random;
  /** Limit of its rate; it waits for each answer. */
  readonly publishesPerSecond: number;
  readonly messageBytes: number;
  /** Groups in which it is a member: one in ten of its messages there excludes itself. */
  readonly own?: ReadonlySet<string>;
  /** Share of ephemeral messages, 0 to 1. Default 0. */
  readonly ephemeralShare?: number;
}

/** With any other error, the message was not published. */
const UNKNOWN_CODES: readonly string[] = ['outcome_unknown', 'closed'];

const EXCLUDES_SELF = 0.1;

/**
 * Sends one message after another, each with an id and after the last answer, and logs the
 * outcomes.
 */
export class Publisher {
  readonly name: string;
  readonly #options: PublisherOptions;
  #sent = 0;
  #isStopped = false;
  #running: Promise<void> | undefined;

  constructor(options: PublisherOptions) {
    this.name = options.name;
    this.#options = options;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Resolves when its last message is answered. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  /** Sends one message, and resolves with its id when it is answered. */
  async publish(group: string, excludeSelf = false, ephemeral = false): Promise<string> {
    const { client, log, messageBytes, name } = this.#options;
    this.#sent += 1;
    const id = `${name}:${this.#sent}`;
    const text = writeMessage(id, messageBytes);
    const excludes = excludeSelf ? { excludes: name } : {};
    const kind = ephemeral ? { ephemeral } : {};
    log.add({ type: 'inv', id, publisher: name, group, seq: this.#sent, ...excludes, ...kind });
    try {
      const options = ephemeral ? { store: false } : { messageId: id };
      const position = await client.group(group).send(text, { ...options, excludeSelf });
      log.add({ type: 'ok', id, ...(position && { position }) });
    } catch (error) {
      if (!(error instanceof GroupcastError)) throw error;
      log.add({ type: UNKNOWN_CODES.includes(error.code) ? 'info' : 'fail', id, code: error.code });
    }
    return id;
  }

  async #run(): Promise<void> {
    const { random, groups, publishesPerSecond, own, ephemeralShare = 0 } = this.#options;
    const everyMs = 1_000 / publishesPerSecond;
    // Different offsets, so that they do not all start at the same moment.
    await delay(random.next() * everyMs);
    while (!this.#isStopped) {
      const startedAt = performance.now();
      const group = random.pick(groups);
      const excludesSelf = own?.has(group) === true && random.next() < EXCLUDES_SELF;
      await this.publish(group, excludesSelf, ephemeralShare > 0 && random.next() < ephemeralShare);
      const restMs = everyMs - (performance.now() - startedAt);
      if (restMs > 0) await delay(restMs);
    }
  }
}
