import { inSeconds, integerOption, textOption } from '@groupcast/options';
import { expect, test } from 'vitest';
import { libraryOptions } from './library-options.ts';

const TIME = { min: 0, max: 100_000, unit: 'milliseconds' };
const LIBRARY = { port: integerOption({ default: 1, min: 0, max: 9, unit: '' }) };
const QUEUES = { ageMs: integerOption({ ...TIME, default: 2_000 }), name: textOption({ default: '' }) };

test('values go to the library options of the same name, and to those that a row names', () => {
  const rows = {
    port: LIBRARY.port,
    queueSeconds: { ...inSeconds(QUEUES.ageMs, { min: 0, max: 10 }), to: 'queues.ageMs' },
    queueName: { ...QUEUES.name, to: 'queues.name' },
    logLevel: textOption({ default: 'info' }),
  };
  const config = { port: 3, queueSeconds: 1.0015, queueName: 'jobs', logLevel: 'warn' };
  expect(libraryOptions(rows, LIBRARY, config)).toEqual({ port: 3, queues: { ageMs: 1_002, name: 'jobs' } });
});
