import { limits, type native, type Position, ProtocolError, parseBan } from '@groupcast/protocol';
import type { PublishSlot } from '../engine/engine.ts';

/** A change of `$bans`, for the log. */
export interface BanChange {
  readonly action: 'ban' | 'unban' | 'invalid ban';
  readonly key: string;
  /** Author, as the publisher names it. */
  readonly by: string | undefined;
  readonly reason?: string | undefined;
  /** Undefined without an end. */
  readonly seconds?: number | undefined;
}

/** Request number for no answer. */
const NO_REQUEST = 0;

/**
 * Returns a slot that reports a change of a ban once the engine has it, and passes the answer on.
 * Other publications keep their slot.
 */
export function reportingBans(
  { channel, keyed, payload, meta }: native.Publication,
  slot: PublishSlot,
  request: number,
  report: (change: BanChange) => void,
): PublishSlot {
  if (keyed === undefined || channel !== limits.BANS_CHANNEL) return slot;
  const change = changeOf(keyed, payload, meta);
  // The engine answers no other.
  if (request === NO_REQUEST) report(change);
  return {
    publisher: slot.publisher,
    published: (answered: number, position: Position) => {
      report(change);
      slot.published(answered, position);
    },
    publishRejected: (answered: number, error: ProtocolError) => slot.publishRejected(answered, error),
  };
}

function changeOf({ key, lifeMs }: native.Keyed, payload: Uint8Array, meta: string): BanChange {
  if (payload.length === 0) return { action: 'unban', key, by: authorIn(meta) };
  try {
    const { by, reason } = parseBan(key, payload);
    return { action: 'ban', key, by, reason, seconds: lifeMs === 0 ? undefined : Math.ceil(lifeMs / 1_000) };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { action: 'invalid ban', key, by: undefined, reason: error.message };
  }
}

/** Returns the author of an unban, which has no value. */
function authorIn(meta: string): string | undefined {
  if (meta === '') return undefined;
  try {
    const { by } = JSON.parse(meta) as { by?: unknown };
    return typeof by === 'string' ? by : undefined;
  } catch {
    // The publisher writes it, and it may be anything.
    return undefined;
  }
}
