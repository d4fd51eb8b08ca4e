import { limits, ProtocolError, type php } from '@groupcast/protocol';

/** By flaw of a name, what is wrong and what to do. */
const FLAWS: Readonly<Record<php.PhpNameFlaw, string>> = {
  empty: 'is empty. Pass a name.',
  encoding: 'is not UTF-8. Convert it to UTF-8.',
  length: `is longer than ${limits.CHANNEL_NAME_BYTES_MAX} bytes of UTF-8. Shorten it.`,
  characters: 'holds a control character, line separator or direction mark. Remove it.',
  type: 'is neither a string nor an integer. Pass a string.',
};

/** Returns the error for a dropped name of an event. */
export function badEvent(flaw: php.PhpNameFlaw): ProtocolError {
  return new ProtocolError('bad_channel', `The name of an event ${FLAWS[flaw]}`);
}

/** Returns the error for a dropped name of a queue. */
export function badQueue(flaw: php.PhpNameFlaw): ProtocolError {
  return new ProtocolError('bad_queue', `The name of a queue ${FLAWS[flaw]}`);
}

/** Returns the error for an event of the system: one for all names, as each error is logged. */
export function systemEvent(): ProtocolError {
  const { GROUP_CHANNEL_PREFIX, SYSTEM_PREFIX } = limits;
  const sentence = `Events that begin with ${SYSTEM_PREFIX} or ${GROUP_CHANNEL_PREFIX}${SYSTEM_PREFIX} belong to the system and are dropped. Rename the event.`;
  return new ProtocolError('forbidden', sentence);
}

/** Returns the error for an event beyond the limit of subscriptions. */
export function tooManyEvents(channelsMax: number): ProtocolError {
  const sentence = `The limit is ${channelsMax} events per peer; further ones are dropped. Subscribe to fewer in one worker, or raise --channels-per-peer-max.`;
  return new ProtocolError('channel_limit', sentence);
}
