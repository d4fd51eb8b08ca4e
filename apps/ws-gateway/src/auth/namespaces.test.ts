import { setImmediate as nextTurn } from 'node:timers/promises';
import { limits } from '@groupcast/protocol';
import { SILENT_LOG } from '@groupcast/service';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { LoopbackHub } from '../../testing/loopback-hub.ts';
import { Namespaces } from './namespaces.ts';

let hub: LoopbackHub;
let events: string[];

beforeEach(() => {
  hub = new LoopbackHub();
  events = [];
});

function open(isRequired: boolean): Namespaces {
  const namespaces = new Namespaces({
    hub,
    log: { ...SILENT_LOG, warn: (_fields, message) => void events.push(message) },
    isRequired,
    changed: () => events.push('changed'),
    loaded: () => events.push('loaded'),
  });
  onTestFinished(() => namespaces.close());
  return namespaces;
}

/** Resolves when a copy has asked the hub, and has its answer. */
async function loaded(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await nextTurn();
}

function set(list: unknown): void {
  const text = list === undefined ? '' : JSON.stringify(list);
  hub.set(limits.CONFIG_CHANNEL, limits.NAMESPACES_KEY, text);
}

function prefixOf(namespaces: Namespaces, groupName: string): string | undefined {
  return namespaces.rules.find(groupName)?.prefix;
}

describe.each([true, false])('a copy (required: %s)', (isRequired) => {
  test('follows the list of the hub', async () => {
    set([{ prefix: 'a' }]);
    const namespaces = open(isRequired);
    expect([namespaces.isLoaded, prefixOf(namespaces, 'ab')]).toEqual([false, undefined]);
    await loaded();
    expect([namespaces.isLoaded, prefixOf(namespaces, 'ab')]).toEqual([true, 'a']);
    set([{ prefix: '' }]);
    expect(prefixOf(namespaces, 'ab')).toBe('');
    set([]);
    expect(prefixOf(namespaces, 'ab')).toBeUndefined();
    expect(events).toEqual(['changed', 'loaded', 'changed', 'changed']);
  });

  test('stays while the hub is away, and is read again from another hub', async () => {
    set([{ prefix: '' }]);
    const namespaces = open(isRequired);
    await loaded();
    hub.restart('epoch-2');
    set([{ prefix: 'a' }]);
    await loaded();
    expect(prefixOf(namespaces, 'a')).toBe('');
    hub.comeBack();
    await loaded();
    expect(prefixOf(namespaces, 'a')).toBe('a');
    expect(events).toEqual(['changed', 'loaded', 'changed']);
  });

  test('the same list again is no change', async () => {
    set([{ prefix: '' }]);
    open(isRequired);
    await loaded();
    set([{ prefix: '' }]);
    expect(events).toEqual(['changed', 'loaded']);
  });

  test('an invalid list changes nothing, and is logged', async () => {
    set([{ prefix: 'a' }]);
    const namespaces = open(isRequired);
    await loaded();
    set([{ prefix: 1 }]);
    expect(prefixOf(namespaces, 'a')).toBe('a');
    set([{ prefix: 'b', colour: 'of a later version' }]);
    expect(prefixOf(namespaces, 'b')).toBe('b');
    const invalid = 'invalid namespaces are ignored; the last ones stay';
    expect(events).toEqual(['changed', 'loaded', invalid, 'changed']);
  });

  test('is not complete before it is valid', async () => {
    set('no list');
    const namespaces = open(isRequired);
    await loaded();
    expect(namespaces.isLoaded).toBe(false);
    set([{ prefix: 'a' }]);
    expect([namespaces.isLoaded, prefixOf(namespaces, 'a')]).toEqual([true, 'a']);
  });

  test('other keys mean nothing', async () => {
    hub.set(limits.CONFIG_CHANNEL, 'later', '[{"prefix":""}]');
    const namespaces = open(isRequired);
    await loaded();
    expect([namespaces.isLoaded, prefixOf(namespaces, 'a')]).toEqual([true, undefined]);
  });
});

test('an old hub has no namespaces, which is a problem only if they are required', async () => {
  hub.isOld = true;
  const [required, other] = [open(true), open(false)];
  await nextTurn();
  expect([required.isLoaded, other.isLoaded]).toEqual([false, false]);
  expect(hub.keyedMaps(limits.CONFIG_CHANNEL)).toBe(1);
  expect(events).toEqual(['namespaces cannot be loaded']);
});

test('of a hub without namespaces needs no subscription, unless it is required', async () => {
  const required = open(true);
  const other = open(false);
  await nextTurn();
  expect([required.isLoaded, other.isLoaded]).toEqual([true, true]);
  expect(hub.keyedMaps(limits.CONFIG_CHANNEL)).toBe(1);
  // Another hub may have some.
  hub.away = true;
  set([{ prefix: '' }]);
  hub.comeBack();
  await nextTurn();
  await nextTurn();
  expect([prefixOf(required, 'a'), prefixOf(other, 'a')]).toEqual(['', '']);
  expect(hub.keyedMaps(limits.CONFIG_CHANNEL)).toBe(2);
  // And the next one none.
  hub.away = true;
  set(undefined);
  hub.comeBack();
  await nextTurn();
  expect([prefixOf(required, 'a'), prefixOf(other, 'a')]).toEqual([undefined, undefined]);
  expect(hub.keyedMaps(limits.CONFIG_CHANNEL)).toBe(1);
  required.close();
  other.close();
  expect(hub.keyedMaps(limits.CONFIG_CHANNEL)).toBe(0);
  hub.comeBack();
  await nextTurn();
  expect(hub.keyedMaps(limits.CONFIG_CHANNEL)).toBe(0);
});
