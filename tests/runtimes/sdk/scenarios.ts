import type { GroupcastError, Position } from '@groupcast/client';
import { assert } from 'chai';
import { Inbox, nextState, opened, type Stage } from './stage.ts';

const HOUR_MS = 3_600_000;

/** Publications that the hub of these scenarios keeps of each group. */
export const HISTORY_COUNT = 20;

/** Names a group that no other scenario uses: one hub serves them all. */
const freshGroup = (): string => `scenario-${Math.random()}`;

/**
 * Promises of the SDK over a real network, by name. They hold on every runtime with its WebSocket.
 */
export const SCENARIOS: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  'joins, sends, and receives what it and others send, with position and sender': async (stage) => {
    const [alice, bob] = [stage.connect(), stage.connect()];
    const group = freshGroup();
    const inbox = new Inbox(bob.group(group));
    await bob.group(group).join();
    const first = await alice.group(group).send('これはメッセージです 🎉');
    const second = await bob.group(group).send('from Bob');
    await inbox.texts(2);
    const [{ at: firstAt } = {}, { at: secondAt } = {}] = inbox.messages;
    assert.deepEqual(inbox.messages, [
      {
        groupId: group,
        ...first,
        message: 'これはメッセージです 🎉',
        from: { clientId: alice.clientId ?? '' },
        at: firstAt,
      },
      {
        groupId: group,
        ...second,
        message: 'from Bob',
        from: { clientId: bob.clientId ?? '' },
        at: secondAt,
      },
    ]);
    assert.ok(Math.abs(Number(firstAt) - Date.now()) < 60_000);
    assert.notEqual(alice.clientId, bob.clientId);
  },

  'carries a message as large as the gateway accepts, and refuses a larger one': async (stage) => {
    const group = stage.connect().group(freshGroup());
    const inbox = new Inbox(group);
    await group.join();
    const large = '🎉'.repeat(16_000);
    await group.send(large);
    assert.deepEqual(await inbox.texts(1), [large]);
    assert.equal(await codeOf(group.send(large + large)), 'message_too_big');
  },

  'recovers after a cut: same client, each message once, in order': async (stage) => {
    const [member, publisher] = [stage.connect(), stage.connectDirectly()];
    const group = member.group(freshGroup());
    const inbox = new Inbox(group);
    await group.join();
    await publisher.group(group.id).send('before');
    await inbox.texts(1);
    const { clientId } = member;
    const waiting = nextState(member, 'waiting');
    const joined = new Promise((resolve) => group.on('joined', resolve));
    await stage.direct('cut');
    await waiting;
    const positions: Position[] = [];
    for (const text of ['missed', 'missed too']) positions.push(await publisher.group(group.id).send(text));
    assert.deepInclude(await joined, { recovered: true });
    const last = await publisher.group(group.id).send('after');
    assert.deepEqual(await inbox.texts(4), ['before', 'missed', 'missed too', 'after']);
    assert.deepEqual(
      inbox.messages.slice(1).map(({ offset }) => offset),
      [...positions, last].map(({ offset }) => offset),
    );
    assert.equal(member.clientId, clientId);
    assert.deepEqual(group.position, last);
  },

  'repeats what was being sent when the connection was cut, once': async (stage) => {
    const [sender, reader] = [stage.connect(), stage.connectDirectly()];
    const group = reader.group(freshGroup());
    const inbox = new Inbox(group);
    await group.join();
    await opened(sender);
    const sent = ['1', '2', '3'].map((text) => sender.group(group.id).send(text));
    await stage.direct('cut');
    await Promise.all(sent);
    await sender.group(group.id).send('4');
    const texts = await inbox.texts(4);
    assert.deepEqual([...texts].sort(), ['1', '2', '3', '4']);
    assert.equal(texts[3], '4');
  },

  'emits a gap when the stored position is older than the history': async (stage) => {
    const publisher = stage.connect().group(freshGroup());
    const since = await publisher.send('known');
    for (let count = 0; count <= HISTORY_COUNT; count += 1) await publisher.send(`${count}`);
    const group = stage.connect().group(publisher.id);
    const gap = new Promise((resolve) => group.on('gap', resolve));
    const joined = await group.join({ since });
    assert.deepInclude(joined, { recovered: false, reason: 'trimmed' });
    assert.deepEqual(await gap, { reason: 'trimmed', position: joined.position });
  },

  'emits a gap after a restart of the hub, on a connection that stays open': async (stage) => {
    const client = stage.connect();
    const group = client.group(freshGroup());
    await group.join();
    const before = await group.send('before');
    const gap = new Promise<{ reason: string }>((resolve) => group.on('gap', resolve));
    await stage.direct('restartHub');
    const after = await group.send('after');
    assert.notEqual(after.epoch, before.epoch);
    assert.equal((await gap).reason, 'epoch_changed');
    assert.equal(client.state, 'open');
  },

  'recovers from a kept position': async (stage) => {
    const publisher = stage.connect().group(freshGroup());
    const since = await publisher.send('known');
    await publisher.send('missed');
    const group = stage.connect().group(publisher.id);
    const inbox = new Inbox(group);
    assert.deepEqual(await group.join({ since }), { position: since, recovered: true });
    assert.deepEqual(await inbox.texts(1), ['missed']);
  },

  'hears nothing of a group that it has left': async (stage) => {
    const [member, publisher] = [stage.connect(), stage.connect()];
    const [left, kept] = [freshGroup(), freshGroup()];
    const group = member.group(left);
    const [inbox, other] = [new Inbox(group), new Inbox(member.group(kept))];
    await Promise.all([group.join(), member.group(kept).join()]);
    await publisher.group(left).send('before');
    await inbox.texts(1);
    await group.leave();
    await publisher.group(left).send('after');
    // The worker of the member receives both in this order. An earlier join would precede the
    // message.
    await publisher.group(kept).send('marker');
    await other.texts(1);
    await group.join();
    await publisher.group(left).send('back');
    assert.deepEqual(await inbox.texts(2), ['before', 'back']);
  },

  'iterates, ends at break, and ends at return() while next() waits': async (stage) => {
    const group = stage.connect().group(freshGroup());
    const messages = group[Symbol.asyncIterator]();
    await group.join();
    await group.send('first');
    await group.send('second');
    assert.equal((await messages.next()).value?.message, 'first');
    assert.equal((await messages.next()).value?.message, 'second');
    const waiting = messages.next();
    assert.deepEqual(await messages.return?.(undefined), { done: true, value: undefined });
    assert.deepEqual(await waiting, { done: true, value: undefined });

    const read: unknown[] = [];
    const again = stage.connect().group(group.id);
    const iteration = (async () => {
      for await (const { message } of again) if (read.push(message) === 2) break;
    })();
    await again.join();
    await group.send('third');
    await group.send('fourth');
    await iteration;
    assert.deepEqual(read, ['third', 'fourth']);
  },

  'ends iterations, joins and sends at close()': async (stage) => {
    const client = stage.connect();
    const group = client.group(freshGroup());
    await group.join();
    const waiting = group[Symbol.asyncIterator]().next();
    client.close();
    assert.deepEqual(await waiting, { done: true, value: undefined });
    assert.equal(client.state, 'closed');
    assert.equal(await codeOf(group.join()), 'closed');
    assert.equal(await codeOf(group.send('too late')), 'closed');
  },

  'notices a refused port at once, and connects when the port is open': async (stage) => {
    await stage.direct('stopListening');
    // Without the notice of its failure, the attempt lasts an hour.
    const client = stage.connect({ connectTimeoutMs: HOUR_MS });
    assert.isAtLeast((await nextState(client, 'waiting')).waitMs ?? -1, 0);
    const sent = client.group(freshGroup()).send('queued');
    await stage.direct('listen');
    await opened(client);
    assert.isAtLeast((await sent).offset, 1);
  },

  'notices an answer 503 at once, and connects when the gateway is back': async (stage) => {
    await stage.direct('answer503');
    const client = stage.connect({ connectTimeoutMs: HOUR_MS });
    assert.isAtLeast((await nextState(client, 'waiting')).waitMs ?? -1, 0);
    await stage.direct('listen');
    await opened(client);
  },

  'connects at once at the event online, or at reconnect()': async (stage) => {
    const page = globalThis as { dispatchEvent?(event: Event): boolean };
    await stage.direct('stopListening');
    const client = stage.connect({ reconnectMinMs: HOUR_MS, reconnectMaxMs: HOUR_MS });
    await nextState(client, 'waiting');
    await stage.direct('listen');
    // Node has no events of a page: there the application calls `reconnect`.
    if (page.dispatchEvent === undefined) client.reconnect();
    else page.dispatchEvent(new Event('online'));
    await opened(client);
  },

  'stays joined over a gateway that is killed': async (stage) => {
    const client = stage.connect();
    const group = client.group(freshGroup());
    const inbox = new Inbox(group);
    await group.join();
    await group.send('before');
    await inbox.texts(1);
    const waiting = nextState(client, 'waiting');
    await stage.direct('killGateway');
    await waiting;
    await group.send('while it is away');
    assert.deepEqual(await inbox.texts(2), ['before', 'while it is away']);
  },

  'reconnects when a gateway that drains asks for it': async (stage) => {
    const client = stage.connect();
    await opened(client);
    const waiting = nextState(client, 'waiting');
    await stage.direct('stopGateway');
    const { closeCode, waitMs } = await waiting;
    assert.include([1001, 1012], closeCode);
    assert.isAtLeast(waitMs ?? -1, 0);
    await opened(client);
  },

  'lets the runtime end while it waits for the next attempt': async (stage) => {
    await stage.direct('stopListening');
    const client = stage.connect({ reconnectMinMs: HOUR_MS, reconnectMaxMs: HOUR_MS });
    await nextState(client, 'waiting');
  },

  'offers a token of 4 KiB as a subprotocol, also after a reconnect': async (stage) => {
    const reasons: string[] = [];
    const client = stage.connect({
      getToken: ({ reason }) => {
        reasons.push(reason);
        return Promise.resolve('a.b-c_d'.padEnd(4_096, '0'));
      },
    });
    await opened(client);
    const waiting = nextState(client, 'waiting');
    await stage.direct('cut');
    await waiting;
    await client.group(freshGroup()).join();
    assert.deepEqual(reasons, ['connect']);
  },

  'lets the runtime end while getToken hangs': async (stage) => {
    let call = (): void => {};
    const called = new Promise<void>((resolve) => {
      call = resolve;
    });
    stage.connect({
      connectTimeoutMs: HOUR_MS,
      getToken: () => {
        call();
        return new Promise(() => {});
      },
    });
    await called;
  },

  'lets the runtime end while an attempt to connect hangs': async (stage) => {
    await stage.direct('stopForwarding');
    stage.connect({ connectTimeoutMs: HOUR_MS });
  },

  'lets the runtime end although the network is dead': async (stage) => {
    const client = stage.connect();
    await client.group(freshGroup()).join();
    await stage.direct('stopForwarding');
  },
};

/** Resolves with the code of the GroupcastError of the rejected promise. */
async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'none',
    (error: GroupcastError) => error.code,
  );
}
