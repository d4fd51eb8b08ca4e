import { groupcast } from './groupcast.ts';
import { nats } from './nats.ts';
import type { Protocol } from './protocol.ts';
import { socketIo } from './socket-io.ts';

/** The protocols by their names in `--protocol`. */
export const PROTOCOLS = { groupcast, 'socket.io': socketIo, nats } as const satisfies Record<
  string,
  Protocol
>;

export type ProtocolName = keyof typeof PROTOCOLS;
