import { formatIpNetwork, maskIp, parseIpNetwork } from './ip-network.ts';
import { CLOSE_REASON_BYTES_MAX, GROUP_NAME_BYTES_MAX } from './limits.ts';
import { isGroupName, isUid } from './name.ts';
import { ProtocolError } from './protocol-error.ts';
import { decodeText } from './text.ts';
import { utf8ByteLength } from './utf8-length.ts';

/** Clients that a ban is about. Each has one ban at most. */
export type BanTarget =
  /** A user. */
  | { readonly uid: string; readonly group?: undefined }
  /** A user in one group. */
  | { readonly group: string; readonly uid: string }
  /** An address, or a network such as `10.1.0.0/16`. */
  | { readonly address: string }
  /** A token, by its claim `jti`. */
  | { readonly tokenId: string };

/** Details of a ban or a kick. */
export interface BanDetails {
  /** Text for the client, at most 123 bytes. */
  readonly reason?: string | undefined;
  /** Author, for logs and lists: 1 to 255 bytes without control characters. */
  readonly by?: string | undefined;
}

export interface Ban extends BanDetails {
  readonly target: BanTarget;
  /**
   * Seconds since 1970: only tokens of the user that were issued before are revoked. Only for a
   * user.
   */
  readonly notBefore?: number | undefined;
}

/** Removal of a user from a group, who may join it again. */
export interface Kick extends BanDetails {
  readonly group: string;
  readonly uid: string;
}

/** Bytes of the value of a ban, and of a kick. */
const VALUE_BYTES_MAX = 4_096;

const UID = 'uid:';
const ADDRESS = 'addr:';
const TOKEN_ID = 'jti:';
const MEMBER = 'member:';

/** Between the names of a group and a user, which have no control characters. */
const SEPARATOR = '\n';

/** Keys of `$bans` for valid targets. An address is in its shortest form. */
export const BAN_KEYS = {
  user: (uid: string): string => UID + uid,
  address: (network: string): string => ADDRESS + network,
  token: (tokenId: string): string => TOKEN_ID + tokenId,
  member: (group: string, uid: string): string => MEMBER + group + SEPARATOR + uid,
} as const;

/** Returns the key of `$bans` for a target. Throws ProtocolError `bad_field`. */
export function banKey(target: BanTarget): string {
  const given: Partial<Record<'uid' | 'group' | 'address' | 'tokenId', unknown>> = target ?? {};
  const { uid, group, address, tokenId } = given;
  const isMember = group !== undefined && uid !== undefined;
  if ([uid, group, address, tokenId].filter((name) => name !== undefined).length !== (isMember ? 2 : 1))
    throw badField('A ban names one of uid, address, tokenId, or group and uid.');
  if (isMember) return BAN_KEYS.member(checkedName('group', group), checkedUid(uid));
  if (uid !== undefined) return BAN_KEYS.user(checkedUid(uid));
  if (tokenId !== undefined) return BAN_KEYS.token(checkedName('tokenId', tokenId));
  if (address !== undefined) return BAN_KEYS.address(checkedNetwork(address));
  throw badField('A ban of a group needs its uid.');
}

/** Returns the value of a ban, as JSON. Throws ProtocolError `bad_field`. */
export function encodeBan({ target, notBefore, ...details }: Ban): string {
  if (notBefore !== undefined && !banKey(target).startsWith(UID))
    throw badField('notBefore is only for a ban of a uid.');
  if (notBefore !== undefined && !isSeconds(notBefore))
    throw badField(`notBefore is ${notBefore}; it must be an integer of seconds since 1970.`);
  return JSON.stringify({ not_before: notBefore, ...checkedDetails(details) });
}

/** Parses a key of `$bans` and its value. Throws ProtocolError `bad_field`. */
export function parseBan(key: string, value: Uint8Array): Ban {
  const target = targetOf(key);
  // The same text, so that a target has one key.
  if (target === undefined || banKey(target) !== key) throw badField('The key is not that of a ban.');
  const { not_before: notBefore, reason, by } = parseObject(value);
  const ban: Ban = { target, ...checkedDetails({ reason, by }) };
  if (notBefore === undefined || !key.startsWith(UID)) return ban;
  if (!isSeconds(notBefore)) throw badField('not_before is not an integer of seconds.');
  return { ...ban, notBefore };
}

/** Returns the publication of `$bans` that makes a kick. Throws ProtocolError `bad_field`. */
export function encodeKick({ group, uid, ...details }: Kick): string {
  const names = { group_id: checkedName('group', group), uid: checkedUid(uid) };
  return JSON.stringify({ cmd: 'kick', ...names, ...checkedDetails(details) });
}

/** Parses a publication of `$bans` without a key. Throws ProtocolError `bad_field`. */
export function parseKick(payload: Uint8Array): Kick {
  const { cmd, group_id: group, uid, reason, by } = parseObject(payload);
  if (cmd !== 'kick') throw badField('cmd is not kick.');
  return { group: checkedName('group_id', group), uid: checkedUid(uid), ...checkedDetails({ reason, by }) };
}

function targetOf(key: string): BanTarget | undefined {
  if (key.startsWith(UID)) return { uid: key.slice(UID.length) };
  if (key.startsWith(TOKEN_ID)) return { tokenId: key.slice(TOKEN_ID.length) };
  if (key.startsWith(ADDRESS)) return { address: key.slice(ADDRESS.length) };
  const separator = key.indexOf(SEPARATOR);
  if (!key.startsWith(MEMBER) || separator < 0) return undefined;
  return { group: key.slice(MEMBER.length, separator), uid: key.slice(separator + 1) };
}

function parseObject(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  if (bytes.length > VALUE_BYTES_MAX)
    throw badField(`The value has ${bytes.length} bytes. At most ${VALUE_BYTES_MAX} are allowed.`);
  try {
    const value: unknown = JSON.parse(decodeText(bytes));
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw badField('The value is not JSON.', cause);
  }
  throw badField('The value is not a JSON object.');
}

function checkedDetails(details: { readonly reason?: unknown; readonly by?: unknown }): BanDetails {
  const { reason, by } = details;
  if (by !== undefined && !isGroupName(by))
    throw badField(`by must be a text of 1 to ${GROUP_NAME_BYTES_MAX} bytes without control characters.`);
  if (reason === undefined || reason === '') return by === undefined ? {} : { by };
  const bytes = typeof reason === 'string' ? utf8ByteLength(reason) : -1;
  if (typeof reason !== 'string' || bytes < 0 || bytes > CLOSE_REASON_BYTES_MAX)
    throw badField(`reason must be a text of at most ${CLOSE_REASON_BYTES_MAX} bytes.`);
  return by === undefined ? { reason } : { reason, by };
}

function checkedName(field: string, name: unknown): string {
  if (isGroupName(name)) return name;
  throw badField(`${field} must be a text of 1 to ${GROUP_NAME_BYTES_MAX} bytes without control characters.`);
}

function checkedUid(uid: unknown): string {
  if (isUid(uid)) return uid;
  throw badField(
    `uid must be a text of 1 to ${GROUP_NAME_BYTES_MAX} bytes without control characters and without *.`,
  );
}

function checkedNetwork(address: unknown): string {
  const network = typeof address === 'string' ? parseIpNetwork(address) : undefined;
  if (network === undefined)
    throw badField(
      `address is ${JSON.stringify(address)}; write it such as 203.0.113.7, 10.1.0.0/16 or 2001:db8::/32.`,
    );
  const { bytes, bits } = network;
  const first = { bytes: maskIp(bytes, bits), bits };
  if (first.bytes.some((byte, at) => byte !== bytes[at]))
    throw badField(`address is ${address}, which has bits behind /${bits}. Write ${formatIpNetwork(first)}.`);
  return formatIpNetwork(network);
}

function isSeconds(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function badField(sentence: string, cause?: unknown): ProtocolError {
  return new ProtocolError('bad_field', sentence, cause === undefined ? undefined : { cause });
}
