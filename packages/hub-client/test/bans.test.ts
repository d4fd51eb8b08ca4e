import { decodeText, native } from '@groupcast/protocol';
import { expect, test } from 'vitest';
import { parseBan } from '../src/index.ts';
import { EPOCH } from '../testing/fake-hub.ts';
import { useFakeHub } from '../testing/use-fake-hub.ts';

const fixture = useFakeHub();

test('a ban is the value of the key of its target, with the life of the ban', async () => {
  const [client, session] = await fixture.open();
  const done = client.ban({ address: '::ffff:10.1.0.0/112' }, { seconds: 60, reason: 'Spam.', by: 'bob' });
  const publication = await session.takePublish(1);
  expect(publication).toMatchObject({
    channel: '$bans',
    kind: 'json',
    keyed: { key: 'addr:10.1.0.0/16', lifeMs: 60_000 },
  });
  expect(parseBan('addr:10.1.0.0/16', publication.payload)).toEqual({
    target: { address: '10.1.0.0/16' },
    reason: 'Spam.',
    by: 'bob',
  });
  await done;
});

test('a revocation has a time, and no end by itself', async () => {
  const [client, session] = await fixture.open();
  const done = client.ban({ uid: 'ann' }, { notBefore: 1_800_000_000 });
  const publication = await session.takePublish(1);
  expect(publication.keyed).toEqual({ key: 'uid:ann', lifeMs: 0 });
  expect(JSON.parse(decodeText(publication.payload))).toEqual({ not_before: 1_800_000_000 });
  await done;
});

test('unban removes the key; a kick has none', async () => {
  const [client, session] = await fixture.open();
  const done = [client.unban({ group: 'room', uid: 'ann' }), client.kick('room', 'ann', { by: 'bob' })];
  const unban = await session.takePublish(1);
  expect([unban.keyed, unban.payload.length]).toEqual([{ key: 'member:room\nann', lifeMs: 0 }, 0]);
  const kick = await session.takePublish(2);
  expect(kick.keyed).toBeUndefined();
  expect(JSON.parse(decodeText(kick.payload))).toEqual({
    cmd: 'kick',
    group_id: 'room',
    uid: 'ann',
    by: 'bob',
  });
  await Promise.all(done);
});

test('invalid arguments are rejected before anything is sent', async () => {
  const [client] = await fixture.open();
  const bad = { code: 'bad_field' };
  await expect(client.ban({ uid: 'a*' })).rejects.toMatchObject(bad);
  await expect(client.ban({ address: '10.1.2.3/16' })).rejects.toThrow('Write 10.1.0.0/16.');
  await expect(client.ban({ uid: 'ann' }, { seconds: 0.5 })).rejects.toThrow('seconds is 0.5');
  await expect(client.ban({ uid: 'ann' }, { seconds: 315_360_001 })).rejects.toMatchObject(bad);
  await expect(client.ban({ tokenId: 't' }, { notBefore: 7 })).rejects.toMatchObject(bad);
  await expect(client.unban({} as never)).rejects.toMatchObject(bad);
  await expect(client.kick('', 'ann')).rejects.toMatchObject(bad);
  expect(client.stats().published).toBe(0);
});

test('the live map of bans has those of the hub', async () => {
  const [client, session] = await fixture.open();
  const bans = client.bans();
  await session.takeSubscribe(5);
  const { channel, request } = await session.expect('history');
  expect(channel).toBe('$bans');
  const position = { epoch: EPOCH, offset: 5 };
  session.send(native.encodePage({ request, verdict: 'snapshot', position, count: 0, more: false }));
  await new Promise<void>((resolve) => bans.once('ready', resolve));
  expect(bans.size).toBe(0);
});
