import { channelOfGroup, type Position, ProtocolError } from '@groupcast/protocol';
import type { CommandId } from '@groupcast/protocol/schema';
import type { Counters } from '../admin/gateway-stats.ts';
import { ackEvent, errorEvent } from '../client-protocols/client-events.ts';
import type { HistoryAnswer, HistoryPage, HistoryRead, HubPort } from './hub-port.ts';
import type { Member } from './member.ts';
import { MemberWait } from './member-wait.ts';

/** Of no history: the hub answers where the channel stands, and with nothing else. */
const NOWHERE: Position = { epoch: '-', offset: 0 };

/** Of one member at a time; as many as are under way for a whole worker. */
const UNDER_WAY_MAX = 16;

/** Questions that were asked already and stay in front of the others, before these are moved. */
const ASKED_MAX = 256;

const TOO_MANY = 'Too many questions about groups wait for the hub. Ask again later.';

/** What questions need of their worker. */
export interface QuestionsContext {
  readonly hub: HubPort;
  readonly counters: Counters;
  /** Questions of all members that wait for their turn. */
  readonly waitingQuestions: { count: number };
  readonly options: {
    /** As many of one member may wait: it cannot send more at once. */
    readonly messagesBurst: number;
    /** As many of all members may wait. */
    readonly positionRequestsMax: number;
    /** A question that waits for its turn for longer is given up, in milliseconds. */
    readonly joinMs: number;
  };
}

/**
 * What one member asks of where groups stand. A few are asked of the hub at a time, and the others wait here, in their order, so
 * that none is refused for its number; together they are one wait of the member. When the hub cannot answer one, those that wait are
 * not answered either.
 */
export class Questions extends MemberWait {
  readonly #context: QuestionsContext;
  readonly #underWay = new Set<Question>();
  #waiting: Question[] = [];
  // What is before it was asked.
  #next = 0;
  #isAsking = false;

  constructor(member: Member, context: QuestionsContext) {
    super(member);
    this.#context = context;
    member.questions = this;
  }

  add(name: string, id: CommandId): void {
    const { counters, options, waitingQuestions } = this.#context;
    const count = this.#underWay.size + this.#waiting.length - this.#next;
    if (count >= options.messagesBurst || waitingQuestions.count >= options.positionRequestsMax) {
      counters.refused.hub_unavailable += 1;
      this.member.sendEvent(errorEvent('hub_unavailable', id, TOO_MANY));
      this.#endIfEmpty();
      return;
    }
    waitingQuestions.count += 1;
    this.#waiting.push(new Question(this, name, id, performance.now() + options.joinMs));
    this.#ask();
  }

  /** From a question: the hub has answered it. */
  answered(question: Question, position: Position): void {
    if (!this.#underWay.delete(question)) return;
    this.member.sendEvent(ackEvent(question.id, question.name, position));
    this.#ask();
  }

  /** From a question: there is no answer, and for those behind it neither. */
  failed(question: Question, error: ProtocolError): void {
    if (!this.#underWay.delete(question)) return;
    this.#refuse(question, error);
    for (const waiting of this.#takeWaiting()) this.#refuse(waiting, error);
    this.#endIfEmpty();
  }

  override end(): boolean {
    this.member.questions = undefined;
    return super.end();
  }

  override cancel(): void {
    this.#takeWaiting();
    const underWay = [...this.#underWay];
    this.#underWay.clear();
    for (const { read } of underWay) read?.cancel();
    this.end();
  }

  /** Asks as many as may be under way. */
  #ask(): void {
    // A question may fail while it is being asked.
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      for (let question = this.#take(); question !== undefined; question = this.#take()) {
        if (question.deadlineMs <= performance.now()) {
          this.#refuse(question, new ProtocolError('hub_unavailable'));
          continue;
        }
        this.#underWay.add(question);
        question.read = this.#context.hub.history(
          channelOfGroup(question.name),
          NOWHERE,
          question,
          this.member,
        );
      }
    } catch (error) {
      this.cancel();
      throw error;
    } finally {
      this.#isAsking = false;
    }
    this.#endIfEmpty();
  }

  #take(): Question | undefined {
    if (this.#underWay.size >= UNDER_WAY_MAX) return undefined;
    const question = this.#waiting[this.#next];
    if (question === undefined) return undefined;
    this.#next += 1;
    this.#context.waitingQuestions.count -= 1;
    if (this.#next >= ASKED_MAX && this.#next >= this.#waiting.length / 2) {
      this.#waiting = this.#waiting.slice(this.#next);
      this.#next = 0;
    }
    return question;
  }

  #takeWaiting(): readonly Question[] {
    const waiting = this.#waiting.slice(this.#next);
    this.#context.waitingQuestions.count -= waiting.length;
    this.#waiting = [];
    this.#next = 0;
    return waiting;
  }

  #refuse({ id }: Question, error: ProtocolError): void {
    this.#context.counters.refused[error.code] += 1;
    this.member.sendEvent(errorEvent(error.code, id, error.message));
  }

  #endIfEmpty(): void {
    if (this.#underWay.size === 0 && this.#waiting.length === this.#next) this.end();
  }
}

/** One of them, which carries the answer of the hub. */
class Question implements HistoryAnswer {
  readonly name: string;
  readonly id: CommandId;
  readonly deadlineMs: number;
  read: HistoryRead | undefined;
  readonly #questions: Questions;

  constructor(questions: Questions, name: string, id: CommandId, deadlineMs: number) {
    this.#questions = questions;
    this.name = name;
    this.id = id;
    this.deadlineMs = deadlineMs;
  }

  page({ position }: HistoryPage): void {
    this.#questions.answered(this, position);
  }

  failed(error: ProtocolError): void {
    this.#questions.failed(this, error);
  }
}
