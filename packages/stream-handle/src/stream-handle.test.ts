import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { connectPair, type SocketPair } from '../testing/socket-pair.ts';
import {
  handleOf,
  readDirectly,
  type TcpHandle,
  takenBytesOf,
  type WriteOwner,
  writeDirectly,
} from './stream-handle.ts';

const until = (holds: () => boolean): Promise<unknown> =>
  vi.waitUntil(holds, { interval: 1, timeout: 30_000 });

const pairs: SocketPair[] = [];

afterEach(() => {
  for (const pair of pairs.splice(0)) pair.end();
});

interface HandlePair extends SocketPair {
  readonly handle: TcpHandle;
}

async function handlePair(): Promise<HandlePair> {
  const pair = await connectPair();
  pairs.push(pair);
  const handle = handleOf(pair.near);
  if (handle === undefined) throw new Error('This Node no longer has what direct writes and reads need.');
  return { ...pair, handle };
}

/** Hears when a write that had to wait is over. */
class Owner implements WriteOwner {
  readonly told: { readonly bytes: number; readonly error: unknown }[] = [];

  written(bytes: number, error: Error | undefined): void {
    this.told.push({ bytes, error: error && Reflect.get(error, 'code') });
  }
}

/** Bytes that tell where in a stream they were. */
function pattern(bytes: number, seed: number): Buffer {
  const all = Buffer.allocUnsafe(bytes);
  for (let at = 0; at < bytes; at++) all[at] = (at * 31 + seed * 17 + (at >>> 8)) & 0xff;
  return all;
}

async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'end');
  return Buffer.concat(chunks);
}

/** Larger than what the kernel takes for a peer that does not read. */
const TOO_MUCH_BYTES = 32 * 1024 * 1024;

/** Writes directly until the kernel takes no more; answers with all that was written. */
function writeUntilWaiting(handle: TcpHandle, owner: WriteOwner): Buffer[] {
  const bytes = pattern(512 * 1024, 1);
  const written: Buffer[] = [];
  for (let total = 0; total < TOO_MUCH_BYTES; total += bytes.length) {
    written.push(bytes);
    const how = writeDirectly(handle, bytes, owner);
    if (how === 'waiting') return written;
    expect(how).toBe('done');
  }
  throw new Error('The kernel took everything.');
}

describe('handleOf', () => {
  test('a connected socket has one, at both ends, until it is destroyed', async () => {
    const { near, far } = await handlePair();
    expect(handleOf(far)).toBeDefined();
    near.destroy();
    expect(handleOf(near)).toBeUndefined();
  });

  test('a TLS socket has none', async () => {
    const { far } = await handlePair();
    const secure = new TLSSocket(far);
    secure.on('error', () => {});
    expect(handleOf(secure)).toBeUndefined();
    secure.destroy();
  });

  test('a Unix socket has none', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'groupcast-'));
    const server = createServer().listen(join(folder, 'socket'));
    await once(server, 'listening');
    const socket = connect(join(folder, 'socket'));
    await once(socket, 'connect');
    expect(handleOf(socket)).toBeUndefined();
    socket.destroy();
    server.close();
    rmSync(folder, { recursive: true });
  });

  const WHOLE = Reflect.get(process, 'binding');

  /** A Node whose bindings are other ones. */
  async function withBinding(binding: unknown): Promise<typeof import('./stream-handle.ts')> {
    Reflect.set(process, 'binding', binding);
    vi.resetModules();
    try {
      return await import('./stream-handle.ts');
    } finally {
      Reflect.set(process, 'binding', WHOLE);
    }
  }

  function lacking(binding: string, field: string): unknown {
    return (name: string) => {
      const whole: object = Reflect.apply(WHOLE, process, [name]);
      return name === binding ? { ...whole, [field]: undefined } : whole;
    };
  }

  class EmptyTcp {}

  test.each<[string, unknown]>([
    [
      'throws',
      () => {
        throw new Error('No such module');
      },
    ],
    ['is not there', undefined],
    ['answers with nothing', () => undefined],
    ['lacks WriteWrap', lacking('stream_wrap', 'WriteWrap')],
    ['lacks streamBaseState', lacking('stream_wrap', 'streamBaseState')],
    ['lacks kLastWriteWasAsync', lacking('stream_wrap', 'kLastWriteWasAsync')],
    ['lacks kReadBytesOrError', lacking('stream_wrap', 'kReadBytesOrError')],
    ['lacks kArrayBufferOffset', lacking('stream_wrap', 'kArrayBufferOffset')],
    ['lacks TCP', lacking('tcp_wrap', 'TCP')],
    [
      'has a TCP of another kind',
      (name: string) => (name === 'tcp_wrap' ? { TCP: EmptyTcp } : Reflect.apply(WHOLE, process, [name])),
    ],
  ])('is undefined where process.binding %s', async (_what, binding) => {
    const { near } = await handlePair();
    const module = await withBinding(binding);
    expect(module.handleOf(near)).toBeUndefined();
  });

  test('a module that is loaded again with the bindings of this Node has handles, too', async () => {
    const { near } = await handlePair();
    expect((await withBinding(WHOLE)).handleOf(near)).toBeDefined();
  });
});

describe('writeDirectly', () => {
  test('direct writes and writes of the stream arrive in order', async () => {
    const { near, far, handle } = await handlePair();
    const arrived = readAll(far);
    const owner = new Owner();
    const expected: Buffer[] = [];
    for (let round = 0; round < 300; round++) {
      const direct = pattern(round * 7, round);
      const streamed = pattern(1 + round * 3, round + 1);
      expected.push(direct, streamed);
      expect(near.writableLength).toBe(0);
      expect(writeDirectly(handle, direct, owner)).toBe('done');
      near.write(streamed);
      await until(() => near.writableLength === 0);
    }
    near.end();
    expect((await arrived).equals(Buffer.concat(expected))).toBe(true);
    expect(owner.told).toEqual([]);
  });

  test('bytes that the kernel does not accept are pending, writes of the stream follow them, and the owner is called once', async () => {
    const { near, far, handle } = await handlePair();
    const owner = new Owner();
    const written = writeUntilWaiting(handle, owner);
    const behind = pattern(300_000, 2);
    near.write(behind);
    const last = Buffer.from('the end');
    near.end(last);
    await new Promise(setImmediate);
    expect(owner.told).toEqual([]);
    const arrived = await readAll(far);
    expect(arrived.equals(Buffer.concat([...written, behind, last]))).toBe(true);
    await until(() => owner.told.length > 0);
    expect(owner.told).toEqual([{ bytes: 512 * 1024, error: undefined }]);
  });

  test('each owner is called for its own writes while several are pending', async () => {
    const one = await handlePair();
    const two = await handlePair();
    const owners = [new Owner(), new Owner()] as const;
    const first = Buffer.concat(writeUntilWaiting(one.handle, owners[0]));
    const second = Buffer.concat(writeUntilWaiting(two.handle, owners[1]));
    const arrivedSecond = readAll(two.far);
    await until(() => owners[1].told.length > 0);
    expect(owners[0].told).toEqual([]);
    two.near.end();
    expect((await arrivedSecond).equals(second)).toBe(true);
    const arrivedFirst = readAll(one.far);
    await until(() => owners[0].told.length > 0);
    // Once nothing waits, the same socket takes direct writes again.
    expect(writeDirectly(one.handle, Buffer.from('again'), owners[0])).toBe('done');
    one.near.end();
    expect((await arrivedFirst).equals(Buffer.concat([first, Buffer.from('again')]))).toBe(true);
    expect(owners.map(({ told }) => told.length)).toEqual([1, 1]);
  });

  test('the owner is called with the error of a pending write when the peer is gone', async () => {
    const { near, far, handle } = await handlePair();
    near.on('error', () => {});
    const owner = new Owner();
    writeUntilWaiting(handle, owner);
    far.resetAndDestroy();
    await until(() => owner.told.length > 0);
    expect(owner.told).toEqual([{ bytes: 512 * 1024, error: 'ECANCELED' }]);
  });

  test('the owner is called with the error of a pending write when the socket is destroyed', async () => {
    const { near, handle } = await handlePair();
    const owner = new Owner();
    writeUntilWaiting(handle, owner);
    near.destroy();
    expect(writeDirectly(handle, Buffer.from('late'), owner)).toBe('failed');
    await until(() => owner.told.length > 0);
    expect(owner.told).toEqual([{ bytes: 512 * 1024, error: 'ECANCELED' }]);
  });

  test('a closed handle accepts nothing, and later writes to others succeed', async () => {
    const gone = await handlePair();
    const { near, far, handle } = await handlePair();
    const owner = new Owner();
    gone.near.destroy();
    expect(writeDirectly(gone.handle, Buffer.from('late'), owner)).toBe('failed');
    await once(gone.near, 'close');
    expect(writeDirectly(gone.handle, Buffer.from('later'), owner)).toBe('failed');
    const arrived = readAll(far);
    expect(writeDirectly(handle, Buffer.from('whole'), owner)).toBe('done');
    near.end();
    expect(String(await arrived)).toBe('whole');
    expect(owner.told).toEqual([]);
  });

  test('a write to a connection that the peer has reset fails, and the stream emits the error', async () => {
    const { near, far, handle } = await handlePair();
    const failures: unknown[] = [];
    near.on('error', (error) => failures.push(error));
    far.resetAndDestroy();
    await once(far, 'close');
    const how = writeDirectly(handle, Buffer.from('late'), new Owner());
    expect(how).toBe('failed');
    near.write('late');
    await until(() => near.closed);
    expect(failures.length).toBe(1);
  });
});

describe('takenBytesOf', () => {
  test('returns the bytes that the kernel has, within a long write and after it', async () => {
    const { near, far, handle } = await handlePair();
    expect(takenBytesOf(near)).toBe(0);
    expect(writeDirectly(handle, pattern(1_000, 1), new Owner())).toBe('done');
    expect(takenBytesOf(near)).toBe(1_000);
    near.write(pattern(TOO_MUCH_BYTES, 2));
    near.write(pattern(1_000, 3));
    const taken = takenBytesOf(near) ?? 0;
    expect(taken).toBeGreaterThan(1_000);
    expect(taken).toBeLessThan(TOO_MUCH_BYTES);
    // The kernel takes more when a good part of its buffer is free, and not sooner.
    const hasMore = (): boolean => (takenBytesOf(near) ?? 0) > taken;
    far.on('data', () => hasMore() && far.pause());
    await until(() => hasMore() && far.isPaused());
    expect(takenBytesOf(near)).toBeLessThan(TOO_MUCH_BYTES);
    expect(near.writableLength).toBe(TOO_MUCH_BYTES + 1_000);
    far.removeAllListeners('data');
    far.resume();
    await until(() => takenBytesOf(near) === TOO_MUCH_BYTES + 2_000);
  });

  test('is undefined for a closed socket', async () => {
    const { near } = await handlePair();
    near.destroy();
    expect(takenBytesOf(near)).toBeUndefined();
  });
});

describe('readDirectly', () => {
  /** Keeps what it takes; `takes` says whether it takes a chunk. */
  function reader(takes: () => boolean): {
    readonly taken: Buffer[];
    read(chunk: Buffer, length: number): boolean;
  } {
    const taken: Buffer[] = [];
    return {
      taken,
      read: (chunk, length) => {
        if (!takes()) return false;
        taken.push(Buffer.from(chunk.subarray(0, length)));
        return true;
      },
    };
  }

  test('received bytes go to the owner, and the end to the stream', async () => {
    const { near, far, handle } = await handlePair();
    const streamed: Buffer[] = [];
    near.on('data', (chunk: Buffer) => streamed.push(chunk));
    const owner = reader(() => true);
    readDirectly(handle, owner);
    const sent = pattern(1_000_000, 3);
    far.end(sent);
    await once(near, 'end');
    expect(Buffer.concat(owner.taken).equals(sent)).toBe(true);
    expect(streamed).toEqual([]);
  });

  test('a reset is an error of the stream', async () => {
    const { near, far, handle } = await handlePair();
    near.resume();
    readDirectly(
      handle,
      reader(() => true),
    );
    const failed = once(near, 'error');
    far.resetAndDestroy();
    expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' });
  });

  test('bytes that the owner does not consume go to the stream, in order', async () => {
    const { near, far, handle } = await handlePair();
    let turn = 0;
    const all: Buffer[] = [];
    let streamed = 0;
    near.on('data', (chunk: Buffer) => {
      streamed += 1;
      all.push(chunk);
    });
    readDirectly(handle, {
      read: (chunk, length) => {
        turn += 1;
        if (turn % 3 === 0) return false;
        all.push(Buffer.from(chunk.subarray(0, length)));
        return true;
      },
    });
    const parts: Buffer[] = [];
    let sentBytes = 0;
    for (let round = 0; round < 60; round++) {
      const part = pattern(1 + round * 40, round);
      parts.push(part);
      sentBytes += part.length;
      far.write(part);
      await until(() => near.bytesRead === sentBytes);
    }
    far.end();
    await once(near, 'end');
    expect(Buffer.concat(all).equals(Buffer.concat(parts))).toBe(true);
    expect(streamed).toBe(20);
    expect(turn).toBe(60);
  });

  test('bytes of the stream are not overwritten by later reads of any socket', async () => {
    const one = await handlePair();
    const two = await handlePair();
    // Without a listener the stream keeps it.
    readDirectly(
      one.handle,
      reader(() => false),
    );
    readDirectly(
      two.handle,
      reader(() => true),
    );
    one.far.write('kept for later');
    await until(() => one.near.readableLength === 14);
    two.far.write('something that is longer than the other');
    await until(() => two.near.bytesRead > 14);
    expect(String(one.near.read())).toBe('kept for later');
  });

  test('an owner can change, and can end; nothing is lost', async () => {
    const { near, far, handle } = await handlePair();
    const first = reader(() => true);
    const second = reader(() => true);
    const streamed: Buffer[] = [];
    near.on('data', (chunk: Buffer) => streamed.push(chunk));
    let sent = 0;
    const send = async (text: string): Promise<void> => {
      sent += text.length;
      far.write(text);
      await until(() => near.bytesRead === sent);
    };
    readDirectly(handle, first);
    await send('one');
    readDirectly(handle, second);
    await send('two');
    readDirectly(handle, undefined);
    await send('three');
    readDirectly(handle, first);
    await send('four');
    expect(first.taken.map(String)).toEqual(['one', 'four']);
    expect(second.taken.map(String)).toEqual(['two']);
    expect(streamed.map(String)).toEqual(['three']);
  });

  test('an owner that ends within a read, and does not consume the chunk, leaves it to the stream', async () => {
    const { near, far, handle } = await handlePair();
    const streamed: string[] = [];
    near.on('data', (chunk) => streamed.push(String(chunk)));
    readDirectly(handle, {
      read: () => {
        readDirectly(handle, undefined);
        writeDirectly(handle, Buffer.from('goodbye'), new Owner());
        return false;
      },
    });
    far.write('hello');
    await until(() => streamed.length > 0);
    expect(streamed).toEqual(['hello']);
  });

  // Skipped until `read` leaves alone a stream that its owner has destroyed: Node then takes the
  // number of bytes for an error's.
  test('an owner may destroy the socket within a read, if it consumes the chunk', async () => {
    const { near, far, handle } = await handlePair();
    let reads = 0;
    readDirectly(handle, {
      read: () => {
        reads += 1;
        near.destroy();
        return true;
      },
    });
    far.write('hello');
    await once(near, 'close');
    expect(reads).toBe(1);
    expect(near.readableLength).toBe(0);
  });

  test('a full stream stops reading, and continues when it is read', async () => {
    const { near, far, handle } = await handlePair();
    readDirectly(
      handle,
      reader(() => false),
    );
    const sent = pattern(4 * 1024 * 1024, 5);
    far.end(sent);
    await until(() => near.readableLength >= near.readableHighWaterMark);
    expect((await readAll(near)).equals(sent)).toBe(true);
  });
});
