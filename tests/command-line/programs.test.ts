import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePorts, Groupcast, portFlags } from './groupcast.ts';

let groupcast: Groupcast;
beforeEach(() => {
  groupcast = new Groupcast();
});
afterEach(() => groupcast.remove());

test.each(['hub', 'gateway', 'loadtest'])('%s is a program with commands of its own', async (name) => {
  const help = await groupcast.run(name, '--help');
  expect(help).toMatchObject({ code: 0, stderr: '' });
  expect(help.stdout).toContain(`Usage: groupcast ${name} <command>`);
  expect(await groupcast.run(name, '--version')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(new RegExp(`^groupcast ${name} \\d`)),
  });
  expect((await groupcast.run(name, 'nothing')).code).toBe(2);
});

test('loadtest loads the development system', async () => {
  const ports = await freePorts();
  const dev = groupcast.start(portFlags(ports));
  await dev.waitForLine(/^Only this machine/);
  const load = ['--members=10', '--groups=1', '--messages=50', '--processes=2', '--json'];
  const { code, stdout, stderr } = await groupcast.run('loadtest', `ws://127.0.0.1:${ports.port}`, ...load);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(JSON.parse(stdout)).toMatchObject({ deliveries: 500, lost: 0, unexpected: 0 });
});

test('secret prints a new secret, and cert makes the files for a hub and its gateways', async () => {
  const secrets = await Promise.all([groupcast.run('secret'), groupcast.run('secret')]);
  expect(new Set(secrets.map(({ stdout }) => stdout)).size).toBe(2);
  for (const { code, stdout } of secrets) {
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^[\w-]{43}\n$/) });
  }
  const { code } = await groupcast.run('cert', '--dir=tls', '--host=127.0.0.1');
  expect(code).toBe(0);
  const files = ['ca.pem', 'gateway.key', 'gateway.pem', 'hub.key', 'hub.pem'];
  expect(readdirSync(join(groupcast.folder, 'tls')).sort()).toEqual(files);
  expect(statSync(join(groupcast.folder, 'tls', 'hub.key')).mode & 0o777).toBe(0o600);
});

test('without dev, wrong words are errors', async () => {
  expect(await groupcast.run('puplish', '123', 'hello')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('did you mean publish?'),
  });
  expect(await groupcast.run('--prot=1234')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('did you mean --port?'),
  });
});
