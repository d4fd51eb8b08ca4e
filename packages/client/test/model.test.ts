import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { GroupcastClient, type Position } from '../src/index.ts';
import type { FakeSocket } from '../testing/fake-socket.ts';
import { FakeNetwork } from '../testing/fake-socket.ts';
import { type ModelConnection, ModelGateway } from '../testing/model-gateway.ts';
import { outcomeOf, settled } from '../testing/start-client.ts';

/** An event during the work of a client. */
type Happening =
  | { readonly what: 'send'; readonly excludeSelf: boolean }
  | { readonly what: 'other' }
  | { readonly what: 'deliver'; readonly count: number }
  | { readonly what: 'cut' }
  | { readonly what: 'refuse'; readonly code: string | undefined }
  | { readonly what: 'hub' }
  | { readonly what: 'wait'; readonly ms: number }
  | { readonly what: 'leave' };

const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ what: fc.constant('send' as const), excludeSelf: fc.boolean() }) },
  { weight: 5, arbitrary: fc.constant({ what: 'other' as const }) },
  { weight: 8, arbitrary: fc.record({ what: fc.constant('deliver' as const), count: fc.nat(12) }) },
  { weight: 2, arbitrary: fc.constant({ what: 'cut' as const }) },
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
);

const RUNS = 200;

/**
 * A client on a model of a gateway, over a network that delivers on demand. A cut loses the
 * messages in flight.
 */
class World {
  readonly gateway = new ModelGateway();
  readonly client: GroupcastClient;
  #cut: () => void = () => {};
  #underWay: (() => void)[] = [];

  constructor() {
    const network = new FakeNetwork((socket) => this.#dialled(socket));
    this.client = new GroupcastClient('ws://model', { WebSocket: network.WebSocket });
  }

  /** Delivers `count` messages in flight, not counting those that they cause. */
  deliver(count: number): void {
    for (const arrive of this.#underWay.splice(0, count)) arrive();
  }

  cut(): void {
    this.#cut();
  }

  /** Advances the time and delivers everything, until nothing more happens. */
  async settle(): Promise<void> {
    for (let step = 0; step < 160; step += 1) {
      this.deliver(Number.POSITIVE_INFINITY);
      await passTime(250);
    }
  }

  #dialled(socket: FakeSocket): void {
    let connection: ModelConnection | undefined;
    const soon = (act: () => void): void => {
      this.#underWay.push(act);
    };
    soon(() => {
      connection = this.gateway.connect(socket.protocols, (event) => soon(() => socket.receive(event)));
    });
    socket.onCommand = (command) => soon(() => connection?.receive(command));
    this.#cut = () => {
      connection?.end();
      this.#underWay = [];
      socket.end(1006);
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
  const outcomes: Run['outcomes'] = [];
  const ownHidden = new Set<string>();
  group.on('joined', ({ position, recovered }) => {
    if (recovered === true) expect(received.at(-1)?.at(-1)).toMatchObject({ epoch: position.epoch });
    else received.push([position]);
  });
  group.on('gap', ({ position }) => received.push([position]));
  group.on('message', ({ epoch, offset, message }) => {
    received.at(-1)?.push({ epoch, offset });
    texts.push(String(message));
  });
  void group.join().catch(() => {});
  // Joined first, because otherwise every run would begin with the connection.
  for (let round = 0; round < 3; round += 1) world.deliver(Number.POSITIVE_INFINITY);
  let others = 0;
  for (const happened of happenings) {
    if (happened.what === 'send') {
      const text = `own ${outcomes.length}`;
      if (happened.excludeSelf) ownHidden.add(text);
      outcomes.push({ text, outcome: outcomeOf(group.send(text, { excludeSelf: happened.excludeSelf })) });
    } else if (happened.what === 'other') {
      others += 1;
      gateway.publish('g', `other ${others}`);
    } else if (happened.what === 'deliver') world.deliver(happened.count);
    else if (happened.what === 'cut') world.cut();
    else if (happened.what === 'refuse') gateway.refuse = () => happened.code;
    else if (happened.what === 'hub') gateway.loseHistory('g');
    else if (happened.what === 'wait') await passTime(happened.ms);
    else {
      void group.leave();
      void group.join().catch(() => {});
    }
  }
  gateway.refuse = undefined;
  await world.settle();
  gateway.publish('g', 'last');
  await world.settle();
  return { received, texts, outcomes, ownHidden, world };
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

test('messages are received once, in order and complete, through cuts, rejections and restarts', async () => {
  let received = 0;
  vi.useFakeTimers();
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 80, size: 'max' }), async (happenings) => {
        vi.clearAllTimers();
        const ran = await run(happenings);
        const { texts, outcomes, ownHidden, world } = ran;
        received += texts.length;
        expect(texts.at(-1)).toBe('last');
        expectWhole(ran);
        const restarted = happenings.some(({ what }) => what === 'hub');
        // A message that the hub published and forgot in a restart is published a second time.
        const once = restarted ? texts.filter((text) => !text.startsWith('own')) : texts;
        expect(new Set(once).size).toBe(once.length);
        const kept = world.gateway.messagesOf('g');
        for (const { text, outcome } of outcomes) {
          expect(outcome.value).toBeDefined();
          expect(ownHidden.has(text) && texts.includes(text)).toBe(false);
          // A restarted hub has lost its messages. Before that it stores a repetition once.
          if (!restarted) expect(kept.filter((message) => message === text)).toHaveLength(1);
        }
        world.client.close();
        expect(vi.getTimerCount()).toBe(0);
      }),
      { numRuns: RUNS },
    );
  } finally {
    vi.useRealTimers();
  }
  // Several times the minimum of every run.
  expect(received).toBeGreaterThan(3 * RUNS);
});
