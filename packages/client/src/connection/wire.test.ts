import { readFileSync } from 'node:fs';
import { CLIENT_SESSION_PREFIX, CLIENT_SUBPROTOCOL_V1, type ClientEvent } from '@groupcast/protocol/schema';
import { expect, test } from 'vitest';
import { parseEvent, positionOf, SESSION_PREFIX, type ServerEvent, SUBPROTOCOL } from './wire.ts';

// Not with a URL: that of jsdom is unknown to Node.
const golden = JSON.parse(
  readFileSync(`${import.meta.dirname}/../../../protocol/golden/client.json`, 'utf8'),
);

/** An event as this client gets it: its `id`s are numbers, and what is optional is left out, not `undefined`. */
type Received<Event> = Event extends unknown
  ? { [Key in keyof Event]: Key extends 'id' ? number : Exclude<Event[Key], undefined> }
  : never;

test('its types are those of the protocol', () => {
  // The compiler checks that each event of the protocol is one that is understood here.
  const understood: (event: Received<ClientEvent>) => ServerEvent = (event) => event;
  expect(understood({ type: 'ping' })).toEqual({ type: 'ping' });
  expect([SUBPROTOCOL, SESSION_PREFIX]).toEqual([CLIENT_SUBPROTOCOL_V1, CLIENT_SESSION_PREFIX]);
});

test('reads every event of the golden vectors as it is', () => {
  const events: { text: string; message: unknown }[] = golden.events;
  expect(events.length).toBeGreaterThan(5);
  for (const { text, message } of events) expect(parseEvent(text)).toEqual(message);
});

test.each(['', '{', 'null', '5', '"welcome"', '[]', '{"type":5}', undefined, new Uint8Array(2), {}])(
  'what is no event is an error: %j',
  (data) => {
    expect(parseEvent(data)).toMatchObject({ type: 'error', code: 'bad_event' });
  },
);

test.each([
  [
    { epoch: 'e', offset: 0, recovered: true },
    { epoch: 'e', offset: 0 },
  ],
  [{ epoch: 'e' }, undefined],
  [{ offset: 5 }, undefined],
  [{ epoch: 'e', offset: 0.5 }, undefined],
  [{ epoch: 5, offset: 5 }, undefined],
])('the position in %j is %j', (event, position) => {
  expect(positionOf(event as { epoch: string; offset: number })).toEqual(position);
});
