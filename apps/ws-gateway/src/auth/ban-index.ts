import {
  BAN_KEYS,
  type Ban,
  type CloseReason,
  formatIpNetwork,
  maskIp,
  parseIpNetwork,
} from '@groupcast/protocol';
import type { Identity } from './identity.ts';

/** Close of a connection, and the text for its client. */
export interface BanVerdict {
  readonly close: Extract<CloseReason, 'banned' | 'revoked'>;
  /** Undefined: the sentence of the close code. */
  readonly text: string | undefined;
}

/** The part of an identity that bans are about. */
export type BannableIdentity = Pick<Identity, 'uid' | 'tokenId' | 'issuedAt'>;

/** Networks with the same number of bits. */
interface NetworkSize {
  readonly bytes: number;
  readonly bits: number;
  /** Number of bans of such networks. */
  count: number;
}

/** Bans by their keys. A question costs a few look-ups, however many bans there are. */
export class BanIndex {
  readonly #bans = new Map<string, Ban>();
  /** Sizes of the networks with a ban. */
  readonly #sizes = new Map<number, NetworkSize>();

  get size(): number {
    return this.#bans.size;
  }

  set(key: string, ban: Ban): void {
    if (!this.#bans.has(key)) this.#count(ban, 1);
    this.#bans.set(key, ban);
  }

  delete(key: string): void {
    const ban = this.#bans.get(key);
    if (ban === undefined) return;
    this.#bans.delete(key);
    this.#count(ban, -1);
  }

  /** Returns the verdict about a connection from an address, whose client may have an identity. */
  verdict(address: string, identity: BannableIdentity | undefined): BanVerdict | undefined {
    return this.#verdictOfAddress(address) ?? (identity && this.#verdictOfIdentity(identity));
  }

  /** Returns the ban of a user from a group, if there is one. */
  ofMember(group: string, uid: string): Ban | undefined {
    return this.#bans.get(BAN_KEYS.member(group, uid));
  }

  #verdictOfAddress(address: string): BanVerdict | undefined {
    if (this.#sizes.size === 0) return undefined;
    // Node names the interface of a link-local address.
    const [bare = ''] = address.split('%', 1);
    const bytes = parseIpNetwork(bare)?.bytes;
    if (bytes === undefined) return undefined;
    for (const size of this.#sizes.values()) {
      if (size.bytes !== bytes.length) continue;
      const network = { bytes: maskIp(bytes, size.bits), bits: size.bits };
      const ban = this.#bans.get(BAN_KEYS.address(formatIpNetwork(network)));
      if (ban !== undefined) return { close: 'banned', text: ban.reason };
    }
    return undefined;
  }

  #verdictOfIdentity({ uid, tokenId, issuedAt }: BannableIdentity): BanVerdict | undefined {
    const ofUser = this.#bans.get(BAN_KEYS.user(uid));
    if (ofUser !== undefined) {
      const { notBefore, reason: text } = ofUser;
      if (notBefore === undefined) return { close: 'banned', text };
      if (issuedAt === undefined || issuedAt < notBefore) return { close: 'revoked', text };
    }
    const ofToken = tokenId === undefined ? undefined : this.#bans.get(BAN_KEYS.token(tokenId));
    return ofToken && { close: 'revoked', text: ofToken.reason };
  }

  #count({ target }: Ban, change: number): void {
    const network = 'address' in target ? parseIpNetwork(target.address) : undefined;
    if (network === undefined) return;
    const { bytes, bits } = network;
    const id = bytes.length * 1_000 + bits;
    const size = this.#sizes.get(id) ?? { bytes: bytes.length, bits, count: 0 };
    size.count += change;
    if (size.count === 0) this.#sizes.delete(id);
    else this.#sizes.set(id, size);
  }
}
