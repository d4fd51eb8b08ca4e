export { Link, type LinkEnd, type LinkReceiver } from './link.ts';
export { HEARTBEAT_MS, LINK_DEFAULTS, type LinkOptions } from './options.ts';
export { createNonce, createProof, isProof } from './proof.ts';
