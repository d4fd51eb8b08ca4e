import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { doorsOf, methodsOf } from './doors.ts';

const SOURCES = join(import.meta.dirname, '../../apps/ws-gateway/src');

/** Files without clients: the warm-up has a hub and clients of its own. */
const OUTSIDE = /\.(?:test|bench)\.ts$|^warm-up\/|^groups\/hub-port\.ts$/;

/** Files, or places with the property that they use, that need not ask, and why. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'auth/bans.ts': 'It reads a channel of the system, for no client.',
  'auth/namespaces.ts': 'The same.',
  'commands/manage.ts act hub.ban': 'manage asks.',
  'commands/manage.ts act hub.kick': 'The same.',
  'commands/manage.ts act hub.unban': 'The same.',
  'connection/position-reads.ts': 'ServerGroups asks before. The welcome has the result.',
  'connection/server-groups.ts ServerGroups.join groups.joinByServer': 'The program decides.',
  'gateway.ts WebSocketGateway.joinGroup groups.joinByServer': 'The program decides.',
  'groups/groups.ts Groups.#enter members.add': 'Its callers ask.',
  'groups/groups.ts Groups.#joinByServer .#enter': 'joinByToken asks; for joinByServer the program decides.',
  'groups/groups.ts Groups.#joinByServer subscribed.subscribe': 'The same.',
  'groups/groups.ts Groups.joinByServer .#joinByServer': 'The program decides.',
  'groups/join.ts Join.#goLive members.add': '#advance and page ask, in the same event-loop turn.',
  'groups/page-requests.ts PageRequests.#send hub.history': 'The command has asked, and #reply asks again.',
  'groups/subscribed-groups.ts SubscribedGroups.subscribe hub.subscribe': 'Its callers ask.',
  'users/connection-limit.ts': 'It uses channels of the system, for no client.',
  'users/user-connections.ts': 'The same.',
};

function sourceOf(path: string): string {
  return readFileSync(join(SOURCES, path), 'utf8');
}

/** Members of a hub that do nothing to a group. */
const HARMLESS: ReadonlySet<string> = new Set(['off', 'on', 'state', 'unsubscribe']);

const HUB_METHODS = methodsOf('hub-port.ts', sourceOf('groups/hub-port.ts'), 'HubPort').filter(
  (name) => !HARMLESS.has(name),
);

function unasked(path: string, program: string): readonly string[] {
  const doors = doorsOf(path, program, HUB_METHODS).filter(({ isAsked }) => !isAsked);
  return doors.map(({ place, use }) => `${path} ${place} ${use}`);
}

test('every join, publish and read of the gateway asks for permission, or says why not', () => {
  const paths = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' });
  const programs = paths.filter((path) => path.endsWith('.ts') && !OUTSIDE.test(path));
  const found = programs.flatMap((path) =>
    unasked(path, sourceOf(path)).map((door) => (path in EXCEPTIONS ? path : door)),
  );
  // An exception that is no longer needed must go.
  expect([...new Set(found)].sort()).toEqual(Object.keys(EXCEPTIONS).sort());
});

test('the check knows the methods of the hub', () => {
  expect(HUB_METHODS).toEqual(
    expect.arrayContaining(['ban', 'history', 'keyed', 'kick', 'publishWithAnswer', 'subscribe', 'unban']),
  );
});

describe('the check finds what a command would do without asking', () => {
  test.each([
    ['deps.hub.history(channel, from, this, client);', 'hub.history'],
    ['const { history } = deps.hub;', '.history'],
    ['const read = deps.hub.history;', 'hub.history'],
    ["deps.hub['publishWithAnswer'](channel);", 'hub.publishWithAnswer'],
    ['const link = deps.hub; link.publishWithAnswer(channel);', 'link.publishWithAnswer'],
    ['deps.groups.joinByServer(client, name);', 'groups.joinByServer'],
    ['this.#subscribed.subscribe(name);', 'subscribed.subscribe'],
    ['deps.pageRequests.add(client, command);', 'pageRequests.add'],
    ['group.members.add(client);', 'members.add'],
    ['deps.groups.positionOf(name);', 'groups.positionOf'],
    ["deps.hub?.ban({ uid: 'ann' });", 'hub.ban'],
  ])('%s', (statement, use) => {
    const program = (before: string, after = ''): string =>
      `class Command { run(deps) { ${before} ${statement} ${after} } }`;
    const ask = "deps.permissions.check(client, 'join', name, id);";
    expect(unasked('a.ts', program(''))).toEqual([`a.ts Command.run ${use}`]);
    expect(unasked('a.ts', program('', ask))).toEqual([`a.ts Command.run ${use}`]);
    expect(unasked('a.ts', `function other() { ${ask} } ${program('')}`)).toHaveLength(1);
    expect(unasked('a.ts', program(ask))).toEqual([]);
  });
});
