import { encodeBan, encodeKick, limits } from '@groupcast/protocol';
import { SILENT_LOG } from '@groupcast/service';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LoopbackHub } from '../../testing/loopback-hub.ts';
import { type Bannable, Bans } from './bans.ts';
import { SlicedJobs } from './sliced-jobs.ts';

const CHANNEL = limits.BANS_CHANNEL;
const CONNECTIONS = 2_000;

/** Connection that records what happens to it. */
class FakeConnection implements Bannable {
  readonly identity: Bannable['identity'];
  readonly remoteAddress: string;
  readonly ends: unknown[] = [];

  constructor(uid: string | undefined, remoteAddress = '203.0.113.7', tokenId?: string) {
    this.identity = uid === undefined ? undefined : { uid, tokenId, issuedAt: 100 };
    this.remoteAddress = remoteAddress;
  }

  close(reason: string, _: undefined, text: string | undefined): void {
    this.ends.push(text === undefined ? reason : `${reason}: ${text}`);
    this.#gone();
  }

  #gone(): void {
    connections.delete(this);
    bans.forget(this);
  }
}

let hub: LoopbackHub;
let connections: Set<FakeConnection>;
let jobs: SlicedJobs;
let bans: Bans<FakeConnection>;
let warnings: string[];
let loads: number;

beforeEach(() => {
  hub = new LoopbackHub();
  connections = new Set();
  jobs = new SlicedJobs();
  warnings = [];
  loads = 0;
  bans = create();
});
afterEach(() => {
  bans.close();
  jobs.close();
});

function create(): Bans<FakeConnection> {
  return new Bans<FakeConnection>({
    hub,
    log: { ...SILENT_LOG, warn: (_fields: object, message: string) => void warnings.push(message) },
    jobs,
    connections,
    removeFromGroup: ({ ends }, groupName, reason) => void ends.push(`${groupName}: ${reason}`),
    loaded: () => {
      loads += 1;
    },
  });
}

function connect(uid?: string, address?: string, tokenId?: string): FakeConnection {
  const connection = new FakeConnection(uid, address, tokenId);
  connections.add(connection);
  bans.identified(connection);
  return connection;
}

/** Lets the hub answer, and the jobs of up to 2,000 connections finish. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 8; turn++)
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
}

describe('a ban closes what matches', () => {
  test('connections of a user, and no other', async () => {
    const [one, two, other, anonymous] = [connect('ann'), connect('ann'), connect('bob'), connect()];
    await hub.ban({ uid: 'ann' }, { reason: 'Spam.' });
    await settle();
    expect([one, two].map(({ ends }) => ends)).toEqual([['banned: Spam.'], ['banned: Spam.']]);
    expect([...connections]).toEqual([other, anonymous]);
  });

  test('older tokens of a user, a token by its id, an address, a network', async () => {
    const [old, listed] = [connect('ann'), connect('bob', undefined, 't-1')];
    const [near, far, none] = [connect('c', '10.1.2.3'), connect(undefined, '::ffff:10.1.9.9'), connect('d')];
    await hub.ban({ uid: 'ann' }, { notBefore: 101 });
    await hub.ban({ uid: 'd' }, { notBefore: 100 });
    await hub.ban({ tokenId: 't-1' });
    await hub.ban({ address: '10.1.0.0/16' });
    await settle();
    expect([old, listed, near, far, none].map(({ ends }) => ends)).toEqual([
      ['revoked'],
      ['revoked'],
      ['banned'],
      ['banned'],
      [],
    ]);
    expect(bans.size).toBe(4);
  });

  test('also thousands of them, in slices', async () => {
    for (let count = 0; count < CONNECTIONS; count++) connect('ann');
    await hub.ban({ uid: 'ann' });
    const left: number[] = [];
    while (connections.size > 0) {
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      left.push(connections.size);
    }
    expect(left.slice(-4)).toEqual([1_500, 1_000, 500, 0]);
  });

  test('and those that were there before the copy of the bans', async () => {
    bans.close();
    hub.set(CHANNEL, 'uid:ann', encodeBan({ target: { uid: 'ann' } }));
    bans = create();
    const early = connect('ann');
    expect([bans.isLoaded, loads]).toEqual([false, 0]);
    await settle();
    expect([bans.isLoaded, loads, early.ends]).toEqual([true, 1, ['banned']]);
  });
});

describe('a member', () => {
  test('is removed by a ban of the group, and may not join while it lasts', async () => {
    const [ann, bob] = [connect('ann'), connect('bob')];
    await hub.ban({ group: 'room', uid: 'ann' });
    await settle();
    expect([ann.ends, bob.ends]).toEqual([['room: Banned from this group.'], []]);
    expect(['ann', 'bob'].map((uid) => bans.isBanned(uid, 'room'))).toEqual([true, false]);
    expect(bans.isBanned('ann', 'hall')).toBe(false);
    await hub.unban({ group: 'room', uid: 'ann' });
    expect(bans.isBanned('ann', 'room')).toBe(false);
  });

  test('is removed by a kick, once', async () => {
    const ann = connect('ann');
    await hub.kick('room', 'ann', { reason: 'Out.' });
    await hub.kick('room', 'ann');
    await settle();
    expect(ann.ends.slice(0, 1)).toEqual(['room: Out.']);
    expect([bans.size, bans.isBanned('ann', 'room')]).toEqual([0, false]);
    bans.close();
    bans = create();
    const later = connect('ann');
    await settle();
    expect(later.ends).toEqual([]);
  });

  test('is removed by a kick from the time without a link', async () => {
    await settle();
    const ann = connect('ann');
    hub.away = true;
    hub.publish(CHANNEL, encodeKick({ group: 'room', uid: 'ann' }));
    await settle();
    expect(ann.ends).toEqual([]);
    hub.comeBack();
    await settle();
    expect(ann.ends).toEqual(['room: Removed by a moderator.']);
  });
});

test('the last copy holds over a lost link', async () => {
  await hub.ban({ uid: 'ann' });
  await settle();
  hub.away = true;
  expect(bans.verdict('', { uid: 'ann', tokenId: undefined, issuedAt: 1 })).toMatchObject({
    close: 'banned',
  });
  expect(bans.isLoaded).toBe(true);
});

test('invalid bans and kicks are ignored and logged, and replace valid ones', async () => {
  await settle();
  const ann = connect('ann');
  hub.set(CHANNEL, 'uid:bob', encodeBan({ target: { uid: 'bob' } }));
  for (const key of ['uid:ann', 'uid:bob', 'ann']) hub.set(CHANNEL, key, '[]');
  hub.publish(CHANNEL, 'kick ann');
  await settle();
  expect([bans.size, ann.ends]).toEqual([0, []]);
  expect(warnings).toEqual(Array.from({ length: 4 }, () => 'an invalid ban is ignored'));
});

test('a closed one hears of no more bans', async () => {
  const ann = connect('ann');
  bans.close();
  await hub.ban({ uid: 'ann' });
  await settle();
  expect(ann.ends).toEqual([]);
});
