import { RawSocket, TestClient, until } from '@groupcast/testkit';
import { BINARY, clientFrame, handshake, PING, TEXT } from '@groupcast/testkit/in-process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BAD_COMMANDS } from './bad-commands.ts';
import { BAD_HANDSHAKES } from './bad-handshakes.ts';
import { BROKEN_FRAMES } from './broken-frames.ts';
import { RawClient } from './raw-client.ts';

/** A running gateway, with default limits except for those of bytes. */
export interface GatewayTarget {
  /** Port on 127.0.0.1. */
  readonly port: number;
  /** Number of its WebSockets. */
  connections(): Promise<number>;
  /** Memory of all its processes, in bytes. */
  memoryBytes(): Promise<number>;
}

const MIB = 1024 * 1024;
const OBJECT_NAMES = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'];
const SLOWLORIS_TEST_MS = 60_000;

// More than the kernel's buffers (4 MiB) and the buffer of a connection (4 MiB).
const FLOOD_MESSAGES = 200;
const FLOOD_MESSAGE = 'x'.repeat(60_000);
const FLOOD_BATCH = 20;

/**
 * Behaviour of every gateway with hostile clients: the rows of section 2.2 of the threat model that
 * have a surface yet. A bystander is a member of a group throughout, and receives exactly its
 * messages.
 */
export function gatewaySuite(target: () => GatewayTarget): void {
  let bystander: TestClient;
  let sender: TestClient;
  // Closed after each test, even a failed one: the next test must not see its effects.
  const opened: { terminate(): void }[] = [];

  beforeEach(async () => {
    bystander = await TestClient.open(url());
    sender = await TestClient.open(url());
    await join(bystander, 'bystanders');
  });

  afterEach(async () => {
    for (const client of opened.splice(0)) client.terminate();
    sender.sendCommand({ cmd: 'send_to_group', group_id: 'bystanders', message: 'still here', id: 'last' });
    expect(await sender.reply('last')).toMatchObject({ type: 'ack' });
    expect((await bystander.messages.next(({ text }) => text !== FLOOD_MESSAGE)).text).toBe('still here');
    await untilConnections(2);
    await Promise.all([bystander.close(), sender.close()]);
  });

  function url(): string {
    return `ws://127.0.0.1:${target().port}`;
  }

  async function untilConnections(count: number): Promise<void> {
    await until(
      () => target().connections(),
      `the gateway to hold ${count} connections`,
      (seen) => seen === count,
    );
  }

  async function openClient(): Promise<TestClient> {
    const client = await TestClient.open(url());
    opened.push(client);
    return client;
  }

  async function openRaw(headers: readonly string[] = []): Promise<RawClient> {
    const client = await RawClient.open(target().port, headers);
    opened.push({ terminate: () => client.socket.destroy() });
    return client;
  }

  async function openSocket(): Promise<RawSocket> {
    const socket = await RawSocket.open({ port: target().port });
    opened.push({ terminate: () => socket.destroy() });
    return socket;
  }

  async function join(client: TestClient, group: string): Promise<void> {
    client.sendCommand({ cmd: 'add_group', group_id: group, id: 'join' });
    expect(await client.reply('join')).toMatchObject({ type: 'ack' });
  }

  /** Sends many large messages to the group of the bystander, as fast as possible. */
  async function flood(): Promise<void> {
    for (let sent = 0; sent < FLOOD_MESSAGES; sent += FLOOD_BATCH) {
      for (let id = sent; id < sent + FLOOD_BATCH; id++) {
        sender.sendCommand({ cmd: 'send_to_group', group_id: 'bystanders', message: FLOOD_MESSAGE, id });
      }
      for (let id = sent; id < sent + FLOOD_BATCH; id++) {
        expect(await sender.reply(id)).toMatchObject({ type: 'ack' });
      }
    }
    await until(
      () => bystander.messages.all.filter(({ text }) => text === FLOOD_MESSAGE).length,
      'the bystander to receive all messages',
      (count) => count === FLOOD_MESSAGES,
    );
  }

  describe('commands', () => {
    test.each(BAD_COMMANDS.map(([text, code]) => [text.slice(0, 60), code, text] as const))(
      'W1, W2, W4, W5: %s is answered with %s, and the connection stays open',
      async (_, code, text) => {
        const client = await openClient();
        client.sendText(text);
        expect((await client.next()).json).toMatchObject({ type: 'error', code });
        client.sendCommand({ cmd: 'ping', id: 1 });
        expect((await client.next()).json).toEqual({ type: 'ack', id: 1 });
      },
    );

    test('W1: ten invalid ones close the connection with 4500', async () => {
      const client = await openClient();
      for (let strike = 0; strike < 10; strike++) client.sendText('nonsense');
      expect((await client.closed).code).toBe(4500);
      expect(client.messages.all.map(({ json }) => json?.['code'])).toEqual(Array(10).fill('bad_json'));
    });

    test('W3: 123 and "123" are one group, and "007" is another', async () => {
      const member = await openClient();
      member.sendText('{"cmd":"add_group","group_id":123,"id":1}');
      member.sendText('{"cmd":"add_group","group_id":"007","id":2}');
      await member.reply(2);
      for (const group of ['"123"', '7', '"0123"', '"007"', '123']) {
        sender.sendText(
          `{"cmd":"send_to_group","group_id":${group},"message":"to ${group.replaceAll('"', '')}"}`,
        );
      }
      const texts = [await member.next(), await member.next(), await member.next()].map(({ text }) => text);
      // The order between groups is not promised.
      expect(texts.sort()).toEqual(['to 007', 'to 123', 'to 123']);
    });

    test('W4: names of object properties are ordinary groups and fields', async () => {
      const client = await openClient();
      for (const name of OBJECT_NAMES) {
        client.sendText(`{"cmd":"add_group","group_id":"${name}","id":"${name}","__proto__":{"polluted":1}}`);
        expect((await client.next()).json).toMatchObject({ type: 'ack', id: name, group_id: name });
        client.sendCommand({ cmd: 'send_to_group', group_id: name, message: name });
        expect((await client.next()).text).toBe(name);
      }
    });

    test('W6: the 129th group is rejected, and ten such joins close with 4505', async () => {
      const client = await openClient();
      for (let group = 0; group < 138; group++)
        client.sendCommand({ cmd: 'add_group', group_id: group, id: group });
      expect((await client.closed).code).toBe(4505);
      const errors = client.messages.all.filter(({ json }) => json?.['type'] === 'error');
      expect(errors.map(({ json }) => json?.['code'])).toEqual(Array(10).fill('group_limit'));
    });

    test('messages beyond the rate are rejected, then closed with 1008', async () => {
      const client = await openClient();
      for (let count = 0; count < 20_000; count++) client.sendText('{"cmd":"ping"}');
      expect((await client.closed).code).toBe(1008);
      expect(client.messages.all[0]?.json).toMatchObject({ type: 'error', code: 'rate_limited' });
    });

    test('W24: a non-member may send', async () => {
      const member = await openClient();
      await join(member, 'open to all');
      sender.sendCommand({ cmd: 'send_to_group', group_id: 'open to all', message: 'hi' });
      expect((await member.next()).text).toBe('hi');
    });
  });

  describe('frames', () => {
    test.each(BROKEN_FRAMES)('W8, W9, W11: %s closes with its code', async (_, bytes, code) => {
      const client = await openRaw();
      client.write(bytes);
      expect(await client.closeCode()).toBe(code);
    });

    test('W10: compression is not negotiated', async () => {
      const offer = 'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits; a="\\"; b=;;,,=';
      const client = await openRaw([offer]);
      expect(client.head.toLowerCase()).not.toContain('extensions');
      client.write(clientFrame(TEXT | 0x40, Buffer.alloc(1_024)));
      expect(await client.closeCode()).toBe(1002);
    });

    test('W12: a binary message closes with 1003', async () => {
      const client = await openRaw();
      client.write(clientFrame(BINARY, '{"cmd":"ping"}'));
      expect(await client.closeCode()).toBe(1003);
    });

    test('W17: a flood of pings closes with 1008, and is answered only in part', async () => {
      const client = await openRaw();
      client.write(Buffer.concat(Array.from({ length: 10_000 }, () => clientFrame(PING, 'p'))));
      expect(await client.closeCode()).toBe(1008);
      expect(client.socket.bytesReceived).toBeLessThan(1_024);
    });

    test('W17: a flood of pings from a client that does not read closes it too', async () => {
      const client = await openRaw();
      client.socket.stopReading();
      client.write(Buffer.concat(Array.from({ length: 50_000 }, () => clientFrame(PING, 'p'.repeat(125)))));
      await untilConnections(2);
    });
  });

  describe('handshakes', () => {
    test.each(BAD_HANDSHAKES)('W26: %s is rejected', async (_, text, statusLine) => {
      const socket = await openSocket();
      await socket.write(Buffer.from(text, 'latin1'));
      await socket.closed;
      const answer = socket.received.toString('latin1');
      if (statusLine === '') expect(answer).toBe('');
      else expect(answer.startsWith(statusLine)).toBe(true);
    });

    test('W26: a header named __proto__ is an ordinary header', async () => {
      const client = await openRaw(['__proto__: polluted', 'constructor: polluted']);
      client.write(clientFrame(TEXT, '{"cmd":"nonsense","id":1}'));
      await client.socket.waitFor((received) => received.includes('"unknown_command"'));
    });

    test(
      'W13: an unfinished one is closed, even while bytes trickle in, and others are not delayed',
      async () => {
        const begins = ['', 'GET / HT', handshake().slice(0, -2)];
        const sockets = await Promise.all(begins.map(() => openSocket()));
        for (const [index, socket] of sockets.entries()) await socket.write(begins[index] ?? '');
        const [dribbler] = [await openSocket()];
        await dribbler.write('GET / HTTP/1.1\r\nX: ');
        const dribble = setInterval(() => void dribbler.write('x'), 500);
        const served = await openClient();
        await served.close();
        const ends = await Promise.all([...sockets, dribbler].map((socket) => socket.closed));
        clearInterval(dribble);
        expect(ends).toHaveLength(4);
        for (const socket of [...sockets, dribbler]) {
          expect(socket.received.toString('latin1')).toMatch(/^(HTTP\/1.1 408 |$)/);
        }
      },
      SLOWLORIS_TEST_MS,
    );

    test('a reset within one affects no other client', async () => {
      for (let round = 0; round < 20; round++) {
        const socket = await openSocket();
        void socket.write(handshake());
        socket.reset();
      }
    });
  });

  describe('clients that do not read', () => {
    test('W15: one of them is closed, and others receive all messages', async () => {
      await joinAndStopReading();
      await flood();
      const since = performance.now();
      await untilConnections(2);
      // 10 s, plus a margin for a busy machine.
      expect(performance.now() - since).toBeLessThan(15_000);
    });

    test('W16: 50 of them are closed, hold only their buffers, and others receive all messages', async () => {
      const slow = await Promise.all(Array.from({ length: 50 }, joinAndStopReading));
      const before = await target().memoryBytes();
      await flood();
      expect((await target().memoryBytes()) - before).toBeLessThan(slow.length * 2 * MIB);
      await untilConnections(2);
    });

    async function joinAndStopReading(): Promise<RawSocket> {
      const { socket } = await openRaw();
      await socket.write(clientFrame(TEXT, '{"cmd":"add_group","group_id":"bystanders","id":1}'));
      await socket.waitFor((received) => received.includes('"ack"'));
      socket.stopReading();
      return socket;
    }
  });
}
