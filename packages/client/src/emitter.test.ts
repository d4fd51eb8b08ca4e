import { expect, test, vi } from 'vitest';
import { Emitter } from './emitter.ts';

interface Events {
  tick: number;
}

function start() {
  const emitter = new Emitter<Events>();
  const heard: string[] = [];
  const listen = (name: string) => (event: number) => heard.push(`${name} ${event}`);
  return { emitter, heard, listen };
}

test('calls every listener in the order of their addition, until it is removed', () => {
  const { emitter, heard, listen } = start();
  const off = emitter.on('tick', listen('a'));
  emitter.on('tick', listen('b'));
  emitter.emit('tick', 1);
  off();
  off();
  emitter.emit('tick', 2);
  expect(heard).toEqual(['a 1', 'b 1', 'b 2']);
});

test('a listener that is added during an event receives the next one', () => {
  const { emitter, heard, listen } = start();
  emitter.on('tick', () => emitter.on('tick', listen('late')));
  emitter.emit('tick', 1);
  expect(heard).toEqual([]);
  emitter.emit('tick', 2);
  expect(heard).toEqual(['late 2']);
});

test('a listener for one event receives one, and can be removed before', () => {
  const { emitter, heard, listen } = start();
  emitter.on('tick', listen('a'), true);
  const removed = listen('b');
  emitter.on('tick', removed, true);
  emitter.on('tick', listen('c'), true)();
  emitter.off('tick', removed);
  emitter.emit('tick', 1);
  emitter.emit('tick', 2);
  expect(heard).toEqual(['a 1']);
});

test('a listener that is added twice is registered once, as it was first', () => {
  const { emitter, heard, listen } = start();
  const listener = listen('a');
  emitter.on('tick', listener);
  emitter.on('tick', listener, true);
  for (const tick of [1, 2]) emitter.emit('tick', tick);
  emitter.off('tick', listener);
  emitter.emit('tick', 3);
  expect(heard).toEqual(['a 1', 'a 2']);
});

test('a listener that another one removes does not receive the current event', () => {
  const { emitter, heard, listen } = start();
  const second = listen('second');
  emitter.on('tick', () => emitter.off('tick', second));
  emitter.on('tick', second);
  emitter.emit('tick', 1);
  expect(heard).toEqual([]);
});

test('reports added and removed listeners', () => {
  const changed = vi.fn();
  const emitter = new Emitter<Events>(changed);
  expect(emitter.hasListeners).toBe(false);
  const off = emitter.on('tick', () => {});
  expect([emitter.hasListeners, changed.mock.calls.length]).toEqual([true, 1]);
  off();
  off();
  expect([emitter.hasListeners, changed.mock.calls.length]).toEqual([false, 2]);
  emitter.on('tick', () => {}, true);
  emitter.emit('tick', 1);
  expect(emitter.hasListeners).toBe(false);
});
