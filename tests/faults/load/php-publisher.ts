import { setTimeout as delay } from 'node:timers/promises';
import type { TestProcess } from '@groupcast/testkit';
import type { HistoryLog } from '../history/history-log.ts';
import type { Random } from '../random.ts';
import { writeMessage } from './message-text.ts';
import { startFaultsPhp } from './start-php.ts';

export interface PhpPublisherOptions {
  readonly name: string;
  readonly port: number;
  readonly groups: readonly string[];
  readonly log: HistoryLog;
  readonly random: Random;
  readonly publishesPerSecond: number;
  readonly messageBytes: number;
}

/**
 * A PHP worker that sends messages on demand. Its wire has no answers: the outcome of a sent
 * message stays unknown.
 */
export class PhpPublisher {
  readonly child: TestProcess;
  readonly #options: PhpPublisherOptions;
  #sent = 0;
  #isStopped = false;
  #running: Promise<void> | undefined;

  constructor(options: PhpPublisherOptions) {
    this.#options = options;
    this.child = startFaultsPhp('publish-told', options.port);
  }

  start(): void {
    this.#running = this.#run();
    // The caller of `stop` gets the error.
    this.#running.catch(() => {});
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    const { random, groups, publishesPerSecond } = this.#options;
    const everyMs = 1_000 / publishesPerSecond;
    await delay(random.next() * everyMs);
    while (!this.#isStopped) {
      const startedAt = performance.now();
      await this.#publish(random.pick(groups));
      const restMs = everyMs - (performance.now() - startedAt);
      if (restMs > 0) await delay(restMs);
    }
  }

  async #publish(group: string): Promise<void> {
    const { log, messageBytes, name } = this.#options;
    this.#sent += 1;
    const id = `${name}:${this.#sent}`;
    log.add({ type: 'inv', id, publisher: name, group, seq: this.#sent, once: true });
    this.child.write(`${group} ${writeMessage(id, messageBytes)}\n`);
    const answer = await this.child.lines.next((line) => line === 'sent' || line === 'unsent');
    if (answer === 'sent') log.add({ type: 'info', id, code: 'no_answers' });
    else log.add({ type: 'fail', id, code: 'not_connected' });
  }
}
