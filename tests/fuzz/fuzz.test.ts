import { expect, test } from 'vitest';
import { fuzz } from './fuzz.ts';
import { FuzzReport } from './fuzz-report.ts';

/** For more frames: `pnpm fuzz --help`. */
const FRAMES_DEFAULT = 200_000;

test('random frames of peers affect no other peer, and leave no state behind', async () => {
  const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 1e9));
  const frames = Number(process.env['FUZZ_FRAMES'] ?? FRAMES_DEFAULT);
  const report = new FuzzReport();
  await fuzz(seed, frames, report);
  expect(report.findings, `FUZZ_SEED=${seed}`).toEqual([]);
  // The frames must reach the code behind the parsers.
  expect(report.frames).toBeGreaterThanOrEqual(frames);
  for (const end of ['bad_frame', 'bad_length', 'bad_channel', 'unknown_dialect', 'peer_closed']) {
    expect(report.endedAs(end), end).toBeGreaterThan(0);
  }
  expect(report.published).toBeGreaterThan(frames / 20);
  expect(report.delivered).toBeGreaterThan(frames / 20);
  expect(report.done).toBeGreaterThan(frames / 1_000);
  expect(report.received).toBeGreaterThan(frames / 10);
});
