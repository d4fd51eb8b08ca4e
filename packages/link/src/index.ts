export { Link, type LinkEnd } from './link.ts';
export { HEARTBEAT_MS, LINK_DEFAULTS, type LinkOptions } from './options.ts';
export { createNonce, createProof, isProof } from './proof.ts';
export type { LinkReceiver, SpanReceiver } from './receiver.ts';
