import {
  BAN_KEYS,
  type Ban,
  type CloseReason,
  type IpNetwork,
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
  /** Bytes of an address. */
  readonly length: number;
  readonly bits: number;
  /** Bans by the bytes of their networks. */
  readonly bans: Map<string, Ban>;
}

/**
 * Bans by their keys. A question costs a few look-ups, however many bans there are: one for each
 * number of bits that banned networks have.
 */
export class BanIndex {
  readonly #bans = new Map<string, Ban>();
  /** Sizes of the networks with a ban. */
  readonly #sizes = new Map<number, NetworkSize>();

  get size(): number {
    return this.#bans.size;
  }

  set(key: string, ban: Ban): void {
    this.#bans.set(key, ban);
    const network = networkOf(ban);
    if (network === undefined) return;
    const { bytes, bits } = network;
    const id = sizeId(network);
    const size = this.#sizes.get(id) ?? { length: bytes.length, bits, bans: new Map() };
    this.#sizes.set(id, size);
    size.bans.set(String(bytes), ban);
  }

  delete(key: string): void {
    const ban = this.#bans.get(key);
    if (ban === undefined) return;
    this.#bans.delete(key);
    const network = networkOf(ban);
    if (network === undefined) return;
    const id = sizeId(network);
    const size = this.#sizes.get(id);
    size?.bans.delete(String(network.bytes));
    if (size?.bans.size === 0) this.#sizes.delete(id);
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
    for (const { length, bits, bans } of this.#sizes.values()) {
      const ban = length === bytes.length ? bans.get(String(maskIp(bytes, bits))) : undefined;
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
}

function networkOf({ target }: Ban): IpNetwork | undefined {
  return 'address' in target ? parseIpNetwork(target.address) : undefined;
}

function sizeId({ bytes, bits }: IpNetwork): number {
  return bytes.length * 1_000 + bits;
}
