import { decodeText, type native, type Position, type ProtocolError } from '@groupcast/protocol';
import { EventQueue } from '@groupcast/testkit';
import type { HubClient } from '../src/hub-client.ts';
import type { HubClientState } from '../src/hub-client-events.ts';
import type { LossReason, Subscriber } from '../src/subscriptions/channel-subscription.ts';

/**
 * A subscriber that records events: `at NAME OFFSET` for a subscription, `NAME OFFSET TEXT` for a
 * publication, `lost NAME OFFSET REASON` for a loss, `rejected NAME CODE` for a rejection.
 */
export class Recorder implements Subscriber {
  readonly events: EventQueue<string> = new EventQueue('event of a subscriber');

  subscribed(subject: native.Subject, position: Position): void {
    this.events.push(`at ${subject.name}${subject.prefix ? '*' : ''} ${position.offset}`);
  }

  lost(subject: native.Subject, position: Position, reason: LossReason): void {
    this.events.push(`lost ${subject.name} ${position.offset} ${reason}`);
  }

  rejected(subject: native.Subject, error: ProtocolError): void {
    this.events.push(`rejected ${subject.name} ${error.code}`);
  }

  deliver(publication: native.Publication): void {
    this.events.push(`${publication.channel} ${publication.number} ${decodeText(publication.payload)}`);
  }
}

export interface StateChange {
  readonly state: HubClientState;
  readonly error: ProtocolError | undefined;
}

/** Records every state that a client enters from now on. */
export function statesOf(client: HubClient): EventQueue<StateChange> {
  const states = new EventQueue<StateChange>('state');
  client.on('state', (state, error) => states.push({ state, error }));
  return states;
}

/** Removes states up to the next one of this name, and resolves with that. */
export function nextState(states: EventQueue<StateChange>, state: HubClientState): Promise<StateChange> {
  return states.next((change) => change.state === state);
}
