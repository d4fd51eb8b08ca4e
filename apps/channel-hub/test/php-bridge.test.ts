import { describe, expect, test } from 'vitest';
import { channel, NativePeer } from '../testing/native-peer.ts';
import { PhpPeer } from '../testing/php-peer.ts';
import { startHub, until } from '../testing/start-hub.ts';

async function start() {
  const { hub, port } = await startHub();
  const php = await PhpPeer.connect(port);
  php.send('subscribe', ['send_to_group', 'group:7', 'news']);
  await until(() => hub.stats().subscriptions === 4);
  return { hub, port, php };
}

describe('a group_id of 64 bits', () => {
  test.each([
    '9007199254740991',
    '9007199254740992',
    '9007199254740993',
    '-9007199254740993',
    '1234567890123456789',
    '9223372036854775807',
    '-9223372036854775808',
  ])('is the group of its digits: %s', async (digits) => {
    const { port, php } = await start();
    const member = await NativePeer.open(port);
    await member.subscribe(channel(`group:${digits}`));
    const data = `a:2:{s:8:"group_id";i:${digits};s:7:"message";s:2:"hi";}`;
    php.send('publish', ['send_to_group'], data);
    const { publication } = await member.take('deliver');
    expect([publication.channel, Buffer.from(publication.payload).toString()]).toEqual([
      `group:${digits}`,
      'hi',
    ]);
    // From PHP to PHP it stays the same integer.
    expect(await php.takeData()).toBe(data);
  });
});

describe('a message to a group that PHP did not publish', () => {
  test.each([
    ['5', 's:1:"5";'],
    ['-0', 's:2:"-0";'],
    ['1.0', 's:3:"1.0";'],
    ['12345678901234567890', 's:20:"12345678901234567890";'],
    [' true\n', 's:4:"true";'],
    ['null', 's:4:"null";'],
    ['"text"', 's:4:"text";'],
    ['{"a":1}', 'a:1:{s:1:"a";i:1;}'],
    ['[1.0]', 'a:1:{i:0;d:1;}'],
  ])('JSON %j comes as %s', async (json, value) => {
    const { port, php } = await start();
    const native = await NativePeer.open(port);
    native.sendJson('group:7', json);
    expect([await php.take(), await php.take()]).toEqual([
      { type: 'event', channel: 'group:7', data: value },
      {
        type: 'event',
        channel: 'send_to_group',
        data: `a:2:{s:8:"group_id";s:1:"7";s:7:"message";${value}}`,
      },
    ]);
  });

  test('is the value itself if it is not a message to a group', async () => {
    const { port, php } = await start();
    const native = await NativePeer.open(port);
    native.sendJson('news', '5');
    expect(await php.take()).toEqual({ type: 'event', channel: 'news', data: 'i:5;' });
  });
});

test('data that PHP publishes to a group stay unchanged, under either name', async () => {
  const { php } = await start();
  const data = 'a:2:{s:8:"group_id";i:7;s:7:"message";i:5;}';
  php.send('publish', ['send_to_group'], data);
  expect([(await php.take()).data, (await php.take()).data]).toEqual(['i:5;', data]);
  php.send('publish', ['group:7'], 'b:1;');
  expect([(await php.take()).data, (await php.take()).data]).toEqual([
    'b:1;',
    'a:2:{s:8:"group_id";s:1:"7";s:7:"message";b:1;}',
  ]);
});
