import { GroupcastClient, type GroupcastClientOptions } from '@groupcast/client';
import type { HistoryLog } from '../history/history-log.ts';
import { tappedWebSocket, WireTap } from './wire-tap.ts';

export interface MemberOptions {
  readonly name: string;
  readonly groups: readonly string[];
  readonly log: HistoryLog;
  /** Returns the URL to connect to, asked for each connection. */
  readonly url: () => string;
  readonly sdk: Partial<GroupcastClientOptions>;
  /** Whether the tap drops the next message, to test that it is detected. Default: never. */
  readonly loses?: () => boolean;
  /** Number of earlier messages that it asks for at its first join. Default: none. */
  readonly last?: number;
  /** Whether the server joins its groups, because its token says so. Default: it does itself. */
  readonly isJoinedByServer?: boolean;
}

/** A client of the SDK in its groups, which it joins, unless the server does. */
export class Member {
  readonly name: string;
  readonly groups: readonly string[];
  readonly client: GroupcastClient;
  /** Log of its connections. */
  readonly tap: WireTap;
  /** Messages that the SDK has delivered, by group. */
  readonly #handedOn: Map<string, number> = new Map();

  constructor({ name, groups, log, url, sdk, loses, last, isJoinedByServer }: MemberOptions) {
    this.name = name;
    this.groups = groups;
    this.tap = new WireTap(name, log);
    this.client = new GroupcastClient(url(), { ...sdk, WebSocket: tappedWebSocket(this.tap, url, loses) });
    for (const id of groups) {
      const group = this.client.group(id);
      group.on('message', () => this.#handedOn.set(id, (this.#handedOn.get(id) ?? 0) + 1));
      if (isJoinedByServer) continue;
      // Rejected for good: the checker sees a member without the last message.
      void group.join({ last }).catch(() => {});
    }
  }

  get isJoined(): boolean {
    return this.groups.every((group) => this.tap.groups.has(group));
  }

  /** Groups of which the SDK did not deliver exactly the received messages. */
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
