import { describe, expect, test } from 'vitest';
import { tellEach } from './tell-each.ts';

describe('tellEach', () => {
  const heard: string[] = [];
  const tell = (one: string, news: number): void => {
    heard.push(`${one} ${news}`);
    if (one.startsWith('bad')) throw new Error(one);
  };
  const told = (...all: string[]): readonly string[] => {
    heard.length = 0;
    tellEach(all, tell, 7);
    return heard;
  };

  test('tells everybody in order', () => {
    expect(told()).toEqual([]);
    expect(told('a', 'b')).toEqual(['a 7', 'b 7']);
  });

  test('throws what one has thrown, when all have heard', () => {
    expect(() => told('a', 'bad', 'b')).toThrow(new Error('bad'));
    expect(heard).toEqual(['a 7', 'bad 7', 'b 7']);
  });

  test('throws all that several have thrown', () => {
    const both = { errors: [new Error('bad 1'), new Error('bad 2')] };
    expect(() => told('bad 1', 'bad 2', 'a')).toThrow(expect.objectContaining(both));
    expect(heard).toHaveLength(3);
  });

  test('throws even undefined', () => {
    const thrower = (): void => {
      throw undefined;
    };
    let caught: unknown = 'nothing';
    try {
      tellEach([1], thrower, 0);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeUndefined();
  });
});
