import { expect, test } from 'vitest';
import { until } from '../../testing/start-hub.ts';
import { LongRequest } from './long-request.ts';

function start(pieces: number, doPiece: (done: number) => void = () => {}) {
  const events: string[] = [];
  let done = 0;
  const owner = {
    work: 0,
    pause: () => events.push('pause'),
    resume: () => events.push('resume'),
    failed: (error: unknown) => events.push(`failed: ${error}`),
  };
  const request = new LongRequest(owner, () => owner.work, owner.failed);
  const piece = (): boolean => {
    done += 1;
    doPiece(done);
    return done < pieces;
  };
  return { events, owner, request, piece, count: () => done };
}

const nextTurn = (): Promise<void> => new Promise(setImmediate);

test('nothing is read from the peer until the last piece is done, over several turns', async () => {
  const { events, request, piece, count } = start(100);
  request.begin(piece);
  expect([events, count()]).toEqual([['pause'], 0]);
  await nextTurn();
  expect(count()).toBeGreaterThan(0);
  expect(count()).toBeLessThan(100);
  await until(() => events.includes('resume'));
  expect([events, count()]).toEqual([['pause', 'resume'], 100]);
});

test('the deliveries of a piece end the turn', async () => {
  const { owner, request, piece, count } = start(100, () => {
    owner.work += 16 * 1024 * 1024;
  });
  request.begin(piece);
  await nextTurn();
  expect(count()).toBe(1);
});

test('while the peer is paused for another reason no piece is done; later it continues', async () => {
  const { events, request, piece, count } = start(3, (done) => {
    if (done === 1) request.pause();
  });
  // It may be paused before the request begins, and by one of its pieces.
  request.pause();
  request.begin(piece);
  for (let turn = 0; turn < 5; turn++) await nextTurn();
  expect(count()).toBe(0);
  request.resume();
  await until(() => count() === 3);
  for (let turn = 0; turn < 5; turn++) await nextTurn();
  expect(events).not.toContain('resume');
  request.resume();
  expect(events.at(-1)).toBe('resume');
});

test('the end of its peer ends the request', async () => {
  const { events, request, piece, count } = start(3);
  request.begin(piece);
  request.end();
  for (let turn = 0; turn < 5; turn++) await nextTurn();
  expect([events, count()]).toEqual([['pause'], 0]);
});

test('the end of its peer within a piece ends the request', async () => {
  const { events, request, piece, count } = start(3, () => request.end());
  request.begin(piece);
  for (let turn = 0; turn < 5; turn++) await nextTurn();
  expect([events, count()]).toEqual([['pause'], 1]);
});

test('a piece that throws is the last one one', async () => {
  const { events, request, piece, count } = start(3, () => {
    throw new Error('no');
  });
  request.begin(piece);
  for (let turn = 0; turn < 5; turn++) await nextTurn();
  expect([events, count()]).toEqual([['pause', 'failed: Error: no'], 1]);
});
