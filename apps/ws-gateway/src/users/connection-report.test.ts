import { encodeText } from '@groupcast/protocol';
import { expect, test } from 'vitest';
import { encodeReport, parseReport, REPORTED_CONNECTIONS_MAX } from './connection-report.ts';

const REPORT = {
  worker: 'w',
  open: [{ clientId: '3f9c0a', openedMs: 1_790_000_000_000, worker: 'w' }],
  opened: ['c7d1e2'],
};
const TEXT = '{"worker":"w","open":[["3f9c0a",1790000000000]],"opened":["c7d1e2"]}';

test('a report has the connections of one worker', () => {
  expect(encodeReport(REPORT)).toBe(TEXT);
  expect(parseReport(encodeText(TEXT))).toEqual(REPORT);
});

test('fields of a later version are ignored', () => {
  expect(parseReport(encodeText(TEXT.replace('{', '{"later":1,')))).toEqual(REPORT);
});

test('a report has as many connections as a limit may allow', () => {
  const opened = Array.from({ length: REPORTED_CONNECTIONS_MAX }, (_, index) => `c${index}`);
  const text = encodeReport({ worker: 'w', open: [], opened });
  expect(parseReport(encodeText(text))?.opened).toEqual(opened);
  const more = encodeReport({ ...REPORT, opened });
  expect(parseReport(encodeText(more))).toBeUndefined();
});

test.each([
  '',
  'null',
  '[]',
  '7',
  '{"worker":"w","open":[]}',
  '{"worker":"","open":[],"opened":[]}',
  `{"worker":"${'w'.repeat(256)}","open":[],"opened":[]}`,
  '{"worker":"w","open":{},"opened":[]}',
  '{"worker":"w","open":["c"],"opened":[]}',
  '{"worker":"w","open":[["c"]],"opened":[]}',
  '{"worker":"w","open":[["c",-1]],"opened":[]}',
  '{"worker":"w","open":[["c",1.5]],"opened":[]}',
  '{"worker":"w","open":[["c","1"]],"opened":[]}',
  '{"worker":"w","open":[[7,1]],"opened":[]}',
  '{"worker":"w","open":[],"opened":[""]}',
  '{"worker":"w","open":[],"opened":["\\ud800"]}',
  '{"worker":"w","open":[],"opened":[',
])('%j is no report', (text) => {
  expect(parseReport(encodeText(text))).toBeUndefined();
});
