import { encodeText, type native } from '@groupcast/protocol';
import { clientEvent } from '@groupcast/protocol/schema';
import { TEXT_FIELDS } from '@groupcast/testkit/in-process';
import { expect, test } from 'vitest';
import { payloadsOf } from '../../socket/outbound-frame.ts';
import { V1, V1_AT } from './protocol.ts';

function eventOf(frame: Uint8Array): unknown {
  const [payload = frame] = payloadsOf(frame);
  return JSON.parse(Buffer.from(payload).toString());
}

function encoded(groupName: string, publication: native.Publication): unknown {
  return eventOf(V1.encodeMessages(groupName, [publication]));
}

test('the heartbeat is a ping event', () => {
  expect(eventOf(V1.ping ?? Buffer.of())).toEqual({ type: 'ping' });
});

function publication(fields: Partial<native.Publication> & { text: string }): native.Publication {
  const { text, ...rest } = fields;
  const defaults = {
    channel: 'group:g',
    ...TEXT_FIELDS,
  };
  return { ...defaults, number: 58, payload: encodeText(text), ...rest };
}

test.each([
  { text: 'hi', message: 'hi' },
  { text: '', message: '' },
  { text: '"quotes" \\ and \n\u0000\u2028', message: '"quotes" \\ and \n\u0000\u2028' },
  { text: '{"a":1}', message: '{"a":1}' },
  { text: '{"a":[1,null]}', kind: 'json' as const, message: { a: [1, null] } },
  { text: ' "x" ', kind: 'json' as const, message: 'x' },
  { text: 'これはメッセージです', kind: 'bytes' as const, message: 'これはメッセージです' },
])('a payload $text of kind $kind becomes a message event', ({ message, ...fields }) => {
  const name = 'a "group" €';
  const event = encoded(name, publication(fields));
  expect(event).toEqual({ type: 'message', group_id: name, offset: 58, message });
  expect(clientEvent.parse(event)).toEqual(event);
});

test('a message event names the sender, if the publication has one', () => {
  const event = encoded('g', publication({ text: 'hi', sender: 'a"b' }));
  expect(event).toMatchObject({ from: { client_id: 'a"b' } });
  expect(clientEvent.parse(event)).toEqual(event);
});

test('a message event of v1 has the same bytes, whether or not the hub told a time', () => {
  const timed = publication({ text: 'hi', sender: 'a', timeMs: 1_790_000_000_000 });
  const text = '{"type":"message","group_id":"g","offset":58,"message":"hi","from":{"client_id":"a"}}';
  for (const one of [timed, { ...timed, timeMs: 0 }]) {
    const [payload] = payloadsOf(V1.encodeMessages('g', [one]));
    expect(Buffer.from(payload ?? '').toString()).toBe(text);
  }
});

test('a message event of v1.at has the time, if the hub told one', () => {
  const at = 1_790_000_000_000;
  const timed = eventOf(V1_AT.encodeMessages('g', [publication({ text: 'hi', timeMs: at })]));
  expect(timed).toEqual({ type: 'message', group_id: 'g', offset: 58, message: 'hi', at });
  expect(clientEvent.parse(timed)).toEqual(timed);
  const untimed = eventOf(V1_AT.encodeMessages('g', [publication({ text: 'hi' })]));
  expect(untimed).toEqual({ type: 'message', group_id: 'g', offset: 58, message: 'hi' });
});

test('an ephemeral message has no offset', () => {
  const event = encoded('g', publication({ text: 'typing', ephemeral: true }));
  expect(event).toEqual({ type: 'message', group_id: 'g', message: 'typing' });
  expect(clientEvent.parse(event)).toEqual(event);
});
