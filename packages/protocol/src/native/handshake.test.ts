import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { bytesOf, hexOf, readGolden } from '../../testing/golden.ts';
import { encodeHello, proofInput } from './handshake.ts';
import { decodeNative } from './message.ts';

interface ProofVector {
  readonly name: string;
  readonly secret: string;
  readonly peer_nonce: string;
  readonly hub_nonce: string;
  readonly hub_proof: string;
  readonly peer_proof: string;
}

const { proofs } = readGolden<{ proofs: ProofVector[] }>('native.json');
const peerNonce = new Uint8Array(32).fill(1);
const hubNonce = new Uint8Array(32).fill(2);

describe('proofs', () => {
  test.each(proofs)('$name', (vector) => {
    const proof = (role: 'hub' | 'peer'): string =>
      createHmac('sha256', vector.secret)
        .update(proofInput(role, bytesOf(vector.peer_nonce), bytesOf(vector.hub_nonce)))
        .digest('hex');
    expect(proof('hub')).toBe(vector.hub_proof);
    expect(proof('peer')).toBe(vector.peer_proof);
  });

  test('the signed bytes', () => {
    expect(hexOf(proofInput('hub', peerNonce, hubNonce))).toBe(
      `67726f7570636173742f31206875620a${'01'.repeat(32)}${'02'.repeat(32)}`,
    );
    expect(hexOf(proofInput('peer', peerNonce, hubNonce))).toBe(
      `67726f7570636173742f3120706565720a${'01'.repeat(32)}${'02'.repeat(32)}`,
    );
  });
});

describe('hello', () => {
  test('another version is rejected before its layout is read, with the supported version', () => {
    expect(() => decodeNative(Uint8Array.of(0, 0, 0, 6, 1, 9))).toThrow(
      expect.objectContaining({ code: 'unsupported_version', message: expect.stringContaining('1') }),
    );
  });

  test('a name of 256 bytes does not fit', () => {
    expect(() => encodeHello({ version: 1, nonce: peerNonce, name: 'n'.repeat(256) })).toThrow(RangeError);
  });
});
