import {
  BAN_KEYS,
  type Ban,
  CLOSE_CODES,
  limits,
  type native,
  ProtocolError,
  parseBan,
  parseKick,
} from '@groupcast/protocol';
import { type Log, LogLimiter } from '@groupcast/service';
import type { HubKeyedMap, HubPort, HubSubscriber } from '../groups/hub-port.ts';
import { BanIndex, type BannableIdentity, type BanVerdict } from './ban-index.ts';
import { ConnectionsByUid } from './connections-by-uid.ts';
import type { SlicedJobs } from './sliced-jobs.ts';

/** Text for a member that a ban without a reason removes. */
const BANNED_FROM_GROUP = 'Banned from this group.';

/** Key of the job that checks all connections. */
const ALL = 'bans';

/** A connection as bans see it. */
export interface Bannable {
  readonly identity: BannableIdentity | undefined;
  readonly remoteAddress: string;
  close(reason: BanVerdict['close'], reconnectAfterMs: undefined, text: string | undefined): void;
}

export interface BansDeps<C extends Bannable> {
  readonly hub: Pick<HubPort, 'keyed' | 'subscribe' | 'unsubscribe'>;
  readonly log: Log;
  readonly jobs: SlicedJobs;
  /** Connections of this worker. */
  readonly connections: Iterable<C>;
  removeFromGroup(connection: C, groupName: string, reason: string): void;
  /** Called once, when the first copy of the bans is complete. */
  loaded(): void;
}

/**
 * Copy of the bans that the hub has, and what they do to the connections of this worker. A lost
 * link changes nothing: the last copy holds until there is another one.
 */
export class Bans<C extends Bannable> {
  readonly #deps: BansDeps<C>;
  readonly #index = new BanIndex();
  readonly #connections = new ConnectionsByUid<C>();
  readonly #logLimiter: LogLimiter;
  readonly #copy: HubKeyedMap;
  readonly #kicks: HubSubscriber;
  #isLoaded = false;

  constructor(deps: BansDeps<C>) {
    this.#deps = deps;
    const { hub, log } = deps;
    this.#logLimiter = new LogLimiter({
      report: (event, heldBack) => log.warn({ event, heldBack }, 'more problems with bans'),
    });
    this.#copy = hub.keyed(limits.BANS_CHANNEL);
    this.#copy.on('change', (key, value) => this.#changed(key, value?.payload));
    this.#copy.on('ready', () => this.#ready());
    this.#copy.on('failed', (error) => this.#warn('load', { error }, 'bans cannot be loaded'));
    this.#kicks = {
      deliver: (publication) => this.#deliver(publication),
      subscribed: () => {},
      lost: (_subject, _position, reason) => this.#warn('lost', { reason }, 'kicks may be lost'),
      // Bans are then rejected as well, which is logged.
      rejected: () => {},
    };
    hub.subscribe(limits.BANS_CHANNEL, this.#kicks);
  }

  /** Whether the bans of the hub were all loaded once. */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  /** Number of bans. */
  get size(): number {
    return this.#index.size;
  }

  /** Returns the verdict about a connection from an address, whose client may have an identity. */
  verdict(address: string, identity: BannableIdentity | undefined): BanVerdict | undefined {
    return this.#index.verdict(address, identity);
  }

  /** Returns whether a user is banned from a group. */
  isBanned(uid: string, groupName: string): boolean {
    return this.#index.ofMember(groupName, uid) !== undefined;
  }

  /** Adds a connection that has got its identity. The caller has asked for the verdict. */
  identified(connection: C): void {
    this.#connections.add(connection);
  }

  /** Forgets a connection that is closing. It still has its identity. */
  forget(connection: C): void {
    this.#connections.delete(connection);
  }

  close(): void {
    this.#copy.close();
    this.#deps.hub.unsubscribe(limits.BANS_CHANNEL, this.#kicks);
    this.#logLimiter.close();
  }

  #ready(): void {
    if (this.#isLoaded) return;
    this.#isLoaded = true;
    this.#deps.loaded();
  }

  #changed(key: string, value: Uint8Array | undefined): void {
    const ban = value === undefined ? undefined : this.#parse(() => parseBan(key, value), key);
    if (ban === undefined) {
      this.#index.delete(key);
      return;
    }
    this.#index.set(key, ban);
    this.#enforce(key, ban);
  }

  #enforce(key: string, { target, reason }: Ban): void {
    if ('address' in target || 'tokenId' in target)
      this.#deps.jobs.add(ALL, () => this.#check(this.#deps.connections));
    else if (target.group !== undefined) this.#remove(target.group, target.uid, reason ?? BANNED_FROM_GROUP);
    else if (this.#connections.has(target.uid))
      this.#deps.jobs.add(key, () => this.#check(this.#connections.of(target.uid)));
  }

  #deliver({ keyed, payload }: native.Publication): void {
    if (keyed !== undefined) return;
    const kick = this.#parse(() => parseKick(payload), '');
    if (kick !== undefined) this.#remove(kick.group, kick.uid, kick.reason ?? CLOSE_CODES.kicked.reason);
  }

  #remove(group: string, uid: string, reason: string): void {
    if (!this.#connections.has(uid)) return;
    this.#deps.jobs.add(BAN_KEYS.member(group, uid), () => this.#removeAll(group, uid, reason));
  }

  *#check(connections: Iterable<C>): Generator<undefined> {
    for (const connection of connections) {
      const verdict = this.verdict(connection.remoteAddress, connection.identity);
      if (verdict !== undefined) connection.close(verdict.close, undefined, verdict.text);
      yield;
    }
  }

  *#removeAll(group: string, uid: string, reason: string): Generator<undefined> {
    for (const connection of this.#connections.of(uid)) {
      this.#deps.removeFromGroup(connection, group, reason);
      yield;
    }
  }

  #parse<T>(parse: () => T, key: string): T | undefined {
    try {
      return parse();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#warn('invalid', { key, error }, 'an invalid ban is ignored');
      return undefined;
    }
  }

  #warn(event: string, fields: object, message: string): void {
    if (this.#logLimiter.take(event)) this.#deps.log.warn(fields, message);
  }
}
