import {
  type BanDetails,
  type BanTarget,
  banKey,
  encodeBan,
  limits,
  ProtocolError,
} from '@groupcast/protocol';
import type { PublishOptions } from '../publishing/publish-frame.ts';

/** Options of `HubClient.ban`. */
export interface BanOptions extends BanDetails {
  /** Seconds until the ban ends, at most ten years. Default: it does not end. */
  readonly seconds?: number | undefined;
  /**
   * Seconds since 1970: revokes the tokens of a user that were issued before, in place of a ban.
   * Only for a target `{ uid }`.
   */
  readonly notBefore?: number | undefined;
}

const MS_PER_SECOND = 1_000;

interface BanPublication {
  readonly value: string;
  readonly options: PublishOptions;
}

/** Returns what makes a ban when it is published. Throws ProtocolError `bad_field`. */
export function banPublication(target: BanTarget, { seconds, ...ban }: BanOptions): BanPublication {
  const key = banKey(target);
  const value = encodeBan({ target, ...ban });
  const lifeMs = seconds === undefined ? 0 : checkedSeconds(seconds) * MS_PER_SECOND;
  return { value, options: { kind: 'json', keyed: { key, lifeMs } } };
}

function checkedSeconds(seconds: number): number {
  const { BAN_SECONDS_MAX: max } = limits;
  if (Number.isSafeInteger(seconds) && seconds >= 1 && seconds <= max) return seconds;
  throw new ProtocolError('bad_field', `seconds is ${seconds}; it must be an integer from 1 to ${max}.`);
}
