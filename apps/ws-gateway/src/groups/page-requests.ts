import { channelOfGroup, ProtocolError } from '@groupcast/protocol';
import type { CommandId, Operation } from '@groupcast/protocol/schema';
import type { Counters } from '../admin/gateway-stats.ts';
import type { Permissions } from '../auth/permissions.ts';
import type { HistoryAnswer, HistoryFrom, HistoryPage, HistoryRead, HubPort } from './hub-port.ts';
import type { Member } from './member.ts';
import { rejectCommand } from './reject-command.ts';

/** Requests of one member that are sent to the hub at a time. A worker has no limit for all. */
const SENT_MAX = 16;

/** Sent requests that stay in front of the waiting ones before these are moved. */
const STALE_MAX = 256;

const TOO_MANY = 'Too many group_info and history commands wait for the hub. Retry later.';

/** A command that the hub answers with one page of a group's history. */
export interface PageCommand {
  readonly id: CommandId;
  readonly groupName: string;
  /** Permission that the reply needs. */
  readonly operation: Operation;
  readonly from: HistoryFrom;
  /** Replies to the command. */
  reply(page: HistoryPage): void;
  /** Called before the command is rejected, because no page was read. */
  failed?(): void;
}

export interface PageRequestsOptions {
  readonly hub: HubPort;
  /** Maximum requests of one member: it cannot send more commands at once. */
  readonly messagesBurst: number;
  /** Maximum requests of all members that wait to be sent. */
  readonly positionRequestsMax: number;
  /** Milliseconds after which a request that waits to be sent is rejected. */
  readonly joinMs: number;
}

/** Requests of members for pages of history. */
export class PageRequests {
  readonly #options: PageRequestsOptions;
  readonly #counters: Counters;
  readonly #permissions: Permissions;
  readonly #byMember = new Map<Member, MemberRequests>();
  /** Requests of all members that wait to be sent. */
  #waiting = 0;

  constructor(options: PageRequestsOptions, counters: Counters, permissions: Permissions) {
    this.#options = options;
    this.#counters = counters;
    this.#permissions = permissions;
  }

  /** Number of members with a request that has no reply. */
  get size(): number {
    return this.#byMember.size;
  }

  /**
   * Reads the page for a command, whose permission the caller has checked. The member gets the
   * reply of the command, or an error.
   */
  add(member: Member, command: PageCommand): void {
    const { messagesBurst, positionRequestsMax, joinMs } = this.#options;
    const requests = this.#byMember.get(member) ?? new MemberRequests(member);
    if (requests.size >= messagesBurst || this.#waiting >= positionRequestsMax) {
      command.failed?.();
      rejectCommand(this.#counters, member, command.id, 'hub_unavailable', TOO_MANY);
      return;
    }
    this.#byMember.set(member, requests);
    this.#waiting += 1;
    requests.push(new PageRequest(this, requests, command, performance.now() + joinMs));
    this.#send(requests);
  }

  /** Cancels the requests of a member that has gone. */
  cancel(member: Member): void {
    const requests = this.#byMember.get(member);
    if (requests === undefined) return;
    this.#byMember.delete(member);
    this.#takeWaiting(requests);
    const sent = [...requests.sent];
    requests.sent.clear();
    for (const { read } of sent) read?.cancel();
  }

  /** Replies to a request. Called by the request. */
  succeed(request: PageRequest, page: HistoryPage): void {
    const { requests, command } = request;
    if (!requests.sent.delete(request)) return;
    this.#reply(requests.member, command, page);
    this.#send(requests);
  }

  /** Rejects a request, and with it those of the member that wait. Called by the request. */
  fail(request: PageRequest, error: ProtocolError): void {
    const { requests } = request;
    if (!requests.sent.delete(request)) return;
    this.#reject(request, error);
    for (const waiting of this.#takeWaiting(requests)) this.#reject(waiting, error);
    this.#forgetIfEmpty(requests);
  }

  /** Replies, unless the member has lost the permission meanwhile. */
  #reply(member: Member, command: PageCommand, page: HistoryPage): void {
    const { id, operation, groupName } = command;
    const refusal = this.#permissions.refusal(member, operation, groupName);
    if (refusal === undefined) {
      command.reply(page);
    } else {
      command.failed?.();
      rejectCommand(this.#counters, member, id, 'forbidden', refusal.sentence, operation);
    }
  }

  /** Sends requests up to the number that one member may have at the hub. */
  #send(requests: MemberRequests): void {
    // A request may fail while it is being sent.
    if (requests.isSending) return;
    requests.isSending = true;
    try {
      while (requests.sent.size < SENT_MAX) {
        const request = requests.shift();
        if (request === undefined) break;
        this.#waiting -= 1;
        if (request.deadlineMs <= performance.now()) {
          this.#reject(request, new ProtocolError('hub_unavailable'));
          continue;
        }
        requests.sent.add(request);
        const { groupName, from } = request.command;
        request.read = this.#options.hub.history(channelOfGroup(groupName), from, request, requests.member);
      }
    } catch (error) {
      this.cancel(requests.member);
      throw error;
    } finally {
      requests.isSending = false;
    }
    this.#forgetIfEmpty(requests);
  }

  #takeWaiting(requests: MemberRequests): readonly PageRequest[] {
    const waiting = requests.takeWaiting();
    this.#waiting -= waiting.length;
    return waiting;
  }

  #reject({ requests, command }: PageRequest, error: ProtocolError): void {
    command.failed?.();
    rejectCommand(this.#counters, requests.member, command.id, error.code, error.message);
  }

  #forgetIfEmpty(requests: MemberRequests): void {
    if (requests.size === 0 && this.#byMember.get(requests.member) === requests)
      this.#byMember.delete(requests.member);
  }
}

/** Requests of one member, in their order. */
class MemberRequests {
  readonly member: Member;
  /** Requests that the hub has not replied to. */
  readonly sent = new Set<PageRequest>();
  isSending = false;
  #waiting: PageRequest[] = [];
  /** Index of the first waiting request. Those before it were sent. */
  #first = 0;

  constructor(member: Member) {
    this.member = member;
  }

  get size(): number {
    return this.sent.size + this.#waiting.length - this.#first;
  }

  push(request: PageRequest): void {
    this.#waiting.push(request);
  }

  /**
   * Removes and returns the first waiting request, at a cost that does not grow with their number.
   */
  shift(): PageRequest | undefined {
    const request = this.#waiting[this.#first];
    if (request === undefined) return undefined;
    this.#first += 1;
    if (this.#first >= STALE_MAX && this.#first >= this.#waiting.length / 2) {
      this.#waiting = this.#waiting.slice(this.#first);
      this.#first = 0;
    }
    return request;
  }

  takeWaiting(): readonly PageRequest[] {
    const waiting = this.#waiting.slice(this.#first);
    this.#waiting = [];
    this.#first = 0;
    return waiting;
  }
}

/** One request, which receives the answer of the hub. */
class PageRequest implements HistoryAnswer {
  readonly requests: MemberRequests;
  readonly command: PageCommand;
  readonly deadlineMs: number;
  read: HistoryRead | undefined;
  readonly #owner: PageRequests;

  constructor(owner: PageRequests, requests: MemberRequests, command: PageCommand, deadlineMs: number) {
    this.#owner = owner;
    this.requests = requests;
    this.command = command;
    this.deadlineMs = deadlineMs;
  }

  page(page: HistoryPage): void {
    this.#owner.succeed(this, page);
  }

  failed(error: ProtocolError): void {
    this.#owner.fail(this, error);
  }
}
