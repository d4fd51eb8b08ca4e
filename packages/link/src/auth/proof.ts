import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { limits, native } from '@groupcast/protocol';

/** Returns a new nonce: 32 random bytes. */
export function createNonce(): Uint8Array {
  return randomBytes(limits.NONCE_BYTES);
}

/**
 * Computes the proof that one end knows the secret: HMAC-SHA256 over its role and both nonces
 * (PROTOCOL.md, "Handshake").
 */
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

/** Compares a received proof with the expected one, in constant time. */
export function isProof(received: Uint8Array, expected: Uint8Array): boolean {
  return received.length === expected.length && timingSafeEqual(received, expected);
}
