import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { GroupcastClient, type History, type Position } from '../src/index.ts';
import type { FakeSocket } from '../testing/fake-socket.ts';
import { FakeNetwork } from '../testing/fake-socket.ts';
import { type ModelConnection, ModelGateway } from '../testing/model-gateway.ts';
import { outcomeOf, settled } from '../testing/start-client.ts';

/** An event during the work of a client. */
type Happening =
  | { readonly what: 'send'; readonly excludeSelf: boolean }
  | { readonly what: 'ephemeral' }
  | { readonly what: 'other'; readonly isStored: boolean }
  | { readonly what: 'join'; readonly last: number }
  | { readonly what: 'history'; readonly limit: number }
  | { readonly what: 'server joins' | 'server removes' | 'server forgets' }
  | { readonly what: 'deliver'; readonly count: number }
  | { readonly what: 'cut' }
  | { readonly what: 'tokens'; readonly fail: boolean }
  | { readonly what: 'expire' }
  | { readonly what: 'refuse'; readonly code: string | undefined }
  | { readonly what: 'hub' }
  | { readonly what: 'wait'; readonly ms: number }
  | { readonly what: 'leave' }
  | { readonly what: 'leave and join' };

const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ what: fc.constant('send' as const), excludeSelf: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ what: 'ephemeral' as const }) },
  { weight: 5, arbitrary: fc.record({ what: fc.constant('other' as const), isStored: fc.boolean() }) },
  { weight: 8, arbitrary: fc.record({ what: fc.constant('deliver' as const), count: fc.nat(12) }) },
  { weight: 2, arbitrary: fc.constant({ what: 'cut' as const }) },
  { weight: 1, arbitrary: fc.constant({ what: 'expire' as const }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('tokens' as const), fail: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constant('refuse' as const),
      code: fc.constantFrom('hub_unavailable', 'outcome_unknown', undefined, undefined),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ what: 'hub' as const }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('wait' as const), ms: fc.nat(4_000) }) },
  { weight: 1, arbitrary: fc.constant({ what: 'leave' as const }) },
  { weight: 1, arbitrary: fc.constant({ what: 'leave and join' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constant('join' as const), last: fc.integer({ min: 1, max: 5 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constant('history' as const), limit: fc.integer({ min: 1, max: 5 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constantFrom('server joins' as const, 'server removes' as const, 'server forgets' as const),
    }),
  },
);

const RUNS = 200;

const TOKEN_PREFIX = 'groupcast.token.';

/** Life of a token: it is refreshed several times in a run. */
const TOKEN_LIFE_MS = 10_000;

/**
 * A client on a model of a gateway, over a network that delivers on demand. A cut loses the
 * messages in flight.
 */
class World {
  readonly gateway = new ModelGateway();
  readonly client: GroupcastClient;
  /** Connection at the gateway. `undefined` until it has accepted the newest one. */
  connection: ModelConnection | undefined;
  /** Whether `getToken` fails. */
  tokensFail = false;
  /** Connections that offered no token. */
  anonymous = 0;
  /** Calls of `getToken`: their numbers are the tokens. */
  tokens = 0;
  /** First token that has not expired. */
  #goodFrom = 1;
  #cut: (code?: number) => void = () => {};
  #underWay: (() => void)[] = [];

  constructor() {
    const network = new FakeNetwork((socket) => this.#dialled(socket));
    this.gateway.tokenLifeMs = TOKEN_LIFE_MS;
    this.client = new GroupcastClient('ws://model', {
      WebSocket: network.WebSocket,
      getToken: async () => {
        if (this.tokensFail) throw new Error('No token, by the test.');
        this.tokens += 1;
        return `${this.tokens}`;
      },
    });
  }

  /** Delivers `count` messages in flight, not counting those that they cause. */
  deliver(count: number): void {
    for (const arrive of this.#underWay.splice(0, count)) arrive();
  }

  cut(): void {
    this.#cut();
  }

  /** Lets all tokens expire: the gateway closes the connection, and accepts new ones only. */
  expire(): void {
    this.#goodFrom = this.tokens + 1;
    this.#cut(4010);
  }

  /** Advances the time and delivers everything, until nothing more happens. */
  async settle(): Promise<void> {
    for (let step = 0; step < 160; step += 1) {
      this.deliver(Number.POSITIVE_INFINITY);
      await passTime(250);
    }
  }

  #dialled(socket: FakeSocket): void {
    this.connection = undefined;
    const soon = (act: () => void): void => {
      this.#underWay.push(act);
    };
    const token = socket.protocols.find((protocol) => protocol.startsWith(TOKEN_PREFIX));
    if (token === undefined) this.anonymous += 1;
    soon(() => {
      if (Number(token?.slice(TOKEN_PREFIX.length)) < this.#goodFrom) {
        this.#cut(4010);
        return;
      }
      this.connection = this.gateway.connect(socket.protocols, (event) => soon(() => socket.receive(event)));
    });
    socket.onCommand = (command) => soon(() => this.connection?.receive(command));
    this.#cut = (code = 1006) => {
      this.connection?.end();
      this.#underWay = [];
      socket.end(code);
    };
  }
}

/**
 * Advances the time without a task of the event loop. In a page each task would wait for 4 ms, and
 * the test has more than 60,000.
 */
async function passTime(ms: number): Promise<void> {
  vi.advanceTimersByTime(ms);
  await settled();
}

interface Run {
  /** Positions of the received messages, separated by gaps. */
  readonly received: Position[][];
  readonly texts: string[];
  /** Texts of ephemeral messages that were received. */
  readonly ephemeral: string[];
  readonly reads: {
    readonly since: Position | undefined;
    readonly outcome: ReturnType<typeof outcomeOf<History>>;
  }[];
  readonly outcomes: { readonly text: string; readonly outcome: ReturnType<typeof outcomeOf<Position>> }[];
  readonly ownHidden: Set<string>;
  readonly world: World;
}

async function run(happenings: readonly Happening[]): Promise<Run> {
  const world = new World();
  const { client, gateway } = world;
  const group = client.group('g');
  const received: Position[][] = [];
  const texts: string[] = [];
  const ephemeral: string[] = [];
  const reads: Run['reads'] = [];
  const outcomes: Run['outcomes'] = [];
  const ownHidden = new Set<string>();
  group.on('joined', ({ position, recovered }) => {
    if (recovered === true) expect(received.at(-1)?.at(-1)).toMatchObject({ epoch: position.epoch });
    else received.push([position]);
  });
  group.on('gap', ({ position }) => received.push([position]));
  group.on('message', ({ epoch, offset, message }) => {
    if (offset === undefined) {
      // It carries the position of the group at its time: nothing later came before it.
      const at = JSON.parse(String(message).slice(String(message).indexOf('{')));
      if (at.epoch === epoch) expect(group.position?.offset).toBeLessThanOrEqual(at.offset);
      ephemeral.push(String(message));
    } else {
      received.at(-1)?.push({ epoch, offset });
      texts.push(String(message));
    }
  });
  const join = (last?: number): void => void group.join({ last }).catch(() => {});
  group.on('removed', () => join());
  join();
  await settled();
  // Joined first, because otherwise every run would begin with the connection.
  for (let round = 0; round < 3; round += 1) world.deliver(Number.POSITIVE_INFINITY);
  let others = 0;
  const typing = (): string => {
    const { epoch, offset } = gateway.group('g');
    return `typing ${others} ${JSON.stringify({ epoch, offset })}`;
  };
  for (const happened of happenings) {
    if (happened.what === 'send') {
      const text = `own ${outcomes.length}`;
      if (happened.excludeSelf) ownHidden.add(text);
      outcomes.push({ text, outcome: outcomeOf(group.send(text, { excludeSelf: happened.excludeSelf })) });
    } else if (happened.what === 'ephemeral') {
      // The hub can publish it later, behind further messages: without a position.
      void group.send('own typing {}', { store: false }).catch(() => {});
    } else if (happened.what === 'other') {
      others += 1;
      if (happened.isStored) gateway.publish('g', `other ${others}`);
      else gateway.publish('g', typing(), { isStored: false });
    } else if (happened.what === 'history') {
      const since = group.position;
      const outcome = outcomeOf(
        group.history({ limit: happened.limit, ...(since ? { since } : { last: 3 }) }),
      );
      reads.push({ since, outcome });
    } else if (happened.what === 'server joins') {
      gateway.serverGroups.add('g');
      world.connection?.serverJoins('g');
    } else if (happened.what === 'server forgets') gateway.serverGroups.delete('g');
    else if (happened.what === 'server removes') world.connection?.serverRemoves('g', 'removed by the test');
    else if (happened.what === 'leave') void group.leave();
    else if (happened.what === 'join') {
      void group.leave();
      join(happened.last);
    } else if (happened.what === 'deliver') world.deliver(happened.count);
    else if (happened.what === 'cut') world.cut();
    else if (happened.what === 'expire') world.expire();
    else if (happened.what === 'tokens') world.tokensFail = happened.fail;
    else if (happened.what === 'refuse') gateway.refuse = () => happened.code;
    else if (happened.what === 'hub') gateway.loseHistory('g');
    else if (happened.what === 'wait') await passTime(happened.ms);
    else {
      void group.leave();
      join();
    }
  }
  gateway.refuse = undefined;
  world.tokensFail = false;
  join();
  await world.settle();
  gateway.publish('g', 'last');
  await world.settle();
  return { received, texts, ephemeral, reads, outcomes, ownHidden, world };
}

/**
 * Checks that the received messages are in order, and that only messages with `excludeSelf` are
 * missing.
 */
function expectWhole({ received, ownHidden, world }: Run): void {
  const { epoch: lastEpoch, history } = world.gateway.group('g');
  const hidden = new Set(history.filter(({ message }) => ownHidden.has(message)).map(({ offset }) => offset));
  for (const positions of received) {
    for (const [index, { epoch, offset }] of positions.entries()) {
      const before = positions[index - 1];
      if (before === undefined) continue;
      expect(epoch).toBe(before.epoch);
      expect(offset).toBeGreaterThan(before.offset);
      if (epoch !== lastEpoch) continue;
      for (let left = before.offset + 1; left < offset; left += 1) expect(hidden).toContain(left);
    }
  }
}

/** Checks that each read has an answer, and that its messages are in order and in its range. */
function expectReads({ reads }: Run): void {
  for (const { since, outcome } of reads) {
    if (outcome.error) expect(outcome.error.code).toBe('timeout');
    const { messages, position } = outcome.value ?? { messages: [], position: undefined };
    for (const [index, { epoch, offset = 0 }] of messages.entries()) {
      expect(epoch).toBe(position?.epoch);
      expect(offset).toBeGreaterThan(messages[index - 1]?.offset ?? since?.offset ?? 0);
      expect(offset).toBeLessThanOrEqual(position?.offset ?? 0);
    }
    expect(outcome.error ?? outcome.value).toBeDefined();
  }
}

test('messages are received once, in order and complete, through cuts, rejections and restarts', async () => {
  let received = 0;
  let tokens = 0;
  vi.useFakeTimers();
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 80, size: 'max' }), async (happenings) => {
        vi.clearAllTimers();
        const ran = await run(happenings);
        const { texts, ephemeral, outcomes, ownHidden, world } = ran;
        received += texts.length;
        expect(texts.at(-1)).toBe('last');
        expectWhole(ran);
        expectReads(ran);
        const typed = ephemeral.filter((text) => !text.startsWith('own'));
        expect(new Set(typed).size).toBe(typed.length);
        expect(ephemeral.length - typed.length).toBeLessThanOrEqual(
          happenings.filter(({ what }) => what === 'ephemeral').length,
        );
        const restarted = happenings.some(({ what }) => what === 'hub');
        // A message that the hub published and forgot in a restart is published a second time.
        const once = restarted ? texts.filter((text) => !text.startsWith('own')) : texts;
        // A join of the newest messages repeats what an earlier join received.
        const isRepeated = happenings.some(({ what }) => what === 'join');
        if (!isRepeated) expect(new Set(once).size).toBe(once.length);
        const kept = world.gateway.messagesOf('g');
        for (const { text, outcome } of outcomes) {
          expect(outcome.value).toBeDefined();
          expect(ownHidden.has(text) && texts.includes(text)).toBe(false);
          // A restarted hub has lost its messages. Before that it stores a repetition once.
          if (!restarted) expect(kept.filter((message) => message === text)).toHaveLength(1);
        }
        world.client.close();
        expect([vi.getTimerCount(), world.anonymous]).toEqual([0, 0]);
        tokens += world.tokens;
      }),
      { numRuns: RUNS },
    );
  } finally {
    vi.useRealTimers();
  }
  // Several times the minimum of every run.
  expect(received).toBeGreaterThan(3 * RUNS);
  expect(tokens).toBeGreaterThan(3 * RUNS);
});
