import type { ClientEvent, CommandError } from '@groupcast/protocol/schema';
import type { Identity } from '../src/auth/identity.ts';
import { Permissions } from '../src/auth/permissions.ts';
import type { ClientProtocol } from '../src/client-protocols/client-protocol.ts';
import { PLAIN } from '../src/client-protocols/plain/protocol.ts';
import type { RateLimit } from '../src/connection/rate-limit.ts';
import type { Member } from '../src/groups/member.ts';
import { payloadsOf } from '../src/socket/outbound-frame.ts';

/** Permissions of a gateway without tokens. */
export const OPEN: Permissions = new Permissions({ auth: 'none' });

/** A member without a socket, which records its messages and events. */
export class FakeMember implements Member {
  readonly id: string;
  readonly protocol: ClientProtocol;
  readonly memberships: string[] = [];
  identity: Identity | undefined;
  pendingCommands = 0;
  recoveryBytes: RateLimit | undefined;
  isOpen = true;
  isNew = false;
  bufferedBytes = 0;
  /** Messages and events, in order. */
  readonly got: unknown[] = [];
  /** Buffers of messages, unchanged. */
  readonly writes: Uint8Array[] = [];
  /** Called after every delivery. */
  wrote: (() => void) | undefined;

  constructor(id = 'member', protocol: ClientProtocol = PLAIN) {
    this.id = id;
    this.protocol = protocol;
  }

  deliver(frames: Uint8Array): void {
    this.writes.push(frames);
    for (const payload of payloadsOf(frames)) {
      const text = Buffer.from(payload).toString();
      this.got.push(this.protocol === PLAIN ? text : JSON.parse(text));
    }
    this.wrote?.();
  }

  sendEvent(event: ClientEvent): boolean {
    if (this.protocol.encodeEvent(event) === undefined) return false;
    this.got.push(event);
    return true;
  }

  renew(identity: Identity): void {
    this.identity = identity;
  }

  reject(error: CommandError): void {
    this.sendEvent({ type: 'error', code: error.code, message: error.message });
  }
}
