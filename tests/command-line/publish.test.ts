import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePorts, Groupcast, portFlags } from './groupcast.ts';

let groupcast: Groupcast;
beforeEach(() => {
  groupcast = new Groupcast();
});
afterEach(() => groupcast.remove());

test('publish and subscribe find the system of this folder', async () => {
  const dev = groupcast.start(['dev', ...portFlags(await freePorts())]);
  await dev.waitForLine(/^Only this machine/);
  const subscriber = groupcast.start(['subscribe', '123', '--count=3']);
  await subscriber.waitForLine(/^groupcast: Messages after offset 0 follow\.$/);
  const texts = ['これはメッセージです', 'two\nlines\tand \u001b[31mred', '--not-an-option'];
  expect(await groupcast.run('publish', '123', texts[0] ?? '')).toMatchObject({ code: 0, stdout: '1\n' });
  expect(await groupcast.run('publish', '123', texts[1] ?? '')).toMatchObject({ code: 0, stdout: '2\n' });
  expect(await groupcast.run('publish', '--', '123', texts[2] ?? '')).toMatchObject({
    code: 0,
    stdout: '3\n',
  });
  expect(await subscriber.finished).toEqual({ code: 0, signal: null });
  expect(subscriber.stdout).toBe(
    '1\tこれはメッセージです\n2\ttwo\\nlines\\tand \\x1b[31mred\n3\t--not-an-option\n',
  );
});

test('subscribe ends with 0 on Ctrl-C', async () => {
  const dev = groupcast.start(['dev', ...portFlags(await freePorts())]);
  await dev.waitForLine(/^Only this machine/);
  const subscriber = groupcast.start(['subscribe', '123']);
  await subscriber.waitForLine(/follow\.$/);
  subscriber.kill('SIGINT');
  expect(await subscriber.finished).toEqual({ code: 0, signal: null });
});

test('subscribe ends when the reader of its output is gone', async () => {
  const dev = groupcast.start(['dev', ...portFlags(await freePorts())]);
  await dev.waitForLine(/^Only this machine/);
  const pipeline = groupcast.pipe(['subscribe', '123'], 'head -n 1');
  await pipeline.waitForLine(/follow\.$/);
  await groupcast.run('publish', '123', 'read');
  await pipeline.waitForLine(/^1\tread$/);
  // The first write after the end of the reader fails, and nothing else tells that it has ended.
  let isOver = false;
  void pipeline.finished.then(() => {
    isOver = true;
  });
  while (!isOver) await groupcast.run('publish', '123', 'not read');
  expect(pipeline.stdout).toBe('1\tread\n');
});

test.each([
  ['publish', '123', 'hello'],
  ['subscribe', '123'],
])('%s without a hub says what to do', async (...args) => {
  const { hubPort } = await freePorts();
  const { code, stdout, stderr } = await groupcast.run(...args, `--hub=127.0.0.1:${hubPort}`);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(
    new RegExp(`^groupcast: The hub at 127\\.0\\.0\\.1:${hubPort} cannot be used: .*\n$`),
  );
  expect(stderr).toContain('groupcast dev');
});

test.each([
  [['publish'], 'A group is missing'],
  [['publish', '123'], 'A text is missing'],
  [['publish', '123', ''], '--text is empty'],
  [['dev', '--port=2206'], '--port and --hub-port are both 2206'],
  [['publish', 'a\nb', 'x'], 'must be the name of a group'],
  [['publish', '123', 'x', 'y'], 'Unexpected argument "y"'],
  [['subscribe', '123', '--hub=nowhere'], '--hub "nowhere"'],
  [['subscribe', '123', '--secret-file=/none'], '--secret-file /none cannot be read'],
  [['publish', '123', 'x', '--hub-tls-ca-file=/none'], '--hub-tls-ca-file /none cannot be read'],
])('%j is rejected', async (args, sentence) => {
  const { code, stderr } = await groupcast.run(...args);
  expect(code).toBe(1);
  expect(stderr).toContain(sentence);
});
