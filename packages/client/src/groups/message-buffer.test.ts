import { expect, test, vi } from 'vitest';
import { GroupcastError } from '../groupcast-error.ts';
import { MessageBuffer } from './message-buffer.ts';

interface Item {
  readonly n: number;
}

function start(max = 3) {
  const ended = vi.fn();
  const items = new MessageBuffer<Item>(max, ended);
  const put = (...numbers: number[]): void => {
    for (const n of numbers) items.put({ n });
  };
  return { ended, put, items };
}

const DONE = { done: true, value: undefined };

test('returns items in order, whether next is called before or after put', async () => {
  const { put, items } = start();
  put(1, 2);
  expect((await items.next()).value).toEqual({ n: 1 });
  const [second, third] = [items.next(), items.next()];
  put(3);
  expect([(await second).value, (await third).value]).toEqual([{ n: 2 }, { n: 3 }]);
});

test('buffered items can be read after the end', async () => {
  const { ended, put, items } = start();
  put(1);
  items.end(undefined);
  put(2);
  expect(ended).toHaveBeenCalledOnce();
  expect(await items.next()).toEqual({ done: false, value: { n: 1 } });
  expect(await items.next()).toEqual(DONE);
});

test('the first pending next rejects with the error, the others return the end', async () => {
  const { items } = start();
  const error = new GroupcastError('closed', 'Closed.');
  const waiting = [items.next(), items.next()];
  items.end(error);
  await expect(waiting[0]).rejects.toBe(error);
  expect(await waiting[1]).toEqual(DONE);
  expect(await items.next()).toEqual(DONE);
});

test('one item beyond the limit ends it with buffer_full, after the buffered ones', async () => {
  const { ended, put, items } = start(2);
  put(1, 2, 3);
  expect(ended).toHaveBeenCalledOnce();
  expect([(await items.next()).value, (await items.next()).value]).toEqual([{ n: 1 }, { n: 2 }]);
  await expect(items.next()).rejects.toMatchObject({ code: 'buffer_full' });
});

test('drops its items when the loop ends', async () => {
  const { ended, put, items } = start();
  put(1, 2);
  for await (const _ of items) break;
  expect(ended).toHaveBeenCalledOnce();
  put(3);
  expect(await items.next()).toEqual(DONE);
});

test('return ends a pending next, and needs no next before it', async () => {
  const { ended, items } = start();
  const waiting = items.next();
  expect(await items.return()).toEqual(DONE);
  expect(await waiting).toEqual(DONE);
  const unread = start();
  unread.put(1);
  expect(await unread.items.return()).toEqual(DONE);
  expect(await unread.items.next()).toEqual(DONE);
  for (const end of [ended, unread.ended]) expect(end).toHaveBeenCalledOnce();
});

test('return after an unread error ends it without the error', async () => {
  const { items } = start();
  items.end(new GroupcastError('closed', 'Closed.'));
  expect(await items.return()).toEqual(DONE);
  expect(await items.next()).toEqual(DONE);
});

test('throw ends it, and rejects with its argument', async () => {
  const { ended, items } = start();
  const error = new Error('no more');
  await expect(items.throw(error)).rejects.toBe(error);
  expect(ended).toHaveBeenCalledOnce();
});

test.skipIf(!('asyncDispose' in Symbol))('`await using` ends the iteration', async () => {
  const { ended, items } = start();
  const { asyncDispose } = Symbol as unknown as { readonly asyncDispose: keyof typeof items };
  await (items[asyncDispose] as unknown as () => Promise<void>)();
  expect(ended).toHaveBeenCalledOnce();
});
