// Runs a hub, a gateway, a PHP process that subscribes to all groups, and a member with a
// WebSocket. Both receive the messages of PHP and of the member. node examples/mixed-fleet/run.mjs
// [--once] [--ports HUB,HUB_ADMIN,GATEWAY,GATEWAY_ADMIN]

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    once: { type: 'boolean', default: false },
    ports: { type: 'string', default: '22060,22070,12340,12350' },
  },
});
const [hubPort, hubAdminPort, gatewayPort, gatewayAdminPort] = values.ports.split(',');
const hubAddress = `tcp://127.0.0.1:${hubPort}`;
// Node 20 has no global WebSocket; this is the one of the gateway.
const { WebSocket } = createRequire(pathOf('../../apps/ws-gateway/package.json'))('ws');

const processes = [];
let isEnding = false;
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => end());

startApp('channel-hub', `--port=${hubPort}`, `--admin-port=${hubAdminPort}`);
startApp(
  'ws-gateway',
  `--port=${gatewayPort}`,
  `--admin-port=${gatewayAdminPort}`,
  `--hub=127.0.0.1:${hubPort}`,
  '--host=127.0.0.1',
  '--workers=2',
  '--drain-seconds=1',
);
await until(() => isReady(hubAdminPort));
await until(() => isReady(gatewayAdminPort));
const subscriber = linesOf(start('php', 'subscriber.php', hubAddress).stdout);
const member = new WebSocket(`ws://127.0.0.1:${gatewayPort}`);
await once(member, 'open');
member.send('{"cmd":"add_group","group_id":"123","id":1}');
await once(member, 'message');
await until(hasPhpSubscriber);

await expectBoth('PHP sends to group 123', () =>
  start('php', '../php-publisher/publish.php', '123', 'hello from PHP', hubAddress),
);
await expectBoth('a WebSocket sends to group 123', () =>
  member.send('{"cmd":"send_to_group","group_id":"123","message":"hello from a WebSocket"}'),
);

if (values.once) await end();
else {
  say(`Open http://127.0.0.1:${gatewayPort} and join group 123, or send more from another shell:`);
  say(`    php examples/php-publisher/publish.php 123 'once more' ${hubAddress}`);
  say('Ctrl-C ends it all.');
  member.on('message', (data) => say(`  a member got    ${data}`));
  for await (const line of subscriber) say(`  PHP got         ${line}`);
}

/** Runs an action, and prints the messages that the member and the PHP subscriber receive. */
async function expectBoth(what, act) {
  say(what);
  const message = once(member, 'message');
  act();
  const [text] = await message;
  say(`  a member got    ${text}`);
  say(`  PHP got         ${(await subscriber.next()).value}`);
}

function startApp(folder, ...flags) {
  start(process.execPath, `../../apps/${folder}/dist/main.js`, 'start', '--log-level=error', ...flags);
}

function start(command, file, ...args) {
  const child = spawn(command, [pathOf(file), ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  processes.push(child);
  child.once('error', (error) => fail(`${command} cannot be started: ${error.message}`));
  child.once('exit', (code) => {
    if (code !== 0) fail(`${file} has ended with ${code}`);
  });
  return child;
}

async function* linesOf(stream) {
  yield* createInterface({ input: stream });
}

async function isReady(adminPort) {
  return (await fetch(`http://127.0.0.1:${adminPort}/readyz`)).ok;
}

async function hasPhpSubscriber() {
  const { peers } = await (await fetch(`http://127.0.0.1:${hubAdminPort}/api/v1/stats`)).json();
  return peers.some(({ dialect, subscriptions }) => dialect === 'php' && subscriptions > 0);
}

async function until(isSo) {
  while (!(await isSo().catch(() => false))) await setTimeout(50);
}

/** Resolves when all processes have ended. */
async function end(code = 0) {
  if (isEnding) return;
  isEnding = true;
  const running = processes.filter(
    ({ pid, exitCode, signalCode }) => pid && exitCode === null && !signalCode,
  );
  const ends = running.map((child) => once(child, 'exit'));
  for (const child of running) child.kill();
  await Promise.all(ends);
  process.exit(code);
}

function fail(why) {
  if (isEnding) return;
  process.stderr.write(`${why}\n`);
  void end(1);
}

function say(line) {
  process.stdout.write(`${line}\n`);
}

function pathOf(name) {
  return fileURLToPath(new URL(name, import.meta.url));
}
