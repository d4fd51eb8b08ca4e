import { describe, expect, test } from 'vitest';
import { createNonce, createProof, isProof } from './proof.ts';

const PEER_NONCE = new Uint8Array(32).fill(0x01);
const HUB_NONCE = new Uint8Array(32).fill(0x02);

describe('proof', () => {
  test('is the HMAC-SHA256 that other languages compute', () => {
    // Computed in Python:
    // hmac.new(b's3cret', b'groupcast/1 hub\n' + b'\1' * 32 + b'\2' * 32, 'sha256').hexdigest()
    const proof = createProof('s3cret', 'hub', PEER_NONCE, HUB_NONCE);
    expect(Buffer.from(proof).toString('hex')).toBe(
      'cf0d827f4e74a11d63388280fab5c9c49c321e6ac78c73caa169f3f596520513',
    );
  });

  test('a different role, secret or nonce gives a different proof', () => {
    const proof = createProof('s3cret', 'hub', PEER_NONCE, HUB_NONCE);
    expect(isProof(createProof('s3cret', 'hub', PEER_NONCE, HUB_NONCE), proof)).toBe(true);
    expect(isProof(createProof('s3cret', 'peer', PEER_NONCE, HUB_NONCE), proof)).toBe(false);
    expect(isProof(createProof('S3cret', 'hub', PEER_NONCE, HUB_NONCE), proof)).toBe(false);
    expect(isProof(createProof('s3cret', 'hub', HUB_NONCE, PEER_NONCE), proof)).toBe(false);
  });

  test('a proof of another length is rejected without an error', () => {
    const proof = createProof('s3cret', 'hub', PEER_NONCE, HUB_NONCE);
    expect(isProof(proof.subarray(0, 31), proof)).toBe(false);
    expect(isProof(new Uint8Array(0), proof)).toBe(false);
  });

  test('nonces have 32 bytes, and differ', () => {
    const nonces = Array.from({ length: 100 }, () => Buffer.from(createNonce()).toString('hex'));
    expect(new Set(nonces).size).toBe(100);
    expect(nonces[0]).toHaveLength(64);
  });
});
