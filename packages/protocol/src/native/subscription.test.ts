import { describe, expect, test } from 'vitest';
import { CHANNELS_PER_FRAME_MAX } from '../limits.ts';
import { decodeNative } from './message.ts';
import { encodeSubscribe, encodeSubscribed, encodeUnsubscribe } from './subscription.ts';

function names(count: number): { name: string; prefix: boolean }[] {
  return Array.from({ length: count }, (_, index) => ({ name: `group:${index}`, prefix: index % 2 === 1 }));
}

describe('subscriptions', () => {
  test('as many subjects as fit a frame', () => {
    const subjects = names(CHANNELS_PER_FRAME_MAX);
    const entries = subjects.map((subject, offset) => ({
      ...subject,
      position: { epoch: 'e', offset },
      epochIs: 'same' as const,
    }));
    expect(decodeNative(encodeSubscribe({ request: 1, subjects }))).toEqual({
      type: 'subscribe',
      request: 1,
      subjects,
    });
    expect(decodeNative(encodeUnsubscribe(subjects))).toEqual({ type: 'unsubscribe', subjects });
    expect(decodeNative(encodeSubscribed({ request: 1, entries }))).toEqual({
      type: 'subscribed',
      request: 1,
      entries,
    });
  });

  test.each([0, CHANNELS_PER_FRAME_MAX + 1, 65_536 + 1])('%d subjects are not encoded', (count) => {
    const subjects = names(count);
    const entries = subjects.map((subject) => ({ ...subject, position: { epoch: 'e', offset: 0 } }));
    expect(() => encodeSubscribe({ request: 1, subjects })).toThrow(RangeError);
    expect(() => encodeUnsubscribe(subjects)).toThrow(RangeError);
    expect(() => encodeSubscribed({ request: 1, entries })).toThrow(RangeError);
  });

  test('a name longer than its length field can tell is not encoded', () => {
    const subjects = [{ name: 'c'.repeat(65_536), prefix: false }];
    expect(() => encodeSubscribe({ request: 1, subjects })).toThrow(RangeError);
  });
});
