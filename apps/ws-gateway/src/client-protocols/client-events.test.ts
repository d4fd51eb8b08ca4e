import {
  CLOSE_CODES,
  type CloseReason,
  ERROR_CODES,
  type ErrorCode,
  encodeText,
  type native,
} from '@groupcast/protocol';
import { clientEvent } from '@groupcast/protocol/schema';
import { expect, test } from 'vitest';
import { LoopbackHub } from '../../testing/loopback-hub.ts';
import { completeOptions } from '../options.ts';
import {
  ackEvent,
  disconnectEvent,
  errorEvent,
  gapEvent,
  messageJson,
  PING_EVENT,
  recoveryAckEvent,
  welcomeEvent,
} from './client-events.ts';

const OPTIONS = completeOptions({ hub: new LoopbackHub() });
const POSITION = { epoch: 'e', offset: 7 };

test('every event is one of the protocol, field for field', () => {
  const events = [
    welcomeEvent('client', 'session', OPTIONS),
    ackEvent(1),
    ackEvent('two', 'g'),
    ackEvent(-3.5, 'g', POSITION),
    recoveryAckEvent(ackEvent(1, 'g', POSITION), undefined),
    recoveryAckEvent(ackEvent(1, 'g', POSITION), 'limit'),
    gapEvent('g', 'trimmed', POSITION),
    gapEvent('g', 'epoch_changed', POSITION),
    PING_EVENT,
    ...(Object.keys(ERROR_CODES) as ErrorCode[]).map((code) => errorEvent(code, 'id')),
    errorEvent('bad_json', undefined),
    errorEvent('hub_unavailable', 4, 'More precisely.'),
    ...(Object.keys(CLOSE_CODES) as CloseReason[]).map((reason) => disconnectEvent(reason, undefined)),
    disconnectEvent('restart', 250),
  ];
  for (const event of events) {
    const sent: unknown = JSON.parse(JSON.stringify(event));
    expect(clientEvent.parse(sent)).toEqual(sent);
  }
});

function publication(fields: Partial<native.Publication> & { text: string }): native.Publication {
  const { text, ...rest } = fields;
  const defaults = {
    channel: 'group:g',
    kind: 'text' as const,
    excludeSender: false,
    sender: '',
    messageId: '',
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
])('the envelope of $text as $kind is an event', ({ message, ...fields }) => {
  const name = 'a "group" €';
  const event: unknown = JSON.parse(messageJson(JSON.stringify(name), publication(fields)));
  expect(event).toEqual({ type: 'message', group_id: name, offset: 58, message });
  expect(clientEvent.parse(event)).toEqual(event);
});

test('the envelope names the sender when there is one', () => {
  const event: unknown = JSON.parse(messageJson('"g"', publication({ text: 'hi', sender: 'a"b' })));
  expect(event).toMatchObject({ from: { client_id: 'a"b' } });
  expect(clientEvent.parse(event)).toEqual(event);
});
