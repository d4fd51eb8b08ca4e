import { fuzzCodecs } from './fuzz-codecs.ts';
import type { FuzzReport } from './fuzz-report.ts';
import { FuzzRound } from './fuzz-round.ts';

/** Frames of one round: first one hub with peers, then the codecs alone. */
const ROUND_FRAMES = 5_000;

/** Share of the frames that codecs get directly. */
const CODEC_SHARE = 0.2;

/**
 * Runs rounds. Round R has the seed `seed` + R, so that it can be repeated alone. `told` is called
 * for each round.
 */
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
