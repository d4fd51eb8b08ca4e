import { native } from '@groupcast/protocol';
import { describe, expect, test } from 'vitest';
import type { HistoryPage } from './history-page.ts';
import { checkPage, type HistoryQuestion, keyOfQuestion } from './history-question.ts';

const SINCE = { epoch: 'e', offset: 5 };

function publication(channel: string, offset: number): native.Publication {
  const payload = new Uint8Array(0);
  const names = { channel, kind: 'text', excludeSender: false, sender: '', messageId: '' } as const;
  return { ...native.PUBLICATION_DEFAULTS, ...names, payload, number: offset };
}

function page(offsets: readonly number[], top: number, epoch = 'e', channel = 'a'): HistoryPage {
  const publications = offsets.map((offset) => publication(channel, offset));
  const position = { epoch, offset: top };
  return { verdict: 'recovered', position, epochIs: 'same', publications, more: false };
}

function snapshot(...publications: native.Publication[]): HistoryPage<native.HistoryVerdict> {
  return { ...page([], 90), verdict: 'snapshot', publications };
}

function keyed(key: string, channel = 'a'): native.Publication {
  return { ...publication(channel, 3), keyed: { key, lifeMs: 0 } };
}

const rejected = expect.objectContaining({ code: 'bad_frame' });

describe('checkPage', () => {
  test.each([
    ['all that was missed', page([6, 7], 7)],
    ['a part of it', page([6, 7], 100)],
    ['nothing, where nothing was missed', page([], 5)],
    ['nothing, where the history is another', { ...page([], 5, 'f'), verdict: 'epoch_changed' as const }],
    ['nothing, where it is trimmed', { ...page([], 90), verdict: 'trimmed' as const }],
    ['a history that has another name', { ...page([6], 6, 'f'), epochIs: 'renamed' as const }],
  ])('accepts %s', (_name, whole) => {
    expect(() => checkPage(whole, { channel: 'a', since: SINCE })).not.toThrow();
  });

  test.each([
    ['a hole at the start', page([7, 8], 8)],
    ['a hole in the middle', page([6, 8], 8)],
    ['what was not missed', page([5, 6], 6)],
    ['something twice', page([6, 6], 6)],
    ['another channel', page([6], 6, 'e', 'b')],
    ['another epoch', page([6], 6, 'f')],
    ['more than there is', page([6, 7], 6)],
    ['a position before the question', page([], 4)],
    ['nothing, though something was missed', page([], 6)],
    [
      'an ephemeral publication',
      { ...page([], 6), publications: [{ ...publication('a', 6), ephemeral: true }] },
    ],
    ['a snapshot', snapshot(keyed('k'))],
  ])('rejects %s', (_name, whole) => {
    expect(() => checkPage(whole, { channel: 'a', since: SINCE })).toThrow(rejected);
  });

  const newest = { channel: 'a', since: { epoch: '', offset: 0 }, last: 2 };

  test.each([
    ['as many', page([8, 9], 9)],
    ['fewer, where history has no more', page([9], 9)],
    ['a part of them', page([8], 9)],
    ['none, where history is empty', page([], 9)],
  ])('accepts %s of the newest publications', (_name, whole) => {
    expect(() => checkPage(whole, newest)).not.toThrow();
  });

  test.each([
    ['more than requested', page([7, 8, 9], 9)],
    ['a hole', page([7, 9], 9)],
    ['one behind the newest', page([9, 10], 9)],
    ['another channel', page([9], 9, 'e', 'b')],
  ])('rejects %s among the newest publications', (_name, whole) => {
    expect(() => checkPage(whole, newest)).toThrow(rejected);
  });

  const values = { channel: 'a', since: SINCE, snapshot: true };

  test('accepts a snapshot that was requested, and none with other publications', () => {
    expect(() => checkPage(snapshot(), values)).not.toThrow();
    expect(() => checkPage(snapshot(keyed('k'), keyed('l')), values)).not.toThrow();
    expect(() => checkPage(snapshot(keyed('k', 'b')), values)).toThrow(rejected);
    expect(() => checkPage(snapshot(publication('a', 3)), values)).toThrow(rejected);
  });
});

test('questions that differ in one field have different keys', () => {
  const keys = [
    { channel: 'a', since: SINCE },
    { channel: 'b', since: SINCE },
    { channel: 'a', since: { epoch: 'e', offset: 6 } },
    { channel: 'a', since: { epoch: 'f', offset: 5 } },
    { channel: 'a', since: SINCE, last: 1 },
    values('', ''),
    values('k', ''),
    // The epoch of one is the beginning of the other's key.
    values('', 'k'),
    values('ek', ''),
  ].map(keyOfQuestion);
  expect(new Set(keys).size).toBe(keys.length);
  expect(keyOfQuestion({ channel: 'a', since: { ...SINCE } })).toBe(keys[0]);
});

function values(epoch: string, afterKey: string): HistoryQuestion {
  return { channel: 'a', since: { epoch, offset: 5 }, snapshot: true, afterKey };
}
