import { NONCE_BYTES, PROOF_BYTES } from '../limits.ts';
import { ProtocolError } from '../protocol-error.ts';
import { encodeText } from '../text.ts';
import type { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { ALL_CAPABILITIES } from './capabilities.ts';
import { NATIVE_VERSION, OPCODES } from './opcode.ts';

/** Peer to hub, first: the peer's name, and a nonce that the hub must use in its proof. */
export interface Hello {
  readonly type: 'hello';
  readonly version: number;
  readonly nonce: Uint8Array;
  /** Name for logs and status, 0 to 255 bytes. It is not trusted. */
  readonly name: string;
  /** Bits of CAPABILITIES. Undefined if the frame ends before the field. */
  readonly capabilities: number | undefined;
}

/** Hub to peer, with a secret: the hub proves itself first, so that an impostor learns nothing. */
export interface Challenge {
  readonly type: 'challenge';
  readonly nonce: Uint8Array;
  readonly proof: Uint8Array;
  /** Proof by the other secret of a hub with two. */
  readonly otherProof?: Uint8Array;
}

/** Peer to hub: the answer to the challenge. */
export interface Proof {
  readonly type: 'proof';
  readonly proof: Uint8Array;
}

/** Hub to peer: the link is open. */
export interface Welcome {
  readonly type: 'welcome';
  readonly version: number;
  /** Interval in which both sides send something, in milliseconds. */
  readonly heartbeatMs: number;
  /** Limit of the hub for a frame, in bytes. */
  readonly frameBytesMax: number;
  /** Bits of CAPABILITIES. Undefined if the frame ends before the field. */
  readonly capabilities: number | undefined;
}

/** The ends sign different bytes, so that a proof cannot be replayed as the other end's. */
export type ProofRole = 'hub' | 'peer';

/** Returns the input of HMAC-SHA256 for a proof; the key is the shared secret. */
export function proofInput(role: ProofRole, peerNonce: Uint8Array, hubNonce: Uint8Array): Uint8Array {
  const label = encodeText(`groupcast/${NATIVE_VERSION} ${role}\n`);
  const input = new Uint8Array(label.length + peerNonce.length + hubNonce.length);
  input.set(label);
  input.set(peerNonce, label.length);
  input.set(hubNonce, label.length + peerNonce.length);
  return input;
}

/** A message with capabilities to encode. Default: those of this version. */
type ToEncode<Message extends Hello | Welcome> = Omit<Message, 'type' | 'capabilities'> & {
  readonly capabilities?: number | undefined;
};

export function encodeHello(hello: ToEncode<Hello>): Uint8Array {
  const { version, nonce, name, capabilities = ALL_CAPABILITIES } = hello;
  return new ByteWriter(OPCODES.hello).u8(version).bytes(nonce).shortText(name).u32(capabilities).frame();
}

export function decodeHello(reader: ByteReader): Hello {
  const version = reader.u8();
  // The rest of the layout depends on the version.
  if (version !== NATIVE_VERSION) {
    throw new ProtocolError(
      'unsupported_version',
      `Version ${version} was requested; only ${NATIVE_VERSION} is supported.`,
    );
  }
  const nonce = reader.bytes(NONCE_BYTES);
  return { type: 'hello', version, nonce, name: reader.shortText(), capabilities: readCapabilities(reader) };
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

export function encodeWelcome(welcome: ToEncode<Welcome>): Uint8Array {
  const { version, heartbeatMs, frameBytesMax, capabilities = ALL_CAPABILITIES } = welcome;
  return new ByteWriter(OPCODES.welcome)
    .u8(version)
    .u32(heartbeatMs)
    .u32(frameBytesMax)
    .u32(capabilities)
    .frame();
}

export function decodeWelcome(reader: ByteReader): Welcome {
  const version = reader.u8();
  const heartbeatMs = reader.u32();
  const frameBytesMax = reader.u32();
  return { type: 'welcome', version, heartbeatMs, frameBytesMax, capabilities: readCapabilities(reader) };
}

function readCapabilities(reader: ByteReader): number | undefined {
  return reader.isAtEnd ? undefined : reader.u32();
}
