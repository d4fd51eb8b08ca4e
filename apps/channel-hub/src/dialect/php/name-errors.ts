import { limits, ProtocolError, type php } from '@groupcast/protocol';

/** What is wrong with a name, and what to do. */
const FLAWS: Readonly<Record<php.PhpNameFlaw, string>> = {
  empty: 'is empty. Give it a name.',
  encoding: 'is not UTF-8. Convert it to UTF-8.',
  length: `is longer than ${limits.CHANNEL_NAME_BYTES_MAX} bytes of UTF-8. Shorten it.`,
  characters: 'holds a control character, a line separator or a mark of the writing direction. Take it out.',
  type: 'is neither a string nor an integer. Pass a string.',
};

/** Why the name of an event is dropped. */
export function badEvent(flaw: php.PhpNameFlaw): ProtocolError {
  return new ProtocolError('bad_channel', `The name of an event ${FLAWS[flaw]}`);
}

/** Why the name of a queue is dropped. */
export function badQueue(flaw: php.PhpNameFlaw): ProtocolError {
  return new ProtocolError('bad_queue', `The name of a queue ${FLAWS[flaw]}`);
}

/** Why an event is not followed beside the others. */
export function tooManyEvents(channelsMax: number): ProtocolError {
  const sentence = `A session follows at most ${channelsMax} events, and more are left out. Follow fewer in one worker, or raise --channels-per-peer-max.`;
  return new ProtocolError('channel_limit', sentence);
}
