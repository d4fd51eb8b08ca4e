import { createContext, runInContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { WELCOME_CONNECTION_SCRIPT } from './connection.ts';

interface Line {
  readonly kind: string;
  readonly facts: readonly string[];
  readonly text: string;
  readonly own: boolean | undefined;
}

interface Timer {
  readonly run: () => void;
  readonly delayMs: number;
}

interface Connection {
  join(group: string): boolean;
  leave(group: string): boolean;
  send(group: string, message: string): boolean;
}

class FakeSocket {
  static readonly OPEN = 1;
  readonly readyState = FakeSocket.OPEN;
  readonly sent: unknown[] = [];
  onmessage: ((event: { data: unknown }) => void) | undefined;
  onclose: ((event: { code: number }) => void) | undefined;
  closed = false;

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.closed = true;
  }

  receive(event: unknown): void {
    this.onmessage?.({ data: JSON.stringify(event) });
  }
}

/**
 * Runs the script as a browser would, with sockets, timers, chance and time in the test's hands.
 */
function start(groups: readonly string[] = []) {
  const dialled: { socket: FakeSocket; args: unknown[] }[] = [];
  const timers = new Map<number, Timer>();
  const lines: Line[] = [];
  const shown = { state: '', clientId: '', groups: [] as string[] };
  const world = { nowMs: 0, random: 0.5 };
  let lastTimer = 0;
  class Dialled extends FakeSocket {
    constructor(...args: unknown[]) {
      super();
      dialled.push({ socket: this, args });
    }
  }
  const context = createContext({
    WebSocket: Dialled,
    performance: { now: () => world.nowMs },
    setTimeout: (run: () => void, delayMs: number) => {
      lastTimer += 1;
      timers.set(lastTimer, { run, delayMs });
      return lastTimer;
    },
    clearTimeout: (timer: number) => timers.delete(timer),
  });
  runInContext('Math', context).random = () => world.random;
  const open = runInContext(`${WELCOME_CONNECTION_SCRIPT}; openConnection`, context);
  const connection: Connection = open('ws://gateway.test', groups, {
    state: (name: string) => {
      shown.state = name;
    },
    clientId: (text: string) => {
      shown.clientId = text;
    },
    groups: (names: Iterable<string>) => {
      shown.groups = [...names];
    },
    line: (kind: string, facts: string[], text: string, own?: boolean) =>
      lines.push({ kind, facts: [...facts], text, own }),
  });
  return {
    connection,
    dialled,
    lines,
    shown,
    world,
    socket: () => dialled.at(-1)!.socket,
    /** The one timer that is set. */
    timer: (): Timer => {
      expect(timers.size).toBe(1);
      return [...timers.values()][0]!;
    },
    /** Fires the one timer that is set. */
    fire(): void {
      const [[id, timer]] = [...timers] as [[number, Timer]];
      timers.delete(id);
      timer.run();
    },
    timers,
  };
}

const WELCOME = {
  type: 'welcome',
  client_id: 'c1',
  heartbeat: { interval_ms: 25_000, timeout_ms: 10_000 },
  limits: {},
};

/** A page that is connected as `c1`. */
function startConnected() {
  const page = start();
  page.socket().receive(WELCOME);
  return page;
}

describe('a pane of the welcome page', () => {
  test('dials with the subprotocol, shows its client id, and joins nothing by itself', () => {
    const page = start();
    expect(page.shown.state).toBe('connecting');
    page.socket().receive(WELCOME);
    expect(page.dialled.map(({ args }) => args)).toEqual([['ws://gateway.test', 'groupcast.v1']]);
    expect(page.shown).toEqual({ state: 'connected', clientId: 'c1', groups: [] });
    expect(page.socket().sent).toEqual([]);
  });

  test('joins the groups that it starts with, and lists them once they are acknowledged', () => {
    const page = start(['123']);
    expect(page.shown.groups).toEqual([]);
    page.socket().receive(WELCOME);
    expect(page.socket().sent).toEqual([{ cmd: 'add_group', group_id: '123', id: 1 }]);
    page.socket().receive({ type: 'ack', id: 1, group_id: '123', epoch: 'e', offset: 41 });
    expect(page.shown.groups).toEqual(['123']);
  });

  test('joins, sends and leaves, and lists a group only once it is acknowledged', () => {
    const { connection, socket, shown, lines } = startConnected();
    expect(connection.join('123')).toBe(true);
    expect(shown.groups).toEqual([]);
    socket().receive({ type: 'ack', id: 1, group_id: '123', epoch: 'e', offset: 41 });
    expect(shown.groups).toEqual(['123']);
    connection.send('123', 'hi');
    connection.leave('123');
    socket().receive({ type: 'ack', id: 3, group_id: '123' });
    expect(shown.groups).toEqual([]);
    expect(socket().sent).toEqual([
      { cmd: 'add_group', group_id: '123', id: 1 },
      { cmd: 'send_to_group', group_id: '123', message: 'hi', id: 2 },
      { cmd: 'leave_group', group_id: '123', id: 3 },
    ]);
    expect(lines.map((line) => line.facts)).toEqual([
      ['ack', 'add_group', 'group 123', 'offset 41'],
      ['ack', 'leave_group', 'group 123'],
    ]);
  });

  test('a rejected join is shown with its code and not listed', () => {
    const { connection, socket, shown, lines } = startConnected();
    connection.join('123');
    socket().receive({ type: 'error', id: 1, code: 'group_limit', message: 'Leave one first.' });
    expect(shown.groups).toEqual([]);
    expect(lines).toEqual([
      { kind: 'error', facts: ['error', 'group_limit'], text: 'Leave one first.', own: undefined },
    ]);
  });

  test('marks its own messages', () => {
    const { socket, lines } = startConnected();
    const message = { type: 'message', group_id: '123', offset: 7, message: '<b>hi</b>' };
    socket().receive({ ...message, from: { client_id: 'c1' } });
    socket().receive({ ...message, from: { client_id: 'c2' } });
    socket().receive(message);
    expect(lines.map(({ own, text }) => [own, text])).toEqual([
      [true, '<b>hi</b>'],
      [false, '<b>hi</b>'],
      [false, '<b>hi</b>'],
    ]);
    expect(lines[1]!.facts).toEqual(['message', 'group 123', 'offset 7', 'other']);
  });

  test('replies to a heartbeat', () => {
    const { socket } = startConnected();
    socket().receive({ type: 'ping' });
    expect(socket().sent).toEqual([{ cmd: 'ping' }]);
  });

  test('shows unknown events, and survives invalid ones', () => {
    const { socket, lines } = startConnected();
    socket().receive({ type: 'gap', group_id: '123', reason: 'trimmed' });
    socket().receive(null);
    socket().onmessage?.({ data: '{' });
    expect(lines.map((line) => [line.facts[0], line.text])).toEqual([
      ['gap', 'trimmed'],
      ['error', 'The gateway sent something other than a JSON object.'],
      ['error', 'The gateway sent something other than a JSON object.'],
    ]);
  });

  test('cuts a long message short', () => {
    const { socket, lines } = startConnected();
    socket().receive({ type: 'message', group_id: '1', offset: 1, message: 'x'.repeat(2_001) });
    expect(lines[0]!.text).toBe(`${'x'.repeat(2_000)}…`);
  });
});

describe('when the connection breaks', () => {
  test('it waits a random part of a bound that doubles from 0.5 s to 20 s', () => {
    const page = start();
    page.world.random = 0.999;
    const delays: number[] = [];
    for (let attempt = 0; attempt < 8; attempt += 1) {
      page.socket().onclose?.({ code: 1006 });
      delays.push(page.timer().delayMs);
      expect(page.shown.state).toBe('waiting');
      page.fire();
    }
    const bounds = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000];
    expect(delays).toEqual(bounds.map((bound) => bound * 0.999));
    expect(page.dialled).toHaveLength(9);
  });

  test('a connection that lasted starts the backoff over, a short one does not', () => {
    const page = start();
    const breakAfter = (lastedMs: number): number => {
      page.socket().receive(WELCOME);
      page.world.nowMs += lastedMs;
      page.socket().onclose?.({ code: 1006 });
      const { delayMs } = page.timer();
      page.fire();
      return delayMs;
    };
    expect([breakAfter(1_000), breakAfter(1_000), breakAfter(20_001)]).toEqual([250, 500, 250]);
  });

  test('it joins its groups again, also those with a pending reply', () => {
    const { connection, socket, shown, lines, fire } = startConnected();
    for (const group of ['a', 'b', 'c']) connection.join(group);
    socket().receive({ type: 'ack', id: 1, group_id: 'a' });
    socket().receive({ type: 'ack', id: 2, group_id: 'b' });
    connection.leave('b');
    connection.send('a', 'hi');
    socket().onclose?.({ code: 1006 });
    expect(lines.at(-1)).toMatchObject({ kind: 'error', facts: ['error', 'outcome_unknown'] });
    fire();
    socket().receive({ ...WELCOME, client_id: 'c2' });
    expect(socket().sent).toEqual([
      { cmd: 'add_group', group_id: 'a', id: 6 },
      { cmd: 'add_group', group_id: 'c', id: 7 },
    ]);
    socket().receive({ type: 'ack', id: 6, group_id: 'a' });
    socket().receive({ type: 'ack', id: 7, group_id: 'c' });
    expect(shown).toEqual({ state: 'connected', clientId: 'c2', groups: ['a', 'c'] });
  });

  test('it reconnects when the gateway says', () => {
    const { socket, timer } = startConnected();
    socket().receive({
      type: 'disconnect',
      code: 1001,
      reason: 'restart',
      reconnect: true,
      reconnect_after_ms: 1_200,
    });
    socket().onclose?.({ code: 1001 });
    expect(timer().delayMs).toBe(1_200);
  });

  test.each([
    ['by disconnect', { type: 'disconnect', code: 1008, reconnect: false }, 1008],
    ['by the close code', undefined, 4500],
  ])('it stays away when told to %s', (_how, farewell, code) => {
    const { socket, shown, timers } = startConnected();
    if (farewell !== undefined) socket().receive(farewell);
    socket().onclose?.({ code });
    expect(shown.state).toBe('closed');
    expect(timers.size).toBe(0);
  });

  test('silence past the heartbeat counts as broken, and traffic postpones it', () => {
    const page = startConnected();
    const silent = page.socket();
    silent.receive({ type: 'ping' });
    expect(page.timer().delayMs).toBe(35_000);
    page.fire();
    expect(silent.closed).toBe(true);
    expect(page.shown.state).toBe('waiting');
    silent.onclose?.({ code: 1006 });
    expect(page.timers.size).toBe(1);
  });

  test('a click shows an error', () => {
    const { connection, lines } = start();
    expect(connection.join('123')).toBe(false);
    expect(lines[0]!.facts).toEqual(['error', 'not_connected']);
  });

  test('unanswered commands are bounded', () => {
    const { connection, socket, lines } = startConnected();
    for (let sent = 0; sent < 256; sent += 1) expect(connection.send('1', 'x')).toBe(true);
    expect(connection.send('1', 'x')).toBe(false);
    expect(socket().sent).toHaveLength(256);
    expect(lines.at(-1)!.facts).toEqual(['error', 'too_many_pending']);
  });
});
