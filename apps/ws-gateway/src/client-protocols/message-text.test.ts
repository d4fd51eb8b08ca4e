import { encodeText, native } from '@groupcast/protocol';
import { TEXT_FIELDS } from '@groupcast/testkit/in-process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { identityOf } from '../../testing/identity-of.ts';
import { metaOf } from '../auth/uid-meta.ts';
import { messageText } from './message-text.ts';

/** Returns the sender that a client is shown for a meta. */
function fromOf(meta: string, sender = 'ann-1'): unknown {
  const publication: native.Publication = {
    ...native.PUBLICATION_DEFAULTS,
    ...TEXT_FIELDS,
    channel: 'group:g',
    sender,
    number: 1,
    payload: encodeText('hello'),
    meta,
  };
  const { from, ...rest } = JSON.parse(messageText('{"type":"message",', publication, false));
  expect(rest).toEqual({ type: 'message', offset: 1, message: 'hello' });
  return from;
}

const WITHOUT = { client_id: 'ann-1' };

test.each(['ann', '*', '"', '\\', '{uid}', '__proto__', '\u3042'.repeat(85), '\u{1f600}'])(
  'the meta of the user %s is shown as its uid',
  (uid) => {
    const meta = metaOf(identityOf(uid));
    expect(fromOf(meta.text)).toEqual({ ...WITHOUT, uid });
    expect(meta.bytes).toBe(Buffer.byteLength(meta.text));
  },
);

test('the meta of an identity is built once', () => {
  const identity = identityOf('ann');
  expect(metaOf(identity)).toBe(metaOf(identity));
});

test('a message without a sender has no from, whatever its meta', () => {
  expect(fromOf('{"uid":"ann"}', '')).toBeUndefined();
});

test.each([
  'null',
  '1',
  '"uid"',
  '[]',
  '["uid"]',
  '{',
  '{}',
  '{"uid":1}',
  '{"uid":null}',
  '{"uid":["ann"]}',
  '{"uid":{"uid":"ann"}}',
  '{"uid":""}',
  '{"uid":"a\\nb"}',
  '{"uid":"a\\u0000"}',
  '{"uid":"\\ud800"}',
  '{"uid":"\\u202e"}',
  `{"uid":"${'u'.repeat(256)}"}`,
  '{"__proto__":{"uid":"ann"}}',
  '{"UID":"ann"}',
  '{"uid":"ann"} ,"client_id":"bob"',
  '{"uid":"ann"',
  '['.repeat(4_096),
  `${'{"a":'.repeat(800)}1${'}'.repeat(800)}`,
])('the foreign meta %.40s shows no uid, and the message arrives', (meta) => {
  expect(fromOf(meta)).toEqual(WITHOUT);
});

test('other fields of a meta are not shown', () => {
  expect(fromOf('{"uid":"ann","client_id":"bob","at":1}')).toEqual({ ...WITHOUT, uid: 'ann' });
});

test('any meta makes a valid message', () => {
  const meta = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json(),
    fc.json().map((json) => `{"uid":${json}}`),
  );
  fc.assert(
    fc.property(meta, (text) => {
      expect(fromOf(text)).toMatchObject(WITHOUT);
    }),
  );
});
