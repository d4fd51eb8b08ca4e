import { expect, test } from 'vitest';
import { GroupcastError } from './groupcast-error.ts';
import { MessageBuffer } from './message-buffer.ts';

interface Item {
  readonly n: number;
}

function start(max = 3) {
  const siblings = new Set<MessageBuffer<Item>>();
  const buffer = new MessageBuffer<Item>(max, siblings);
  const put = (...numbers: number[]): void => {
    for (const n of numbers) buffer.put({ n });
  };
  return { siblings, buffer, put, items: buffer.read() };
}

test('gives what was put in before and after it is waited for, in order', async () => {
  const { put, items } = start();
  put(1, 2);
  expect((await items.next()).value).toEqual({ n: 1 });
  const [second, third] = [items.next(), items.next()];
  put(3);
  expect([(await second).value, (await third).value]).toEqual([{ n: 2 }, { n: 3 }]);
});

test('what is held can be read after the end', async () => {
  const { buffer, put, items, siblings } = start();
  put(1);
  buffer.end(undefined);
  expect(siblings.size).toBe(0);
  expect(await items.next()).toEqual({ done: false, value: { n: 1 } });
  expect(await items.next()).toEqual({ done: true, value: undefined });
});

test('who waits is told the end, and the error', async () => {
  const { buffer, items } = start();
  const error = new GroupcastError('closed', 'Closed.');
  const waiting = items.next();
  buffer.end(error);
  await expect(waiting).rejects.toBe(error);
  expect(await items.next()).toEqual({ done: true, value: undefined });
});

test('one item too many ends it with buffer_full, after what is held', async () => {
  const { put, items, siblings } = start(2);
  put(1, 2, 3);
  expect(siblings.size).toBe(0);
  expect([(await items.next()).value, (await items.next()).value]).toEqual([{ n: 1 }, { n: 2 }]);
  await expect(items.next()).rejects.toMatchObject({ code: 'buffer_full' });
});

test('nothing is put in once the loop was left', async () => {
  const { put, items, siblings } = start();
  put(1);
  for await (const _ of items) break;
  expect(siblings.size).toBe(0);
});
