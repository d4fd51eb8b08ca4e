import { TcpProxy, type TestProcess, until } from '@groupcast/testkit';
import type { HistoryLog } from '../history/history-log.ts';
import type { Random } from '../random.ts';
import { PhpPeer } from './php-peer.ts';
import { PhpPublisher } from './php-publisher.ts';

export interface PhpFleetOptions {
  /** Processes that subscribe to all groups. */
  readonly peers: number;
  readonly publishers: number;
  /** Messages per second of each publisher. */
  readonly publishesPerSecond: number;
  readonly messageBytes: number;
}

export interface PhpFleetContext {
  readonly hubPort: number;
  readonly groups: readonly string[];
  readonly log: HistoryLog;
  readonly random: Random;
}

/**
 * PHP workers beside gateways, at the same hub, with a proxy in between for faults of their own.
 */
export class PhpFleet {
  readonly link: TcpProxy;
  readonly peers: readonly PhpPeer[];
  readonly publishers: readonly PhpPublisher[];
  readonly #groups: readonly string[];
  readonly #ended: string[] = [];

  private constructor(link: TcpProxy, options: PhpFleetOptions, { groups, log, random }: PhpFleetContext) {
    const { port } = link;
    this.link = link;
    this.#groups = groups;
    this.peers = Array.from({ length: options.peers }, (_, index) => new PhpPeer(`php${index}`, port, log));
    this.publishers = Array.from(
      { length: options.publishers },
      (_, index) => new PhpPublisher({ ...options, name: `w${index}`, port, groups, log, random }),
    );
    for (const child of this.#children) {
      void child.finished.then(({ code }) =>
        this.#ended.push(`a PHP worker ended with ${code}: ${child.stderr}`),
      );
    }
  }

  /** Resolves when all are subscribed; the publishers then start. */
  static async start(options: PhpFleetOptions, context: PhpFleetContext): Promise<PhpFleet> {
    const fleet = new PhpFleet(await TcpProxy.start({ target: context.hubPort }), options, context);
    await fleet.untilSubscribed();
    for (const publisher of fleet.publishers) publisher.start();
    return fleet;
  }

  /** Workers that have ended, which is a failure: an unexpected message of the hub ends them. */
  get ended(): readonly string[] {
    return this.#ended;
  }

  async untilSubscribed(): Promise<void> {
    await until(
      () => this.peers.filter((peer) => !peer.isSubscribed).map(({ name }) => name),
      'all PHP workers to follow',
      (left) => left.length === 0 || this.#ended.length > 0,
    );
  }

  /** Before the last messages: a worker that receives those has received everything it can. */
  async stop(): Promise<void> {
    await Promise.all(this.publishers.map((publisher) => publisher.stop()));
    await this.untilSubscribed();
  }

  /**
   * Waits for the last message of each group. A worker that does not receive it in time is a
   * violation for the checker.
   */
  async drain(last: ReadonlyMap<string, string>): Promise<void> {
    const hasAll = (peer: PhpPeer): boolean =>
      this.#groups.every((group) => peer.lastId(group) === last.get(group));
    await until(() => this.#ended.length > 0 || this.peers.every(hasAll), 'the last messages').catch(
      () => {},
    );
  }

  async close(): Promise<void> {
    for (const peer of this.peers) peer.close();
    for (const child of this.#children) child.kill('SIGKILL');
    await this.link.close();
  }

  get #children(): readonly TestProcess[] {
    return [...this.peers, ...this.publishers].map(({ child }) => child);
  }
}
