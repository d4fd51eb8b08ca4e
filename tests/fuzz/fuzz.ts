import { fuzzCodecs } from './fuzz-codecs.ts';
import type { FuzzReport } from './fuzz-report.ts';
import { FuzzRound } from './fuzz-round.ts';

/** Frames of one round: one hub for sessions, then the codecs alone. */
const ROUND_FRAMES = 5_000;

/** The part of them that codecs get alone. */
const CODEC_SHARE = 0.2;

/** Round R has the seed `seed` + R, so that it can be run alone. `told` hears of each round. */
export async function fuzz(
  seed: number,
  frames: number,
  report: FuzzReport,
  told: () => void = () => {},
): Promise<void> {
  const own = new Set(Object.getOwnPropertyNames(Object.prototype));
  for (let round = seed; report.frames < frames; round++) {
    const codecFrames = Math.floor(ROUND_FRAMES * CODEC_SHARE);
    await new FuzzRound(round, report).run(ROUND_FRAMES - codecFrames);
    fuzzCodecs(round, codecFrames, report);
    for (const name of Object.getOwnPropertyNames(Object.prototype)) {
      if (!own.has(name)) report.finding(round, `Object.prototype has "${name}"`);
    }
    told();
  }
}
