import type { Position } from '@groupcast/protocol';
import type { ClientEvent } from '@groupcast/protocol/schema';
import { SILENT_LOG } from '@groupcast/service';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FakeMember, OPEN } from '../../testing/fake-member.ts';
import { LoopbackHub } from '../../testing/loopback-hub.ts';
import { type Counters, createCounters } from '../admin/gateway-stats.ts';
import { NO_NAMESPACES } from '../auth/namespace-rules.ts';
import { V1 } from '../client-protocols/v1/protocol.ts';
import type { CommandDeps } from '../commands/command-deps.ts';
import { groupInfo } from '../commands/group-info.ts';
import { ServerGroups } from '../connection/server-groups.ts';
import { completeOptions } from '../options.ts';
import { TimingWheel } from '../timing-wheel.ts';
import { Groups } from './groups.ts';
import type { HistoryFrom } from './hub-port.ts';
import { PageRequests } from './page-requests.ts';
import { RecoveryBudget } from './recovery-budget.ts';

const CHANNEL = 'group:g';
const MEMBERS = 3;
/** Buffered bytes above which a member gets no page. */
const FULL_BUFFER_BYTES = 100_000;

type Since = 'nothing' | 'last' | 'older' | 'newest' | 'other history';

/** Number of messages that a join with `newest` asks for. */
const NEWEST = 2;

type Step =
  | { readonly name: 'publish' | 'deliverMissed' | 'answerReads'; readonly count: number }
  | { readonly name: 'cut' | 'comeBack' | 'restart' | 'failReads' | 'tick' | 'turn' }
  | { readonly name: 'join'; readonly who: number; readonly since: Since; readonly hasId: boolean }
  | {
      readonly name: 'leave' | 'go' | 'ask' | 'dropAndResume' | 'stopReading' | 'readOn';
      readonly who: number;
    };

/** A client that checks each event against the ones before. */
class CheckedClient {
  member = new FakeMember();
  /** Earlier connections of the client. */
  readonly former: FakeMember[] = [];
  /** Position up to which the client has all messages, or knows that they are lost. */
  position: Position | undefined;
  isIn = false;
  gaps = 0;
  #told = 0;
  #since: Position | undefined;

  join(groups: Groups, from: HistoryFrom | undefined, id: number | undefined): void {
    if (!this.isIn) {
      this.#since = from === undefined || 'last' in from ? undefined : from;
      this.position = this.#since;
    }
    this.isIn = true;
    groups.join(this.member, 'g', id, from);
  }

  leave(groups: Groups): void {
    groups.leave(this.member, 'g', undefined);
    // Checks the messages before the leave.
    this.check();
    this.isIn = false;
  }

  ask(deps: CommandDeps, id: number): void {
    groupInfo({ cmd: 'group_info', group_id: 'unknown', id }, this.member, deps);
  }

  /** Replaces the connection by another one. */
  go({ groups, pageRequests }: CommandDeps, index: number): void {
    this.check();
    this.member.isOpen = false;
    groups.leaveAll(this.member);
    pageRequests.cancel(this.member);
    this.isIn = false;
    this.former.push(this.member);
    this.member = new FakeMember(`${index}`, V1);
    this.#told = 0;
  }

  check(): void {
    for (const event of this.member.got.slice(this.#told)) this.#check(event as ClientEvent);
    this.#told = this.member.got.length;
  }

  #check(event: ClientEvent): void {
    if (event.type === 'error') {
      expect(event.code).toBe('hub_unavailable');
      // Only the join that brought the member in is undone.
      this.isIn = this.member.memberships.length > 0;
    } else if (event.type === 'ack') {
      if (event.group_id === 'unknown') return;
      const told = { epoch: event.epoch ?? '', offset: event.offset ?? 0 };
      if (event.count !== undefined) {
        expect(this.position).toBeUndefined();
        expect(event.count).toBeLessThanOrEqual(NEWEST);
        this.position = { epoch: told.epoch, offset: told.offset - event.count };
      } else if (event.recovered === true) expect(this.position).toEqual(this.#since);
      else if (event.recovered === false) this.#lost(told);
      // Without an earlier position, the client starts here.
      else this.position ??= told;
    } else if (event.type === 'gap') {
      this.#lost({ epoch: event.epoch, offset: event.offset });
    } else if (event.type === 'message') {
      expect(this.isIn).toBe(true);
      const { epoch, offset } = this.position ?? {
        epoch: String(event.message).split(' ')[0],
        offset: (event.offset ?? 0) - 1,
      };
      expect([event.message, event.offset]).toEqual([`${epoch} ${offset + 1}`, offset + 1]);
      this.position = { epoch: String(epoch), offset: offset + 1 };
    }
  }

  #lost(position: Position): void {
    this.gaps += 1;
    // Positions never move back.
    if (this.position?.epoch === position.epoch) {
      expect(position.offset).toBeGreaterThanOrEqual(this.position.offset);
    }
    this.position = position;
  }
}

class World {
  readonly hub = new LoopbackHub();
  readonly wheel = new TimingWheel();
  readonly counters: Counters = createCounters();
  readonly refreshes = undefined;
  readonly log = SILENT_LOG;
  readonly pageRequests: PageRequests;
  readonly recoveryBudget: RecoveryBudget;
  readonly serverGroups: ServerGroups;
  readonly permissions = OPEN;
  readonly namespaces = { rules: NO_NAMESPACES };
  readonly groups: Groups;
  readonly clients: CheckedClient[] = [];
  #published = 0;
  #epochs = 1;
  #ids = 0;

  constructor(ringMax: number) {
    this.hub.byHand = true;
    this.hub.pageMax = 3;
    this.hub.ringMax = ringMax;
    const options = completeOptions({ hub: this.hub, wheel: this.wheel });
    this.groups = new Groups(options, this.counters, OPEN);
    this.serverGroups = new ServerGroups(options, this.groups, OPEN);
    this.recoveryBudget = new RecoveryBudget(options);
    this.pageRequests = new PageRequests(options, this.counters, OPEN);
    for (let index = 0; index < MEMBERS; index++) {
      const client = new CheckedClient();
      client.member = new FakeMember(`${index}`, V1);
      this.clients.push(client);
    }
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      await this.#take(step);
      for (const client of this.clients) client.check();
    }
  }

  /** Joins all clients, and tells them a position. */
  begin(): void {
    for (const client of this.clients) this.#join(client, 'nothing', true);
    this.hub.catchUp(CHANNEL, 0);
    for (const client of this.clients) client.check();
  }

  /** Removes all obstacles, and waits until the recoveries have ended. */
  async settle(): Promise<void> {
    this.hub.comeBack();
    for (const { member } of this.clients) member.bufferedBytes = 0;
    for (let round = 0; round < 400; round++) {
      this.hub.catchUp(CHANNEL, Number.POSITIVE_INFINITY);
      this.hub.answerReads();
      await nextTurn();
      if (this.groups.recovering > 0 && this.hub.reads.length === 0) this.wheel.tick();
    }
    for (const client of this.clients) client.check();
    // No recovery, read or command is pending.
    expect([this.groups.recovering, this.hub.reads.length, ...this.#pendingCommands()]).toEqual([
      0, 0, 0, 0, 0,
    ]);
    expect(this.pageRequests.size).toBe(0);
  }

  /** Returns the pending commands of each client, on earlier connections too. */
  #pendingCommands(): number[] {
    return this.clients.map(({ former, member }) =>
      [...former, member].reduce((sum, { pendingCommands }) => sum + pendingCommands, 0),
    );
  }

  async #take(step: Step): Promise<void> {
    const { hub } = this;
    switch (step.name) {
      case 'publish':
        for (let count = 0; count < step.count; count++) {
          this.#published += 1;
          hub.publish(CHANNEL, `${hub.epoch} ${this.#published}`);
        }
        return;
      case 'deliverMissed':
        hub.catchUp(CHANNEL, step.count);
        return;
      case 'answerReads':
        hub.answerReads(step.count);
        return;
      case 'cut':
        hub.away = true;
        return;
      case 'comeBack':
        hub.comeBack();
        return;
      case 'restart':
        this.#epochs += 1;
        this.#published = 0;
        hub.restart(`epoch-${this.#epochs}`);
        return;
      case 'failReads':
        hub.failReads();
        return;
      case 'tick':
        this.wheel.tick();
        return;
      case 'turn':
        await nextTurn();
        return;
      case 'join':
        this.#join(this.#client(step.who), step.since, step.hasId);
        return;
      case 'leave':
        this.#client(step.who).leave(this.groups);
        return;
      case 'ask':
        this.#ask(this.#client(step.who));
        return;
      case 'go':
        this.#client(step.who).go(this, step.who);
        return;
      case 'dropAndResume':
        this.#client(step.who).go(this, step.who);
        this.#join(this.#client(step.who), 'last', true);
        return;
      case 'stopReading':
        this.#client(step.who).member.bufferedBytes = FULL_BUFFER_BYTES;
        return;
      case 'readOn':
        this.#client(step.who).member.bufferedBytes = 0;
        return;
    }
  }

  #client(who: number): CheckedClient {
    return this.clients[who]!;
  }

  #ask(client: CheckedClient): void {
    this.#ids += 1;
    client.ask(this, this.#ids);
  }

  #join(client: CheckedClient, since: Since, hasId: boolean): void {
    this.#ids += 1;
    client.join(this.groups, sinceOf(since, client.position), hasId ? this.#ids : undefined);
  }
}

function sinceOf(since: Since, last: Position | undefined): HistoryFrom | undefined {
  if (since === 'newest') return { last: NEWEST };
  if (since === 'other history') return { epoch: 'other', offset: 3 };
  if (since === 'nothing' || last === undefined) return undefined;
  return since === 'last' ? last : { ...last, offset: Math.max(0, last.offset - 2) };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

const who = fc.nat({ max: MEMBERS - 1 });
const count = fc.integer({ min: 1, max: 6 });

function steps(names: readonly Step['name'][], sinces: readonly Since[]): fc.Arbitrary<Step[]> {
  const join = fc.record({
    name: fc.constant('join' as const),
    who,
    since: fc.constantFrom(...sinces),
    hasId: fc.boolean(),
  });
  const others = names.map(
    (name): fc.Arbitrary<Step> => fc.record({ name: fc.constant(name), who, count }) as fc.Arbitrary<Step>,
  );
  return fc.array(fc.oneof({ weight: 3, arbitrary: join }, ...others), { minLength: 5, maxLength: 60 });
}

const HARMLESS: readonly Step['name'][] = [
  'publish',
  'publish',
  'deliverMissed',
  'answerReads',
  'answerReads',
  'cut',
  'comeBack',
  'comeBack',
  'tick',
  'turn',
  'leave',
  'go',
  'ask',
  'dropAndResume',
  'dropAndResume',
  'stopReading',
  'readOn',
];

describe('with any events in any order', () => {
  test('a client gets each message after its position once and in order, or a gap', async () => {
    let recovered = 0;
    let gaps = 0;
    const all = steps(
      [...HARMLESS, 'restart', 'failReads'],
      ['nothing', 'last', 'last', 'older', 'newest', 'other history'],
    );
    await fc.assert(
      fc.asyncProperty(all, async (sequence) => {
        const world = new World(6);
        world.begin();
        await world.run(sequence);
        await world.settle();
        expect(world.groups.recovering).toBe(0);
        const top = world.hub.publish(CHANNEL, 'the end');
        for (const { isIn, position } of world.clients) {
          // A client that joined without an id, and has no message yet, knows no position.
          if (isIn && position !== undefined)
            expect(position).toEqual({ epoch: top.epoch, offset: top.offset - 1 });
        }
        recovered += world.counters.recoveredMessages;
        gaps += world.counters.gaps;
      }),
      { numRuns: 300 },
    );
    // The sequences have reached the cases of this test.
    expect(recovered).toBeGreaterThan(20);
    expect(gaps).toBeGreaterThan(5);
  }, 60_000);

  test('while the hub has the whole history, no client misses a message', async () => {
    let recovered = 0;
    await fc.assert(
      fc.asyncProperty(steps(HARMLESS, ['nothing', 'last', 'last', 'older', 'newest']), async (sequence) => {
        const world = new World(10_000);
        world.begin();
        await world.run(sequence);
        await world.settle();
        const { recoveries, gaps, recoveredMessages } = world.counters;
        expect(recoveries).toMatchObject({ epoch_changed: 0, trimmed: 0, limit: 0 });
        expect(gaps).toBe(0);
        recovered += recoveredMessages;
      }),
      { numRuns: 200 },
    );
    expect(recovered).toBeGreaterThan(20);
  }, 60_000);
});
