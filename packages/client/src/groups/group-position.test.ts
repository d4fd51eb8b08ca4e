import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GroupPosition } from './group-position.ts';

function at(offset: number): GroupPosition {
  const position = new GroupPosition();
  position.set({ epoch: 'e', offset });
  return position;
}

test('has no position, and accepts no message, before it is set', () => {
  const position = new GroupPosition();
  expect(position.receive(1)).toBe(false);
  position.skip({ epoch: 'e', offset: 1 });
  expect(position.value).toBeUndefined();
});

test('moves with each new message, and rejects repeated ones', () => {
  const position = at(5);
  expect([6, 7, 7, 5, 9].map((offset) => position.receive(offset))).toEqual([true, true, false, false, true]);
  expect(position.value).toEqual({ epoch: 'e', offset: 9 });
});

test.each([1.5, Number.NaN, '7', undefined, null])('rejects a message with the offset %j', (offset) => {
  expect(at(5).receive(offset as number)).toBe(false);
});

test('moves over undelivered own messages, when all messages before them were received', () => {
  const position = at(5);
  position.skip({ epoch: 'e', offset: 6 });
  expect(position.value?.offset).toBe(6);
  position.skip({ epoch: 'e', offset: 8 });
  position.skip({ epoch: 'e', offset: 9 });
  expect(position.value?.offset).toBe(6);
  expect(position.receive(7)).toBe(true);
  expect(position.value?.offset).toBe(9);
  expect(position.receive(8)).toBe(false);
});

test('own messages of another history, or before the position, do not move it', () => {
  const position = at(5);
  position.skip({ epoch: 'other', offset: 6 });
  position.skip({ epoch: 'e', offset: 5 });
  expect(position.value).toEqual({ epoch: 'e', offset: 5 });
});

test('a new position drops the own messages ahead of the old one', () => {
  const position = at(5);
  position.skip({ epoch: 'e', offset: 8 });
  position.set({ epoch: 'f', offset: 6 });
  position.receive(7);
  expect(position.value).toEqual({ epoch: 'f', offset: 7 });
});

test('never passes over an unreceived message, and ends at the top, in any order of acks and messages', () => {
  const scenario = fc.array(fc.boolean(), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(scenario, fc.infiniteStream(fc.boolean()), (own, chooseAck) => {
      const position = at(0);
      const acks = own.flatMap((isOwn, index) => (isOwn ? [index + 1] : []));
      const messages = own.flatMap((isOwn, index) => (isOwn ? [] : [index + 1]));
      while (acks.length + messages.length > 0) {
        const takeAck = messages.length === 0 || (acks.length > 0 && chooseAck.next().value);
        if (takeAck) position.skip({ epoch: 'e', offset: acks.shift()! });
        else expect(position.receive(messages.shift()!)).toBe(true);
        expect(position.value!.offset).toBeLessThan(messages[0] ?? Number.POSITIVE_INFINITY);
      }
      expect(position.value!.offset).toBe(own.length);
    }),
  );
});
