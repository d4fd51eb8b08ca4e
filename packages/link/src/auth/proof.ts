import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { limits, native } from '@groupcast/protocol';

/** A nonce that was never used before: 32 random bytes. */
export function createNonce(): Uint8Array {
  return randomBytes(limits.NONCE_BYTES);
}

/** The proof of one end that it knows the secret: HMAC-SHA256 over its role and both nonces (PROTOCOL.md, "Handshake"). */
export function createProof(
  secret: string,
  role: native.ProofRole,
  peerNonce: Uint8Array,
  hubNonce: Uint8Array,
): Uint8Array {
  return createHmac('sha256', secret)
    .update(native.proofInput(role, peerNonce, hubNonce))
    .digest();
}

/** Whether a proof that came is the right one. Takes the same time whichever byte is wrong. */
export function isProof(came: Uint8Array, expected: Uint8Array): boolean {
  return came.length === expected.length && timingSafeEqual(came, expected);
}
