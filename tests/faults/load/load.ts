import { setTimeout as delay } from 'node:timers/promises';
import { GroupcastClient, type GroupcastClientOptions } from '@groupcast/client';
import { until } from '@groupcast/testkit';
import { WebSocket } from 'ws';
import type { HistoryLog } from '../history/history-log.ts';
import type { Random } from '../random.ts';
import { Member } from './member.ts';
import { Publisher } from './publisher.ts';
import { Reader } from './reader.ts';

export interface LoadOptions {
  readonly members: number;
  readonly groups: number;
  readonly groupsPerMember: number;
  readonly publishers: number;
  /** Publishers, out of those above, that are members as well and sometimes exclude themselves. */
  readonly publishingMembers: number;
  /** Messages per second of each publisher. */
  readonly publishesPerSecond: number;
  readonly messageBytes: number;
  readonly sdk: Partial<GroupcastClientOptions>;
  /** Share of messages that are ephemeral. Default 0. */
  readonly ephemeralShare?: number;
  /** Clients that read the newest messages of groups all the time. Default 0. */
  readonly readers?: number;
  /** Members that join during the run, one after another, with earlier messages. Default 0. */
  readonly lateMembers?: number;
  /** Returns tokens for clients. Default: they have none. */
  readonly tokens?: (uid: string, groupsOfServer: readonly string[]) => Promise<string>;
  /** Members, out of those above, whose groups the server joins by their tokens. Default 0. */
  readonly membersOfServer?: number;
  /** Share of messages that the tap drops, to test that the checker detects it. Default 0. */
  readonly lost?: number;
}

/** A fifth of the usual load of the fault matrix, for faults that need no more. */
export const SMALL_LOAD: LoadOptions = {
  members: 40,
  groups: 8,
  groupsPerMember: 3,
  publishers: 5,
  publishingMembers: 1,
  publishesPerSecond: 20,
  messageBytes: 100,
  // Runs are short: a client with a delay of 20 s would see little of them.
  sdk: { reconnectMinMs: 100, reconnectMaxMs: 2_000 },
};

/** The usual load of the fault matrix. */
export const COMMON_LOAD: LoadOptions = {
  ...SMALL_LOAD,
  members: 200,
  groups: 20,
  publishers: 10,
  publishingMembers: 2,
};

/** Requests beside messages that are stored: ephemeral ones, `history`, and joins with `last`. */
export const MIXED: Pick<LoadOptions, 'ephemeralShare' | 'readers' | 'lateMembers'> = {
  ephemeralShare: 0.2,
  readers: 3,
  lateMembers: 20,
};

/** Earlier messages that a late member asks for, and the time between two such members. */
const LATE_LAST = 20;
const LATE_EVERY_MS = 300;

export interface LoadContext {
  readonly log: HistoryLog;
  readonly random: Random;
  /** Returns the URL to connect to, asked for each connection. */
  readonly url: () => string;
}

const MARKER = 'marker';

/** Members and publishers until the end of a run. */
export class Load {
  readonly options: LoadOptions;
  readonly groups: readonly string[];
  /** Members, to which late ones are added. */
  readonly members: Member[];
  readonly publishers: readonly Publisher[];
  readonly #log: HistoryLog;
  readonly #clients: GroupcastClient[] = [];
  readonly #marker: Publisher;
  readonly #readers: readonly Reader[];
  readonly #newMember: (name: string, last?: number) => Member;
  readonly #stop = new AbortController();
  #joiningLate: Promise<void> | undefined;

  private constructor(options: LoadOptions, context: LoadContext) {
    const { log, random } = context;
    this.options = options;
    this.#log = log;
    this.groups = Array.from({ length: options.groups }, (_, index) => `group-${index}`);
    const newMember = (name: string, last?: number, isJoinedByServer = false): Member => {
      const groups = random.sample(this.groups, options.groupsPerMember);
      const loses = (): boolean => random.next() < (options.lost ?? 0);
      return new Member({
        name,
        groups,
        log,
        url: context.url,
        sdk: this.#sdkOf(name, isJoinedByServer ? groups : []),
        loses,
        isJoinedByServer,
        ...(last && { last }),
      });
    };
    this.#newMember = newMember;
    const newPublisher = (name: string, client: GroupcastClient, own?: ReadonlySet<string>): Publisher =>
      new Publisher({ ...options, name, client, groups: this.groups, log, random, ...(own && { own }) });
    const both = Array.from({ length: options.publishingMembers }, (_, index) => newMember(`p${index}`));
    const silent = Array.from({ length: options.members - both.length }, (_, index) =>
      newMember(`m${index}`, undefined, index < (options.membersOfServer ?? 0)),
    );
    this.members = [...both, ...silent];
    this.publishers = [
      ...both.map(({ name, client, groups }) => newPublisher(name, client, new Set(groups))),
      ...Array.from({ length: options.publishers - both.length }, (_, index) =>
        newPublisher(`q${index}`, this.#newClient(`q${index}`, context)),
      ),
    ];
    this.#marker = newPublisher(MARKER, this.#newClient(MARKER, context));
    this.#readers = Array.from({ length: options.readers ?? 0 }, (_, index) => {
      return new Reader({
        name: `r${index}`,
        client: this.#newClient(`r${index}`, context),
        groups: this.groups,
        log,
        random,
      });
    });
  }

  /** Resolves when all members have joined; the publishers then start. */
  static async start(options: LoadOptions, context: LoadContext): Promise<Load> {
    const load = new Load(options, context);
    await load.untilJoined();
    for (const publisher of load.publishers) publisher.start();
    for (const reader of load.#readers) reader.start();
    load.#joiningLate = load.#joinLate();
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
   * Ends the publishers when all faults are over, sends a last message to each group, and waits for
   * it on each member. A member that does not receive it in time is a violation for the checker.
   * Resolves with the last messages' ids, by group.
   */
  async drain(): Promise<ReadonlyMap<string, string>> {
    this.#stop.abort();
    await this.#joiningLate;
    await Promise.all([...this.publishers, ...this.#readers].map((one) => one.stop()));
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

  /** Ends of the members' connections with their times, by performance.now(). */
  closes(): readonly { readonly at: number; readonly code: number }[] {
    return this.members.flatMap(({ tap }) => tap.closes);
  }

  /** Messages that members received and their SDK did not deliver. */
  swallowed(): string[] {
    return this.members.flatMap((member) => member.swallowed());
  }

  close(): void {
    this.#stop.abort();
    for (const reader of this.#readers) void reader.stop();
    for (const member of this.members) member.close();
    for (const client of this.#clients) client.close();
  }

  async #joinLate(): Promise<void> {
    const { signal } = this.#stop;
    for (let index = 0; index < (this.options.lateMembers ?? 0); index++) {
      await delay(LATE_EVERY_MS, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      this.members.push(this.#newMember(`late${index}`, LATE_LAST));
    }
  }

  /** Returns the options of a client, with its token. */
  #sdkOf(name: string, groupsOfServer: readonly string[] = []): Partial<GroupcastClientOptions> {
    const { sdk, tokens } = this.options;
    return tokens === undefined ? sdk : { ...sdk, getToken: () => tokens(name, groupsOfServer) };
  }

  #newClient(name: string, { url }: LoadContext): GroupcastClient {
    const WithUrl = class extends WebSocket {
      constructor(_url: string, protocols: string[]) {
        super(url(), protocols);
      }
    };
    const client = new GroupcastClient(url(), { ...this.#sdkOf(name), WebSocket: WithUrl });
    this.#clients.push(client);
    return client;
  }
}
