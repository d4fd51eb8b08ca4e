import type { ProtocolError } from '@groupcast/protocol';
import { type Log, printable } from '@groupcast/service';
import type { BanChange } from './ban-change.ts';
import type { PeerEnd } from './peer-end.ts';
import type { PeerRow } from './peer-row.ts';

/** Ends without a fault of hub or peer. */
const EXPECTED_ENDS: ReadonlySet<PeerEnd> = new Set(['closed', 'peer_closed', 'drained', 'hub_closed']);

/** Longest key of a ban in a line: it has a few characters that become longer. */
const KEY_BYTES_MAX = 600;

/** Log lines about the peers of a hub. */
export class PeerLog {
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  connected(peer: PeerRow): void {
    this.#log.info(fieldsOf(peer), 'Peer connected');
  }

  askedToLeave(peer: PeerRow, reconnectAfterMs: number): void {
    this.#log.info({ ...fieldsOf(peer), reconnectAfterMs }, 'Peer asked to leave');
  }

  droppedInPart(peer: PeerRow, { code, message }: ProtocolError): void {
    const fields = { ...fieldsOf(peer), reason: code, detail: message };
    this.#log.warn(fields, 'Part of a request was dropped');
  }

  /** One line for each change, without a limit: it says who did what. */
  banChanged(peer: PeerRow, { action, key, by = '', reason = '', seconds }: BanChange): void {
    const what = {
      ban: printable(key, KEY_BYTES_MAX),
      by: printable(by),
      reason: printable(reason),
      seconds,
    };
    const fields = { ...fieldsOf(peer), ...what };
    if (action === 'ban') this.#log.info(fields, 'Banned');
    else if (action === 'unban') this.#log.info(fields, 'Unbanned');
    else this.#log.warn(fields, 'An invalid ban was published; gateways ignore it');
  }

  ended(peer: PeerRow, end: PeerEnd, error: Error | undefined): void {
    const fields = { ...fieldsOf(peer), reason: end };
    if (end === 'internal_error') this.#log.error({ ...fields, error }, 'Peer closed: the hub failed');
    else if (EXPECTED_ENDS.has(end)) this.#log.info(fields, 'Peer disconnected');
    else this.#log.warn({ ...fields, detail: printable(error?.message ?? '') }, 'Peer closed');
  }

  /** Without an error, the peer closed the connection by itself. */
  rejectedByTls(address: string, error: Error | undefined): void {
    if (error === undefined) this.#log.info({ address }, 'Peer closed the connection in the TLS handshake');
    else this.#log.warn({ address, detail: tlsFault(error) }, 'Peer rejected in the TLS handshake');
  }

  /** A connection was dropped because of `peersMax`. */
  dropped(address: string | undefined, peersMax: number): void {
    this.#log.warn({ address, peersMax }, 'Connection dropped: the limit of peers is reached');
  }
}

/** Says what a peer did wrong in the TLS handshake. */
function tlsFault(error: Error & { readonly code?: string; readonly reason?: string }): string {
  if (error.code === 'ERR_SSL_WRONG_VERSION_NUMBER') {
    return 'The peer does not speak TLS. Turn TLS on at both ends or at neither.';
  }
  if (error.code === 'ERR_SSL_HTTP_REQUEST') return 'The peer speaks HTTP without TLS. Check the port.';
  return printable(error.reason ?? error.message);
}

function fieldsOf({ id, name, address, dialect }: PeerRow): object {
  return { peer: id, name: printable(name), address, dialect };
}
