import { expect, test } from 'vitest';
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

test('tells every listener in the order in which they were added, until it is removed', () => {
  const { emitter, heard, listen } = start();
  const off = emitter.on('tick', listen('a'));
  emitter.on('tick', listen('b'));
  emitter.emit('tick', 1);
  off();
  off();
  emitter.emit('tick', 2);
  expect(heard).toEqual(['a 1', 'b 1', 'b 2']);
});

test('a listener that is added while an event is told hears the next one', () => {
  const { emitter, heard, listen } = start();
  emitter.on('tick', () => emitter.on('tick', listen('late')));
  emitter.emit('tick', 1);
  expect(heard).toEqual([]);
  emitter.emit('tick', 2);
  expect(heard).toEqual(['late 2']);
});
