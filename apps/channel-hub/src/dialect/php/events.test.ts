import { encodeText, native, php } from '@groupcast/protocol';
import { TEXT_FIELDS } from '@groupcast/testkit/in-process';
import { expect, test } from 'vitest';
import { PhpEvents, PhpPublication } from './events.ts';

/** Data whose spelling another encoder would not choose. */
const DATA = 's:3:"abc";';

/** A publication of a PHP peer, within the chunk of its bytes. */
function written(event = 'e', channel = event) {
  const chunk = Buffer.from(`....${DATA}....`);
  const data = chunk.subarray(4, 4 + DATA.length);
  const fields = TEXT_FIELDS;
  const frame = native.encodePublish({ channel, ...fields, payload: 'other' });
  return { chunk, frame, publication: new PhpPublication(channel, frame, { event, data }) };
}

function eventOf(data: string, event = 'e'): Uint8Array {
  return php.eventFrame(event, encodeText(data));
}

test('a publication delivered within its publish has the bytes of PHP, and is made once', () => {
  const events = new PhpEvents();
  const { frame, publication } = written();
  events.beginPublish(frame, publication);
  const made = events.of(frame).frame('e');
  expect(made).toEqual(eventOf(DATA));
  expect(events.of(frame).frame('e')).toBe(made);
  events.endPublish(true);
});

test('a publication delivered later is the same, and does not depend on the bytes read', () => {
  const events = new PhpEvents();
  const { chunk, frame, publication } = written();
  events.beginPublish(frame, publication);
  events.endPublish(true);
  chunk.fill(0);
  const next = written();
  events.beginPublish(next.frame, next.publication);
  events.of(next.frame);
  expect(events.of(frame).frame('e')).toEqual(eventOf(DATA));
});

test('a publication without a PHP subscriber is not kept: a late subscriber gets its value', () => {
  const events = new PhpEvents();
  const { frame, publication } = written();
  events.beginPublish(frame, publication);
  events.endPublish(false);
  const next = written();
  events.beginPublish(next.frame, next.publication);
  expect(events.of(frame).frame('e')).toEqual(eventOf('s:5:"other";'));
});

test('an engine may deliver other publications within a publish', () => {
  const events = new PhpEvents();
  const [first, second] = [written(), written()];
  events.beginPublish(first.frame, first.publication);
  events.endPublish(true);
  events.beginPublish(second.frame, second.publication);
  expect(events.of(first.frame).frame('e')).toEqual(eventOf(DATA));
  events.endPublish(true);
  expect(events.of(second.frame).frame('e')).toEqual(eventOf(DATA));
});

test('each event has a frame of its own, which is made once', () => {
  const { publication } = written('bridged', 'group:7');
  const names = ['bridged', 'group:7', 'another'];
  const frames = names.map((event) => publication.frame(event));
  expect(frames).toEqual([
    eventOf(DATA, 'bridged'),
    eventOf('s:5:"other";', 'group:7'),
    eventOf('a:2:{s:8:"group_id";s:1:"7";s:7:"message";s:5:"other";}', 'another'),
  ]);
  for (const [index, event] of names.entries()) expect(publication.frame(event)).toBe(frames[index]);
});
