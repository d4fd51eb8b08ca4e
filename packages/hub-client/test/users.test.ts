import { expect, test } from 'vitest';
import { useFakeHub } from '../testing/use-fake-hub.ts';

const fixture = useFakeHub();

test('a message to a user is a publication on the channel of the user', async () => {
  const [client, session] = await fixture.open();
  const options = { kind: 'json', messageId: 'm-1', sender: 'c', excludeSender: true } as const;
  const done = client.sendToUser('アン', '{"a":1}', options);
  expect(await session.takePublish(1)).toMatchObject({ channel: '$user:アン', ...options });
  expect(await done).toMatchObject({ offset: expect.any(Number) });
});

test('a message to a user may be ephemeral', async () => {
  const [client, session] = await fixture.open();
  const done = client.sendToUser('ann', 'typing', { ephemeral: true });
  expect(await session.takePublish(1)).toMatchObject({ channel: '$user:ann', ephemeral: true });
  await done;
});

test.each(['', 'a*', 'a\nb', '\u202e', 'x'.repeat(256), '\ud800', 7, undefined])(
  'the uid %j is rejected',
  async (uid) => {
    const [client] = await fixture.open();
    const sent = client.sendToUser(uid as string, 'hi');
    await expect(sent).rejects.toMatchObject({ code: 'bad_field', message: expect.stringContaining('uid') });
  },
);
