import { NONCE_BYTES, PROOF_BYTES } from '../limits.ts';
import { ProtocolError } from '../protocol-error.ts';
import { encodeText } from '../text.ts';
import type { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { NATIVE_VERSION, OPCODES } from './opcode.ts';

/** Peer to hub, first: who I am, and a nonce that the hub must use in its proof. */
export interface Hello {
  readonly type: 'hello';
  readonly version: number;
  readonly nonce: Uint8Array;
  /** For logs and status, 0 to 255 bytes. Not trusted. */
  readonly name: string;
}

/** Hub to peer, where there is a secret: the hub proves itself first, so that a false hub learns nothing. */
export interface Challenge {
  readonly type: 'challenge';
  readonly nonce: Uint8Array;
  readonly proof: Uint8Array;
  /** By the other secret, where the hub has two. */
  readonly otherProof?: Uint8Array;
}

/** Peer to hub: the answer to the challenge. */
export interface Proof {
  readonly type: 'proof';
  readonly proof: Uint8Array;
}

/** Hub to peer: the session is open. */
export interface Welcome {
  readonly type: 'welcome';
  readonly version: number;
  /** Something is sent at least this often by both sides, in milliseconds. */
  readonly heartbeatMs: number;
  /** The longest frame that the hub takes, in bytes. */
  readonly frameBytesMax: number;
}

/** The two ends sign different bytes, so that neither's proof can be played back as the other's. */
export type ProofRole = 'hub' | 'peer';

/** The bytes that a proof is the HMAC-SHA256 of, keyed with the shared secret. */
export function proofInput(role: ProofRole, peerNonce: Uint8Array, hubNonce: Uint8Array): Uint8Array {
  const label = encodeText(`groupcast/${NATIVE_VERSION} ${role}\n`);
  const input = new Uint8Array(label.length + peerNonce.length + hubNonce.length);
  input.set(label);
  input.set(peerNonce, label.length);
  input.set(hubNonce, label.length + peerNonce.length);
  return input;
}

export function encodeHello(hello: Omit<Hello, 'type'>): Uint8Array {
  return new ByteWriter(OPCODES.hello).u8(hello.version).bytes(hello.nonce).shortText(hello.name).frame();
}

export function decodeHello(reader: ByteReader): Hello {
  const version = reader.u8();
  // What follows the version byte is this version's business, so another version is refused before it is read.
  if (version !== NATIVE_VERSION) {
    throw new ProtocolError(
      'unsupported_version',
      `Version ${version} was asked for; ${NATIVE_VERSION} is spoken here.`,
    );
  }
  return { type: 'hello', version, nonce: reader.bytes(NONCE_BYTES), name: reader.shortText() };
}

export function encodeChallenge(challenge: Omit<Challenge, 'type'>): Uint8Array {
  const writer = new ByteWriter(OPCODES.challenge).bytes(challenge.nonce).bytes(challenge.proof);
  return (challenge.otherProof === undefined ? writer : writer.bytes(challenge.otherProof)).frame();
}

export function decodeChallenge(reader: ByteReader): Challenge {
  const nonce = reader.bytes(NONCE_BYTES);
  const proof = reader.bytes(PROOF_BYTES);
  if (reader.isAtEnd) return { type: 'challenge', nonce, proof };
  return { type: 'challenge', nonce, proof, otherProof: reader.bytes(PROOF_BYTES) };
}

export function encodeProof(proof: Uint8Array): Uint8Array {
  return new ByteWriter(OPCODES.proof).bytes(proof).frame();
}

export function decodeProof(reader: ByteReader): Proof {
  return { type: 'proof', proof: reader.bytes(PROOF_BYTES) };
}

export function encodeWelcome(welcome: Omit<Welcome, 'type'>): Uint8Array {
  return new ByteWriter(OPCODES.welcome)
    .u8(welcome.version)
    .u32(welcome.heartbeatMs)
    .u32(welcome.frameBytesMax)
    .frame();
}

export function decodeWelcome(reader: ByteReader): Welcome {
  return { type: 'welcome', version: reader.u8(), heartbeatMs: reader.u32(), frameBytesMax: reader.u32() };
}
