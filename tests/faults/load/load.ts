import { GroupcastClient, type GroupcastClientOptions } from '@groupcast/client';
import { until } from '@groupcast/testkit';
import { WebSocket } from 'ws';
import type { HistoryLog } from '../history/history-log.ts';
import type { Random } from '../random.ts';
import { Member } from './member.ts';
import { Publisher } from './publisher.ts';

export interface LoadOptions {
  readonly members: number;
  readonly groups: number;
  readonly groupsPerMember: number;
  readonly publishers: number;
  /** Publishers that are members as well, and sometimes exclude themselves; of the above. */
  readonly publishingMembers: number;
  /** Of each publisher. */
  readonly publishesPerSecond: number;
  readonly messageBytes: number;
  readonly sdk: Partial<GroupcastClientOptions>;
  /** The share of messages that is lost between a gateway and its members, to see whether that is found. Default 0. */
  readonly lost?: number;
}

/** A fifth of the common load of the fault matrix, for a fault that does not need more. */
export const SMALL_LOAD: LoadOptions = {
  members: 40,
  groups: 8,
  groupsPerMember: 3,
  publishers: 5,
  publishingMembers: 1,
  publishesPerSecond: 20,
  messageBytes: 100,
  // Runs are short: who waits for 20 s sees little of them.
  sdk: { reconnectMinMs: 100, reconnectMaxMs: 2_000 },
};

/** The common load of the fault matrix. */
export const COMMON_LOAD: LoadOptions = {
  ...SMALL_LOAD,
  members: 200,
  groups: 20,
  publishers: 10,
  publishingMembers: 2,
};

export interface LoadContext {
  readonly log: HistoryLog;
  readonly random: Random;
  /** Where a client is to connect, asked each time. */
  readonly url: () => string;
}

const MARKER = 'marker';

/** Members and publishers, and what they do until the end of a run. */
export class Load {
  readonly options: LoadOptions;
  readonly groups: readonly string[];
  readonly members: readonly Member[];
  readonly publishers: readonly Publisher[];
  readonly #log: HistoryLog;
  readonly #clients: GroupcastClient[] = [];
  readonly #marker: Publisher;

  private constructor(options: LoadOptions, context: LoadContext) {
    const { log, random } = context;
    this.options = options;
    this.#log = log;
    this.groups = Array.from({ length: options.groups }, (_, index) => `group-${index}`);
    const newMember = (name: string): Member => {
      const groups = random.sample(this.groups, options.groupsPerMember);
      const loses = (): boolean => random.next() < (options.lost ?? 0);
      return new Member({ name, groups, log, url: context.url, sdk: options.sdk, loses });
    };
    const newPublisher = (name: string, client: GroupcastClient, own?: ReadonlySet<string>): Publisher =>
      new Publisher({ ...options, name, client, groups: this.groups, log, random, ...(own && { own }) });
    const both = Array.from({ length: options.publishingMembers }, (_, index) => newMember(`p${index}`));
    const silent = Array.from({ length: options.members - both.length }, (_, index) =>
      newMember(`m${index}`),
    );
    this.members = [...both, ...silent];
    this.publishers = [
      ...both.map(({ name, client, groups }) => newPublisher(name, client, new Set(groups))),
      ...Array.from({ length: options.publishers - both.length }, (_, index) =>
        newPublisher(`q${index}`, this.#newClient(context)),
      ),
    ];
    this.#marker = newPublisher(MARKER, this.#newClient(context));
  }

  /** Resolves when all members have joined; the publishers publish from then on. */
  static async start(options: LoadOptions, context: LoadContext): Promise<Load> {
    const load = new Load(options, context);
    await load.untilJoined();
    for (const publisher of load.publishers) publisher.start();
    return load;
  }

  async untilJoined(): Promise<void> {
    await until(
      () => this.members.filter((member) => !member.isJoined).map(({ name }) => name),
      'all members to join',
      (left) => left.length === 0,
    );
  }

  /**
   * When all faults are over: ends the publishers, sends a last message to each group, and waits until each member has it. Whoever has
   * not in time is found by the checker, as is everything else. Resolves with the last messages' ids, by group.
   */
  async drain(): Promise<ReadonlyMap<string, string>> {
    await Promise.all(this.publishers.map((publisher) => publisher.stop()));
    const last = new Map<string, string>();
    for (const group of this.groups) {
      const id = await this.#marker.publish(group);
      this.#log.add({ type: 'marker', group, id });
      last.set(group, id);
    }
    const hasAll = ({ groups, tap }: Member): boolean =>
      groups.every((group) => tap.lastId(group) === last.get(group));
    await until(() => this.members.every(hasAll), 'the last messages').catch(() => {});
    return last;
  }

  /** How and when the members' connections ended, by performance.now(). */
  closes(): readonly { readonly at: number; readonly code: number }[] {
    return this.members.flatMap(({ tap }) => tap.closes);
  }

  /** What members got and their SDK did not hand on. */
  swallowed(): string[] {
    return this.members.flatMap((member) => member.swallowed());
  }

  close(): void {
    for (const member of this.members) member.close();
    for (const client of this.#clients) client.close();
  }

  #newClient({ url }: LoadContext): GroupcastClient {
    const WithUrl = class extends WebSocket {
      constructor(_url: string, protocols: string[]) {
        super(url(), protocols);
      }
    };
    const client = new GroupcastClient(url(), { ...this.options.sdk, WebSocket: WithUrl });
    this.#clients.push(client);
    return client;
  }
}
