export { Link, type LinkEnd } from './link.ts';
export {
  completeLinkOptions,
  HEARTBEAT_MS,
  LINK_DEFAULTS,
  LINK_RANGES,
  type LinkOptions,
} from './options.ts';
export { createNonce, createProof, isProof } from './proof.ts';
export type { LinkReceiver, SpanReceiver } from './receiver.ts';
