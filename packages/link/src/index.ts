export { createNonce, createProof, isProof } from './auth/proof.ts';
export { Link } from './framing/link.ts';
export {
  completeLinkOptions,
  HEARTBEAT_MS,
  LINK_TABLE,
  type LinkOptions,
} from './framing/options.ts';
export type { LinkEnd, LinkReceiver } from './framing/receiver.ts';
