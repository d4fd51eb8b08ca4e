import { CLOSE_CODES, type CloseReason, ERROR_CODES, type ErrorCode } from '@groupcast/protocol';
import { clientEvent } from '@groupcast/protocol/schema';
import { expect, test } from 'vitest';
import { allowedIdentity } from '../../testing/fake-verifier.ts';
import { LoopbackHub } from '../../testing/loopback-hub.ts';
import { completeOptions } from '../options.ts';
import {
  ackEvent,
  disconnectEvent,
  errorEvent,
  gapEvent,
  joinedEvent,
  notStoredEvent,
  recoveryAckEvent,
  welcomeEvent,
} from './client-events.ts';

const OPTIONS = completeOptions({ hub: new LoopbackHub() });
const POSITION = { epoch: 'e', offset: 7 };

test('every event has the fields of the protocol, and no others', () => {
  const events = [
    welcomeEvent('client', 'session', OPTIONS, undefined, {}),
    welcomeEvent('client', 'session', OPTIONS, allowedIdentity('ann'), { user: POSITION }),
    welcomeEvent('client', 'session', OPTIONS, allowedIdentity('ann', { expiresAt: 1 }), {
      joined: [{ group_id: 'g', ...POSITION }],
    }),
    ackEvent(1),
    ackEvent('two', 'g'),
    ackEvent(-3.5, 'g', POSITION),
    recoveryAckEvent(ackEvent(1, 'g', POSITION), undefined),
    recoveryAckEvent(ackEvent(1, 'g', POSITION), 'limit'),
    notStoredEvent(1, 'g'),
    joinedEvent('g', POSITION),
    joinedEvent('g', POSITION, { reason: undefined }),
    joinedEvent('g', POSITION, { reason: 'limit' }),
    gapEvent('g', 'trimmed', POSITION),
    gapEvent('g', 'epoch_changed', POSITION),
    ...(Object.keys(ERROR_CODES) as ErrorCode[]).map((code) => errorEvent(code, 'id')),
    errorEvent('bad_json', undefined),
    errorEvent('hub_unavailable', 4, 'More precisely.'),
    ...(Object.keys(CLOSE_CODES) as CloseReason[]).map((reason) => disconnectEvent(reason, undefined)),
    disconnectEvent('restart', 250),
    disconnectEvent('disconnected', undefined, 'Your plan has changed.'),
  ];
  for (const event of events) {
    const sent: unknown = JSON.parse(JSON.stringify(event));
    expect(clientEvent.parse(sent)).toEqual(sent);
  }
});
