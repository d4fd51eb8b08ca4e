import { encodeText, native, php } from '@groupcast/protocol';
import { expect, test } from 'vitest';
import { PhpEvents, PhpPublication } from './events.ts';

/** What PHP would not be given again if the value were written anew. */
const DATA = 's:3:"abc";';

/** A publication of a PHP peer, in the chunk that it was read with. */
function written(event = 'e', channel = event) {
  const chunk = Buffer.from(`....${DATA}....`);
  const data = chunk.subarray(4, 4 + DATA.length);
  const fields = { kind: 'text', excludeSender: false, sender: '', messageId: '', number: 0 } as const;
  const frame = native.encodePublish({ channel, ...fields, payload: 'other' });
  return { chunk, frame, publication: new PhpPublication(channel, frame, { event, data }) };
}

function eventOf(data: string, event = 'e'): Uint8Array {
  return php.eventFrame(event, encodeText(data));
}

test('a publication that is delivered while it is published is what PHP wrote, and made once', () => {
  const events = new PhpEvents();
  const { frame, publication } = written();
  events.publishing(frame, publication);
  const made = events.of(frame).frame('e');
  expect(made).toEqual(eventOf(DATA));
  expect(events.of(frame).frame('e')).toBe(made);
  events.published(true);
});

test('one that is delivered later is the same, and does not depend on what it was read with', () => {
  const events = new PhpEvents();
  const { chunk, frame, publication } = written();
  events.publishing(frame, publication);
  events.published(true);
  chunk.fill(0);
  const next = written();
  events.publishing(next.frame, next.publication);
  events.of(next.frame);
  expect(events.of(frame).frame('e')).toEqual(eventOf(DATA));
});

test('one that no PHP peer waits for is not kept: whoever gets it all the same gets what it means', () => {
  const events = new PhpEvents();
  const { frame, publication } = written();
  events.publishing(frame, publication);
  events.published(false);
  const next = written();
  events.publishing(next.frame, next.publication);
  expect(events.of(frame).frame('e')).toEqual(eventOf('s:5:"other";'));
});

test('an engine may deliver others while it takes one', () => {
  const events = new PhpEvents();
  const [first, second] = [written(), written()];
  events.publishing(first.frame, first.publication);
  events.published(true);
  events.publishing(second.frame, second.publication);
  expect(events.of(first.frame).frame('e')).toEqual(eventOf(DATA));
  events.published(true);
  expect(events.of(second.frame).frame('e')).toEqual(eventOf(DATA));
});

test('each event has a frame of its own, all of them made once', () => {
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
