import { once } from 'node:events';
import type { Operation } from '@groupcast/protocol/schema';
import { expect } from 'vitest';
import { type Can, Grants } from '../src/auth/grants.ts';
import type { Identity } from '../src/auth/identity.ts';
import type { ClientProtocol } from '../src/client-protocols/client-protocol.ts';
import { type FakeVerifier, identityOf } from './fake-verifier.ts';
import type { StartedGateway } from './start-gateway.ts';
import { TestClient } from './test-client.ts';

type Event = Readonly<Record<string, unknown>>;

let tokens = 0;

/** Clients that do things with tokens of the user `ann`, and say what was refused. */
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

  /** Sends commands with these grants. Returns the operation that is refused for each. */
  async refusedCommands(
    can: Can,
    commands: readonly object[],
    hasId: boolean,
  ): Promise<readonly (Operation | undefined)[]> {
    const client = await this.connect(can);
    const refused: (Operation | undefined)[] = [];
    for (const [id, command] of commands.entries()) {
      const calls = this.#started.hub.calls.length;
      client.send(hasId ? { ...command, id } : command);
      if (!hasId) client.send({ cmd: 'ping', id });
      const replies = await repliesUpTo(client, id);
      const operation = forbiddenOf(replies, command, hasId);
      refused.push(operation);
      // What is refused does not reach the hub.
      if (operation !== undefined) expect(this.#started.hub.calls).toHaveLength(calls);
    }
    return refused;
  }

  /** Connects with these grants, and with groups that the token names. */
  async connect(can: Can, more: Partial<Identity> = {}): Promise<TestClient> {
    tokens += 1;
    const token = `token-${tokens}`;
    this.#verifier.identities.set(token, identityOf('ann', { grants: new Grants(can, 'ann'), ...more }));
    const { subprotocol } = this.#protocol;
    const client = new TestClient(
      this.#started.url,
      subprotocol === undefined ? [] : [subprotocol, `groupcast.token.${token}`],
    );
    this.#clients.push(client);
    await once(client.ws, 'open');
    if (subprotocol === undefined) await client.ask({ cmd: 'auth', token, id: 'auth' });
    else expect(await client.event()).toMatchObject({ type: 'welcome', uid: 'ann' });
    return client;
  }

  /** Makes the worker subscribe to groups, so that it knows their positions. */
  async joinAsAnother(groups: readonly string[]): Promise<void> {
    const member = await this.connect({ '*': ['*'] });
    for (const group_id of groups) {
      if (!group_id.startsWith('$')) await member.ask({ cmd: 'add_group', group_id, id: 'join' });
    }
  }

  /** Closes the connections. */
  async close(): Promise<void> {
    await Promise.all(this.#clients.splice(0).map((client) => client.close()));
  }
}

/** Returns the events up to the reply with an id. Messages of plain mode are not among them. */
async function repliesUpTo(client: TestClient, id: number): Promise<readonly Event[]> {
  const events: Event[] = [];
  for (;;) {
    const text = await client.message();
    if (!text.startsWith('{')) continue;
    const event = JSON.parse(text) as Event;
    events.push(event);
    if (event['id'] === id) return events;
  }
}

/** Returns the operation of the error that refuses a command. */
function forbiddenOf(replies: readonly Event[], command: object, hasId: boolean): Operation | undefined {
  const error = replies.find(({ type }) => type === 'error');
  if (error === undefined) return undefined;
  const { group_id: group } = command as { readonly group_id: string };
  const { operation, message, ...rest } = error;
  expect(rest).toEqual({ type: 'error', code: 'forbidden', ...(hasId ? { id: expect.any(Number) } : {}) });
  const sentence = group.startsWith('$')
    ? 'This name belongs to the system. Use a name without $.'
    : `Operation ${operation} is not allowed in group ${JSON.stringify(group)}. Use a token that grants it.`;
  expect(message).toBe(sentence);
  return operation as Operation;
}
