import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { LogSink } from './log-sink.ts';

test('lines beyond the backlog are dropped and counted, and accepted again when there is room', () => {
  const lines: string[] = [];
  let finish: (() => void) | undefined;
  const stream = new Writable({
    decodeStrings: false,
    write(line: string, _encoding, done) {
      lines.push(line);
      finish = done;
    },
  });
  const sink = new LogSink(stream, 10);
  sink.write('12345');
  sink.write('67890');
  sink.write('x');
  expect([sink.dropped, lines]).toEqual([1, ['12345']]);
  finish?.();
  sink.write('y');
  expect(sink.dropped).toBe(1);
});

test('a line that could not be written is counted, and its error ends nothing', async () => {
  const stream = new Writable({
    autoDestroy: false,
    write(_line, _encoding, done) {
      done(new Error('EPIPE'));
    },
  });
  const sink = new LogSink(stream);
  sink.write('a\n');
  // The stream emits the error within this event-loop turn; without a listener, it would be
  // uncaught.
  await new Promise((resolve) => setImmediate(resolve));
  expect(sink.dropped).toBe(1);
});
