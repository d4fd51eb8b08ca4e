import type { native } from '@groupcast/protocol';
import type { HubPort } from '../groups/hub-port.ts';
import { NOT_WAITING, type Timed, type TimingWheel } from '../timing-wheel.ts';
import { type ConnectionReport, encodeReport, parseReport } from './connection-report.ts';
import { type ConnectionPolicy, excessConnections, type OpenConnection } from './excess-connections.ts';

/** Workers whose reports are kept; those of further ones are ignored. */
const REPORTS_MAX = 1_024;

const NO_ANSWER = undefined;

/** A connection as its user's limit sees it. */
export interface UserConnection {
  /** Client id. */
  readonly id: string;
  close(reason: 'replaced' | 'too_many_connections'): void;
}

/** Dependencies that all users of a worker share. */
export interface UserConnectionsDeps {
  readonly hub: HubPort;
  readonly wheel: TimingWheel;
  /** Id of this worker in reports. */
  readonly worker: string;
  /** Maximum connections of a user. */
  readonly max: number;
  readonly policy: ConnectionPolicy;
  /** Ticks from the report of a new connection until the limit applies. Workers answer before. */
  readonly answerTicks: number;
}

/**
 * Connections of one user. No process knows them all, so a worker with a new one reports its own on
 * the channel of the user's connections, and the other workers answer with theirs. Some ticks later
 * each worker closes those of its own that are beyond the limit. All know the same, so the end is
 * the same in any order. Between such rounds nothing is kept of other workers, which may die.
 *
 * A worker reports once in a tick at most, so that a user who connects all the time costs little.
 */
export class UserConnections implements Timed {
  wheelSlot: number = NOT_WAITING;
  readonly #channel: string;
  readonly #deps: UserConnectionsDeps;
  /** Connections here, in the order in which they were opened, with the times that the hub gave. */
  readonly #own = new Map<UserConnection, number | undefined>();
  /** Connections of other workers, as reported in this round. */
  readonly #reports = new Map<string, readonly OpenConnection[]>();
  #isSubscribed = false;
  #isReportDue = false;
  #reportedTick = Number.NEGATIVE_INFINITY;
  /** Tick in which the limit is applied. Undefined outside of rounds. */
  #decideTick: number | undefined;

  constructor(channel: string, deps: UserConnectionsDeps) {
    this.#channel = channel;
    this.#deps = deps;
  }

  get isEmpty(): boolean {
    return this.#own.size === 0;
  }

  /**
   * Adds a connection, and closes those here that it replaces. Returns false if the limit is
   * reached here, and the connection must not open.
   */
  add(connection: UserConnection): boolean {
    const { max, policy } = this.#deps;
    const others = [...this.#own.keys()].filter(({ id }) => id !== connection.id);
    if (others.length >= max && policy === 'refuse') return false;
    const kept = new Set(others.slice(Math.max(0, others.length - max + 1)));
    const replaced = [...this.#own.keys()].filter((own) => !kept.has(own));
    // Added first, because the user ends with its last connection.
    this.#own.set(connection, undefined);
    for (const own of replaced) own.close('replaced');
    this.#report();
    return true;
  }

  /** Removes a connection that has closed. */
  delete(connection: UserConnection): void {
    if (!this.#own.delete(connection)) return;
    // Other workers may be about to count it.
    if (this.#decideTick !== undefined) this.#report();
  }

  /** Begins with the reports: other workers hear them, and this one hears theirs. */
  subscribed(): void {
    this.#isSubscribed = true;
    this.#report();
  }

  /** Receives a report. Returns false for anything else. */
  receive({ payload, timeMs }: native.Publication): boolean {
    const report = parseReport(payload);
    if (report === undefined) return false;
    if (report.worker === this.#deps.worker) this.#confirm(report, timeMs);
    else this.#hear(report, timeMs);
    this.#schedule();
    return true;
  }

  /** Ends with the last connection. Tells the other workers if they may be about to count it. */
  end(): void {
    if (this.#decideTick !== undefined && this.#isSubscribed) this.#publish();
    this.#deps.wheel.cancel(this);
  }

  expired(): void {
    const { now } = this.#deps.wheel;
    if (this.#isReportDue && this.#reportedTick < now) this.#publish();
    if (this.#decideTick !== undefined && this.#decideTick <= now) this.#decide();
    this.#schedule();
  }

  #confirm({ opened }: ConnectionReport, timeMs: number): void {
    if (opened.length === 0) return;
    const ids = new Set(opened);
    for (const [own, openedMs] of this.#own)
      if (openedMs === undefined && ids.has(own.id)) this.#own.set(own, timeMs);
    this.#beginRound();
  }

  #hear({ worker, open, opened }: ConnectionReport, timeMs: number): void {
    const added = opened.map((clientId) => ({ clientId, openedMs: timeMs, worker }));
    if (added.length > 0) {
      this.#beginRound();
      this.#report();
    }
    // Outside of a round it would be old in the next one.
    if (this.#decideTick === undefined) return;
    if (this.#reports.size < REPORTS_MAX || this.#reports.has(worker))
      this.#reports.set(worker, [...open, ...added]);
  }

  /** Begins a round. A new connection in a round needs no further one: its report is known, too. */
  #beginRound(): void {
    const { answerTicks, wheel } = this.#deps;
    this.#decideTick ??= wheel.now + answerTicks;
  }

  /** Reports the connections here, at once or in the next tick. */
  #report(): void {
    if (!this.#isSubscribed) return;
    if (this.#reportedTick < this.#deps.wheel.now) {
      this.#publish();
    } else {
      this.#isReportDue = true;
      this.#schedule();
    }
  }

  #publish(): void {
    const { hub, wheel, worker } = this.#deps;
    this.#isReportDue = false;
    this.#reportedTick = wheel.now;
    const open = this.#confirmed();
    const opened = [...this.#own].flatMap(([{ id }, openedMs]) => (openedMs === undefined ? [id] : []));
    const text = encodeReport({ worker, open, opened });
    hub.publishWithAnswer(this.#channel, text, { sender: '', ephemeral: true }, NO_ANSWER);
  }

  #confirmed(): readonly OpenConnection[] {
    const { worker } = this.#deps;
    return [...this.#own].flatMap(([{ id: clientId }, openedMs]) =>
      openedMs === undefined ? [] : [{ clientId, openedMs, worker }],
    );
  }

  #decide(): void {
    const { max, policy, worker } = this.#deps;
    const others = [...this.#reports.values()].flat();
    const excess = excessConnections([...this.#confirmed(), ...others], max, policy);
    this.#decideTick = undefined;
    this.#reports.clear();
    for (const [{ worker: owner, clientId }, reason] of excess) {
      if (owner === worker) this.#find(clientId)?.close(reason);
    }
  }

  #find(clientId: string): UserConnection | undefined {
    for (const own of this.#own.keys()) if (own.id === clientId) return own;
    return undefined;
  }

  #schedule(): void {
    // To set an expiry again would move one that is due in this tick.
    if (this.wheelSlot !== NOT_WAITING || this.isEmpty) return;
    if (this.#isReportDue || this.#decideTick !== undefined) this.#deps.wheel.schedule(this, 1);
  }
}
