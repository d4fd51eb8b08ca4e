import { native } from '@groupcast/protocol';
import { describe, expect, test } from 'vitest';
import { checkPage, type HistoryPage } from './history-page.ts';

const SINCE = { epoch: 'e', offset: 5 };

function publication(channel: string, offset: number): native.Publication {
  const payload = new Uint8Array(0);
  const names = { channel, kind: 'text', excludeSender: false, sender: '', messageId: '' } as const;
  return { ...native.PUBLICATION_DEFAULTS, ...names, payload, number: offset };
}

function page(offsets: readonly number[], top: number, epoch = 'e', channel = 'a'): HistoryPage {
  const publications = offsets.map((offset) => publication(channel, offset));
  return { verdict: 'recovered', position: { epoch, offset: top }, publications };
}

describe('checkPage', () => {
  test.each([
    ['all that was missed', page([6, 7], 7)],
    ['a part of it', page([6, 7], 100)],
    ['nothing, where nothing was missed', page([], 5)],
    ['nothing, where the history is another', { ...page([], 5, 'f'), verdict: 'epoch_changed' as const }],
    ['nothing, where it is trimmed', { ...page([], 90), verdict: 'trimmed' as const }],
  ])('accepts %s', (_name, whole) => {
    expect(() => checkPage(whole, 'a', SINCE)).not.toThrow();
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
  ])('rejects %s', (_name, whole) => {
    expect(() => checkPage(whole, 'a', SINCE)).toThrow(expect.objectContaining({ code: 'bad_frame' }));
  });
});
