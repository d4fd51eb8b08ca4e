import type { CloseReason } from '@groupcast/protocol';
import { type Log, printable } from '@groupcast/service';
import type { HandshakeRejection } from '../admin/gateway-stats.ts';

/** Fields of a connection in the log. */
export interface LoggedClient {
  readonly id: string;
  readonly remoteAddress: string;
  readonly protocol: { readonly name: string };
  readonly identity: { readonly uid: string } | undefined;
}

/** Debug lines about clients. It exists only where the log has debug lines. */
export class ClientLog {
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  connected({ id, remoteAddress, protocol, identity }: LoggedClient): void {
    const fields = { clientId: id, address: remoteAddress, protocol: protocol.name, ...userOf(identity) };
    this.#log.debug(fields, 'client connected');
  }

  /** A client has replaced its token. */
  refreshed({ id, identity }: Pick<LoggedClient, 'id' | 'identity'>): void {
    this.#log.debug({ clientId: id, ...userOf(identity) }, 'client refreshed its token');
  }

  joined({ id }: Pick<LoggedClient, 'id'>, group: string): void {
    this.#log.debug({ clientId: id, group: printable(group) }, 'client joined');
  }

  left({ id }: Pick<LoggedClient, 'id'>, group: string): void {
    this.#log.debug({ clientId: id, group: printable(group) }, 'client left');
  }

  /** `code` is that of the close frame of the client, or 1006 without one. */
  closed(
    { id, remoteAddress }: LoggedClient,
    reason: CloseReason | 'by_client' | 'lost',
    code: number,
  ): void {
    this.#log.debug({ clientId: id, address: remoteAddress, reason, code }, 'client closed');
  }

  rejected(reason: HandshakeRejection, address: string): void {
    this.#log.debug({ address, reason }, 'handshake rejected');
  }
}

function userOf(identity: LoggedClient['identity']): { uid?: string } {
  return identity === undefined ? {} : { uid: printable(identity.uid) };
}
