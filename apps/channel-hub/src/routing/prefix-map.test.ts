import { describe, expect, test } from 'vitest';
import { PrefixMap } from './prefix-map.ts';

describe('PrefixMap', () => {
  test('finds every prefix of a name, the name itself included', () => {
    const map = new PrefixMap<string>();
    for (const prefix of ['g', 'group:', 'group:1', 'group:2', 'other', 'group:1/x']) map.set(prefix, prefix);
    expect([...map.matching('group:1')].sort()).toEqual(['g', 'group:', 'group:1']);
    expect(map.matching('x')).toEqual([]);
    expect(map.matching('')).toEqual([]);
  });

  test('forgets deleted prefixes, and keeps others of the same length', () => {
    const map = new PrefixMap<number>();
    map.set('aa', 1);
    map.set('aa', 2);
    map.set('ab', 3);
    map.delete('aa');
    map.delete('aa');
    map.delete('unknown');
    expect(map.matching('aax')).toEqual([]);
    expect(map.matching('abx')).toEqual([3]);
    expect(map.size).toBe(1);
    map.delete('ab');
    expect(map.matching('abx')).toEqual([]);
    expect(map.size).toBe(0);
  });

  test('names of Object.prototype are ordinary names', () => {
    const map = new PrefixMap<number>();
    expect(map.matching('__proto__')).toEqual([]);
    map.set('__proto__', 1);
    map.set('constructor', 2);
    expect(map.matching('__proto__.x')).toEqual([1]);
    expect(map.get('toString')).toBeUndefined();
  });
});
