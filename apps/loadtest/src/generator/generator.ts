import { Clock } from '../clock.ts';
import type { Assignment, Order, Report } from '../control/messages.ts';
import { readGroup, readSentUs, readSequence } from '../payload.ts';
import { PROTOCOLS } from '../protocols/protocols.ts';
import { Checker } from './checker.ts';
import { ClosedLoop } from './closed-loop.ts';
import { Completion } from './completion.ts';
import { CpuMeter } from './cpu-meter.ts';
import { Fleet } from './fleet.ts';
import { OpenLoop } from './open-loop.ts';
import { Publisher } from './publisher.ts';
import { MeasuredWindow } from './window.ts';

const PROGRESS_MS = 250;
const DRAIN_TICK_MS = 20;
const MICROS_PER_MILLI = 1_000;

/** Milliseconds after the last message was sent until missing deliveries count as lost. */
const DRAIN_MS = 5_000;

/** Limit of different reasons that are counted apart; the rest is counted together. */
const COMPLAINTS_MAX = 20;

/** Bytes that may be buffered in a connection because the server does not read. */
const PENDING_BYTES_MAX = 64 * 1024 * 1024;

/**
 * One process's part of a run: opens its connections, sends, receives and counts. Driven by orders,
 * answers with reports.
 */
export class Generator {
  readonly #assignment: Assignment;
  readonly #report: (report: Report) => void;
  readonly #clock: Clock;
  readonly #fleet: Fleet;
  readonly #checker: Checker;
  readonly #completion: Completion | undefined;
  readonly #publisher: Publisher;
  readonly #loop: ClosedLoop | OpenLoop | undefined;
  readonly #window = new MeasuredWindow();
  readonly #cpu = new CpuMeter();
  readonly #complaints = new Map<string, number>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #cpuShare = 0;
  /** Start of the current read, whose messages are processed. */
  #nowUs = 0;
  /** Stamp of the last message: all members of a group get the same, so it is parsed once. */
  #lastSequence = -1;
  #lastGroup = -1;
  #lastSentUs = 0;
  #stopped = false;

  constructor(assignment: Assignment, report: (report: Report) => void) {
    this.#assignment = assignment;
    this.#report = report;
    const { settings, plan, target, groupPrefix } = assignment;
    this.#clock = new Clock(BigInt(assignment.epochNs));
    const protocol = PROTOCOLS[settings.protocol];
    const groupName = (group: number): string => `${groupPrefix}-${group}`;
    this.#fleet = new Fleet({
      plan,
      target,
      protocol,
      groupName,
      nowUs: () => this.#clock.nowUs(),
      onDelivered: (member, bytes, start, end) => this.#delivered(member, bytes, start, end),
      onReadStarted: () => {
        this.#nowUs = this.#clock.nowUs();
      },
      onComplaint: (reason) => this.#complain(reason),
      onDone: (opened) => this.#report({ type: 'opened', ...opened }),
      onFailed: (reason, { code }) =>
        this.#report({ type: 'failed', code: failureCode(code), reason: explain(reason, code) }),
    });
    this.#checker = new Checker(plan.memberGroups);
    this.#publisher = new Publisher(
      protocol,
      groupName,
      settings.bytes,
      publisherOf(assignment, this.#fleet),
    );
    this.#loop = plan.publishes.length === 0 ? undefined : this.#createLoop();
    this.#completion =
      settings.scenario === 'latency'
        ? undefined
        : new Completion(memberCounts(assignment), settings.window, (group, sequence) =>
            this.#complete(group, sequence),
          );
  }

  take(order: Exclude<Order, { type: 'assign' }>): void {
    switch (order.type) {
      case 'open':
        this.#keep(setInterval(() => this.#progress(), PROGRESS_MS));
        this.#fleet.open();
        break;
      case 'count':
        this.#count(order.startUs, order.endUs);
        break;
      case 'send':
        if (!this.#stopped) this.#loop?.start();
        break;
      case 'peer-complete':
        if (this.#loop instanceof ClosedLoop) this.#loop.complete(order.group, order.sequence);
        break;
      case 'stop':
        this.#fleet.stopOpening();
        if (order.endUs !== null) this.#window.end(order.endUs);
        this.#stop();
        break;
      case 'drain':
        this.#drain(order.published);
    }
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#loop?.stop();
    this.#fleet.close();
  }

  #createLoop(): ClosedLoop | OpenLoop {
    const { settings, plan } = this.#assignment;
    const onFinished = (): void => this.#stop();
    if (settings.scenario === 'latency') {
      const messages = settings.messages === 0 ? undefined : settings.messages;
      return new OpenLoop({
        groups: plan.publishes,
        rate: settings.rate,
        messages,
        nowUs: () => this.#clock.nowUs(),
        publish: (group, dueUs) => this.#publish(group, dueUs),
        onFinished,
      });
    }
    return new ClosedLoop({
      groups: plan.publishes,
      window: settings.window,
      parts: plan.parts,
      messagesPerGroup: settings.messages === 0 ? undefined : Math.ceil(settings.messages / settings.groups),
      publish: (group) => this.#publish(group, this.#clock.nowUs()),
      onFinished,
    });
  }

  #count(startUs: number, endUs: number | null): void {
    this.#window.begin(startUs, endUs ?? Number.POSITIVE_INFINITY);
    const inMs = (timeUs: number): number => Math.max(0, (timeUs - this.#clock.nowUs()) / MICROS_PER_MILLI);
    this.#cpu.restart();
    this.#keep(setTimeout(() => this.#cpu.restart(), inMs(startUs)));
    if (endUs !== null) this.#keep(setTimeout(() => this.#stop(), inMs(endUs)));
    this.#report({ type: 'counting' });
  }

  #publish(group: number, sentUs: number): void {
    const pendingBytes = this.#publisher.publish(group, sentUs);
    this.#window.sent(sentUs);
    if (pendingBytes <= PENDING_BYTES_MAX) return;
    this.#loop?.stop();
    const reason = `The server reads too slowly: ${pendingBytes} bytes are buffered. Lower --rate.`;
    this.#report({ type: 'failed', code: 'refused', reason });
  }

  #delivered(member: number, bytes: Uint8Array, start: number, end: number): void {
    if (end - start !== this.#assignment.settings.bytes || member < 0) {
      this.#checker.unreadable();
      return;
    }
    const sequence = readSequence(bytes, start);
    const group = readGroup(bytes, start);
    if (!this.#checker.take(member, group, sequence)) return;
    if (sequence !== this.#lastSequence || group !== this.#lastGroup) {
      this.#lastSequence = sequence;
      this.#lastGroup = group;
      this.#lastSentUs = readSentUs(bytes, start);
    }
    this.#window.delivered(this.#lastSentUs, this.#nowUs);
    this.#completion?.delivered(group, sequence);
  }

  #complete(group: number, sequence: number): void {
    if (this.#loop instanceof ClosedLoop) this.#loop.complete(group, sequence);
    else this.#report({ type: 'complete', group, sequence });
  }

  /** Stops sending. Reports that once. */
  #stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#cpuShare = this.#cpu.share();
    this.#loop?.stop();
    this.#report({ type: 'stopped', published: this.#publisher.published });
  }

  #drain(published: readonly number[]): void {
    const deadlineUs = this.#clock.nowUs() + DRAIN_MS * MICROS_PER_MILLI;
    const count = (group: number): number => published[group] ?? 0;
    const expected = this.#checker.expected(count);
    const timer = setInterval(() => look(), DRAIN_TICK_MS);
    this.#keep(timer);
    const look = (): void => {
      if (this.#checker.received < expected && this.#clock.nowUs() < deadlineUs) return;
      clearInterval(timer);
      this.#report({
        type: 'result',
        messages: this.#window.messages,
        perSecond: this.#window.perSecond,
        lastDeliveryUs: this.#window.lastDeliveryUs,
        latencies: this.#window.latencies.encode(),
        faults: this.#checker.faults(count),
        cpuShare: this.#cpuShare,
        complaints: [...this.#complaints],
      });
    };
    look();
  }

  #progress(): void {
    this.#report({ type: 'progress', open: this.#fleet.openCount, deliveries: this.#checker.received });
  }

  #complain(reason: string): void {
    const known = this.#complaints.has(reason) || this.#complaints.size < COMPLAINTS_MAX;
    const key = known ? reason : 'other reasons';
    this.#complaints.set(key, (this.#complaints.get(key) ?? 0) + 1);
  }

  #keep(timer: NodeJS.Timeout): void {
    this.#timers.add(timer);
  }
}

/** Returns the publisher of a group: a dedicated connection, or else the group's first member. */
function publisherOf({ plan }: Assignment, fleet: Fleet): (group: number) => ReturnType<Fleet['member']> {
  if (plan.publisherCount > 0) return (group) => fleet.publisher(group % plan.publisherCount);
  const first = new Map<number, number>();
  for (const [member, group] of plan.memberGroups.entries()) if (!first.has(group)) first.set(group, member);
  return (group) => fleet.member(first.get(group) ?? 0);
}

/** Returns the number of members of each group in this process. */
function memberCounts({ settings, plan }: Assignment): readonly number[] {
  const counts: number[] = Array.from({ length: settings.groups }, () => 0);
  for (const group of plan.memberGroups) counts[group] = (counts[group] ?? 0) + 1;
  return counts;
}

function failureCode(code: string | undefined): 'unreachable' | 'refused' | 'setup' {
  if (code === 'EMFILE' || code === 'EADDRNOTAVAIL') return 'setup';
  return code === 'REFUSED' || code === undefined ? 'refused' : 'unreachable';
}

function explain(reason: string, code: string | undefined): string {
  if (code === 'EMFILE')
    return `${reason} Raise the limit of open files (ulimit -n), or give more --processes.`;
  if (code === 'EADDRNOTAVAIL') return `${reason} No port is left to come from; give more --processes.`;
  return reason;
}
