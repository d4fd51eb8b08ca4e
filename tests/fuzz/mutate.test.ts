import { encodeFrame, frameLength } from '@groupcast/protocol';
import { expect, test } from 'vitest';
import { Random } from '../faults/random.ts';
import { MUTATIONS, mutate } from './mutate.ts';

const BODY = Buffer.from('a:1:{s:4:"type";s:7:"reserve";}');
const OTHER = Buffer.from('{"type":"publish","channels":["c"]}');

test.each(Object.keys(MUTATIONS))('%s changes a frame, reproducibly for a seed', (name) => {
  const mutation = MUTATIONS[name];
  const draw = (seed: number): string[] => {
    const random = new Random(seed);
    return Array.from({ length: 50 }, () => mutation?.(random, BODY, OTHER).toString('latin1') ?? '');
  };
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
  expect(draw(1).filter((text) => text !== BODY.toString('latin1')).length).toBeGreaterThan(25);
  expect(BODY.toString()).toBe('a:1:{s:4:"type";s:7:"reserve";}');
});

test('most frames have a correct length, and some do not', () => {
  const random = new Random(1);
  const frames = Array.from({ length: 500 }, () => mutate(random, encodeFrame(BODY), encodeFrame(OTHER)));
  const lies = frames.filter((frame) => frameLength(frame, 0) !== frame.length).length;
  expect(lies).toBeGreaterThan(10);
  expect(lies).toBeLessThan(100);
});
