import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseEvent, positionOf } from './wire.ts';

// Without a URL, because Node does not accept the URL class of jsdom.
const golden = JSON.parse(
  readFileSync(`${import.meta.dirname}/../../../protocol/golden/client.json`, 'utf8'),
);

test('reads every event of the golden vectors unchanged', () => {
  const events: { text: string; message: unknown }[] = golden.events;
  expect(events.length).toBeGreaterThan(5);
  for (const { text, message } of events) expect(parseEvent(text)).toEqual(message);
});

test.each(['', '{', 'null', '5', '"welcome"', '[]', '{"type":5}', undefined, new Uint8Array(2), {}])(
  'invalid data becomes an error event: %j',
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
