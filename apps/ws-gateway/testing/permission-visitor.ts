import { once } from 'node:events';
import type { Operation } from '@groupcast/protocol/schema';
import { expect } from 'vitest';
import { type Can, Grants } from '../src/auth/grants.ts';
import type { Identity } from '../src/auth/identity.ts';
import type { ClientProtocol } from '../src/client-protocols/client-protocol.ts';
import { allowedIdentity, type FakeVerifier } from './fake-verifier.ts';
import type { StartedGateway } from './start-gateway.ts';
import { TestClient } from './test-client.ts';

type Event = Readonly<Record<string, unknown>>;

export interface Command {
  readonly cmd: string;
  readonly group_id: string;
}

let tokens = 0;

/** A client, and what it got up to its welcome or the reply to `auth`. */
interface Connected {
  readonly client: TestClient;
  readonly events: readonly Event[];
}

type Refused = readonly (Operation | undefined)[];

/**
 * Clients that do things with tokens of the user `ann`. Each method returns the operation that is
 * refused for each command or group; undefined: none.
 */
export class PermissionVisitor {
  readonly #started: StartedGateway;
  readonly #verifier: FakeVerifier;
  readonly #protocol: ClientProtocol;
  readonly #clients: TestClient[] = [];

  constructor(started: StartedGateway, verifier: FakeVerifier, protocol: ClientProtocol) {
    this.#started = started;
    this.#verifier = verifier;
    this.#protocol = protocol;
  }

  /** Sends commands. */
  async commands(can: Can, commands: readonly Command[], hasId: boolean): Promise<Refused> {
    const { client } = await this.#connect(can);
    const refused: (Operation | undefined)[] = [];
    for (const [id, command] of commands.entries()) {
      const { calls } = this.#started.hub;
      const callsBefore = calls.length;
      client.send(hasId ? { ...command, id } : command);
      if (!hasId) client.send({ cmd: 'ping', id });
      const error = (await eventsUpTo(client, id)).find(({ type }) => type === 'error');
      refused.push(refusedBy(error, command.group_id));
      if (error === undefined) continue;
      expect(error['id']).toBe(hasId ? id : undefined);
      // What is refused does not reach the hub.
      expect(calls.slice(callsBefore).filter(({ channel }) => !channel.startsWith('$user:'))).toEqual([]);
    }
    return refused;
  }

  /** Connects with a token that names groups, and with positions in them if it resumes. */
  async serverJoins(can: Can, groups: readonly string[], resumes: boolean): Promise<Refused> {
    const { client, events } = await this.#connect(can, { groups });
    const positions = Object.fromEntries(groups.map((name) => [name, { epoch: 'epoch-1', offset: 0 }]));
    if (resumes) client.send({ cmd: 'resume', positions });
    client.send({ cmd: 'ping', id: 'joined' });
    const all = [...events, ...(await eventsUpTo(client, 'joined'))];
    const refused = groups.map((name) =>
      refusedBy(
        all.find((event) => event['type'] === 'error' && event['group_id'] === name),
        name,
      ),
    );
    const { groups: memberships } = this.#started.gateway.connections().at(-1) ?? {};
    expect(memberships).toBe(refused.filter((operation) => operation === undefined).length);
    return refused;
  }

  /** Joins groups, and then refreshes the token. */
  async refresh(can: Can, groups: readonly string[]): Promise<Refused> {
    const { client } = await this.#connect({ '*': ['*'] });
    for (const group_id of groups) client.send({ cmd: 'add_group', group_id });
    client.send({ cmd: 'refresh', token: this.#tokenFor(can), id: 'refresh' });
    const events = await eventsUpTo(client, 'refresh');
    expect(events.at(-1)).toMatchObject({ type: 'ack' });
    return groups.map((name) => {
      // Its join was refused before.
      if (name.startsWith('$')) return 'join';
      const event = events.find((one) => one['group_id'] === name);
      if (event?.['type'] !== 'removed') return refusedBy(event, name);
      expect(event['reason']).toBe('permission');
      return 'join';
    });
  }

  /** Makes the worker subscribe to groups, so that it knows their positions. */
  async joinAsAnother(groups: readonly string[]): Promise<void> {
    const { client } = await this.#connect({ '*': ['*'] });
    for (const group_id of groups) client.send({ cmd: 'add_group', group_id });
    client.send({ cmd: 'add_group', group_id: 'last', id: 'last' });
    await eventsUpTo(client, 'last');
  }

  /** Closes the connections. */
  async close(): Promise<void> {
    await Promise.all(this.#clients.splice(0).map((client) => client.close()));
  }

  async #connect(can: Can, more: Partial<Identity> = {}): Promise<Connected> {
    const token = this.#tokenFor(can, more);
    const { subprotocol } = this.#protocol;
    const offer = subprotocol === undefined ? [] : [subprotocol, `groupcast.token.${token}`];
    const client = new TestClient(this.#started.url, offer);
    this.#clients.push(client);
    await once(client.ws, 'open');
    if (subprotocol !== undefined) return { client, events: [await client.event()] };
    client.send({ cmd: 'auth', token, id: 'auth' });
    return { client, events: await eventsUpTo(client, 'auth') };
  }

  #tokenFor(can: Can, more: Partial<Identity> = {}): string {
    tokens += 1;
    const token = `token-${tokens}`;
    this.#verifier.identities.set(token, allowedIdentity('ann', { grants: new Grants(can, 'ann'), ...more }));
    return token;
  }
}

/** Returns the events up to the reply with an id. Messages of plain mode are not among them. */
async function eventsUpTo(client: TestClient, id: unknown): Promise<readonly Event[]> {
  const events: Event[] = [];
  for (;;) {
    const text = await client.message();
    if (!text.startsWith('{')) continue;
    const event = JSON.parse(text) as Event;
    events.push(event);
    if (event['id'] === id) return events;
  }
}

/** Returns the operation that an error names, if there is one. */
function refusedBy(error: Event | undefined, group: string): Operation | undefined {
  if (error?.['type'] !== 'error') return undefined;
  const { operation, message, code } = error;
  expect(code).toBe('forbidden');
  const sentence = group.startsWith('$')
    ? 'This name belongs to the system. Use a name without $.'
    : `Operation ${operation} is not allowed in group ${JSON.stringify(group)}. Use a token that grants it.`;
  expect(message).toBe(sentence);
  return operation as Operation;
}
