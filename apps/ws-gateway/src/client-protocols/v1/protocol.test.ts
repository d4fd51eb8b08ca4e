import { encodeText, type native } from '@groupcast/protocol';
import { clientEvent } from '@groupcast/protocol/schema';
import { TEXT_FIELDS } from '@groupcast/testkit/in-process';
import { expect, test } from 'vitest';
import { payloadsOf } from '../../socket/outbound-frame.ts';
import { V1 } from './protocol.ts';

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
