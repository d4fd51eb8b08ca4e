import type { LinkEnd } from '@groupcast/link';
import type { HubClientOptions } from '../options.ts';

/** End of a connection, and how far it had come. */
export interface LinkFailure {
  readonly end: Exclude<LinkEnd, 'closed'>;
  readonly cause: Error | undefined;
  /** Whether a HELLO could be sent: the address answers, and with TLS so does its certificate. */
  readonly isConnected: boolean;
  /** Whether the hub has sent anything since. */
  readonly hasAnswer: boolean;
}

const TURN_TLS_OFF = 'Use no TLS here, or give the hub a certificate';
const TURN_TLS_ON = 'If the hub requires TLS, use it here too';

/** Says what to do, by the system's code of an error before the connection was established. */
const ADVICE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Start the hub there, or correct the address',
  ENOENT: 'Start the hub, or correct the path of its socket',
  EACCES: "This user may not open the socket. Change the mode or the folder of the hub's socket",
  ENOTFOUND: 'The name has no address. Correct it',
  EAI_AGAIN: 'The name service did not answer. Check it, or use an address',
  EHOSTUNREACH: 'Check the address and the routes to it',
  ENETUNREACH: 'Check the address and the routes to it',
  ETIMEDOUT: 'Check the address, and that no firewall drops the packets',
};

/** Returns what the hub did, as the rest of a sentence after its address. May add what to do. */
export function describeFailure(
  failure: LinkFailure,
  { tls }: Pick<HubClientOptions, 'tls'>,
): { readonly what: string; readonly advice?: string } {
  const { end, cause, isConnected, hasAnswer } = failure;
  const code = cause !== undefined && 'code' in cause ? String(cause.code) : '';
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER') return { what: 'does not speak TLS', advice: TURN_TLS_OFF };
  const isCut = end === 'peer_closed' || (end === 'socket_error' && isEndOfPeer(code));
  if (isCut && tls !== undefined && !isConnected) {
    return {
      what: 'closed the connection in the TLS handshake',
      advice: `If it has no TLS: ${lower(TURN_TLS_OFF)}`,
    };
  }
  if (isCut && tls === undefined && isConnected && !hasAnswer) {
    return { what: 'closed the connection without an answer', advice: TURN_TLS_ON };
  }
  if (isCut) return { what: SENTENCES.peer_closed };
  const advice = isConnected ? undefined : ADVICE[code];
  return advice === undefined ? { what: SENTENCES[end] } : { what: SENTENCES[end], advice };
}

/** Whether a code of the system says that the other end closed the connection. */
function isEndOfPeer(code: string): boolean {
  return code === 'ECONNRESET' || code === 'EPIPE';
}

function lower(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}

const SENTENCES: Readonly<Record<LinkFailure['end'], string>> = {
  peer_closed: 'closed the connection',
  socket_error: 'cannot be reached',
  protocol_error: 'sent invalid data',
  slow: 'reads too slowly',
  silent: 'is silent',
  stalled: 'did not complete a frame in time',
  internal_error: 'sent a message that could not be handled',
};
