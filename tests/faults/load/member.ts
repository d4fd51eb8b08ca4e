import { GroupcastClient, type GroupcastClientOptions } from '@groupcast/client';
import type { HistoryLog } from '../history/history-log.ts';
import { tappedWebSocket, WireTap } from './wire-tap.ts';

export interface MemberOptions {
  readonly name: string;
  readonly groups: readonly string[];
  readonly log: HistoryLog;
  /** Where to connect, asked each time. */
  readonly url: () => string;
  readonly sdk: Partial<GroupcastClientOptions>;
  /** Whether the next message is to be lost, to see whether that is found. Default: none is. */
  readonly loses?: () => boolean;
}

/** A client of the SDK that joins its groups, and stays in them whatever happens. */
export class Member {
  readonly name: string;
  readonly groups: readonly string[];
  readonly client: GroupcastClient;
  /** What its connections carried. */
  readonly tap: WireTap;
  /** Messages that the SDK has handed on, by group. */
  readonly #handedOn: Map<string, number> = new Map();

  constructor({ name, groups, log, url, sdk, loses }: MemberOptions) {
    this.name = name;
    this.groups = groups;
    this.tap = new WireTap(name, log);
    this.client = new GroupcastClient(url(), { ...sdk, WebSocket: tappedWebSocket(this.tap, url, loses) });
    for (const id of groups) {
      const group = this.client.group(id);
      group.on('message', () => this.#handedOn.set(id, (this.#handedOn.get(id) ?? 0) + 1));
      // Refused for good: seen as a member that never hears the last message.
      void group.join().catch(() => {});
    }
  }

  get isJoined(): boolean {
    return this.groups.every((group) => this.tap.groups.has(group));
  }

  /** Groups of which the SDK did not hand on exactly the messages that came. */
  swallowed(): string[] {
    return this.groups
      .filter((group) => (this.#handedOn.get(group) ?? 0) !== this.tap.received(group))
      .map(
        (group) =>
          `${this.name}: ${this.#handedOn.get(group) ?? 0} of ${this.tap.received(group)} in ${group}`,
      );
  }

  close(): void {
    this.client.close();
  }
}
