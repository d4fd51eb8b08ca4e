import { printable } from '@groupcast/service';
import { isFaultless, type Result } from './result.ts';

/** Returns remarks that a reader of the figures needs, one sentence each. */
export function remarks(result: Result): readonly string[] {
  const lines: string[] = [];
  const { lost, doubled, misordered, unexpected, generator, interrupted } = result;
  if (!isFaultless(result)) {
    lines.push(
      `FAILED: of the deliveries, ${lost} were lost, ${doubled} duplicated, ${misordered} out of order and ${unexpected} unexpected.`,
    );
  }
  for (const [reason, count] of Object.entries(result.complaints))
    lines.push(`${count} times: ${printable(reason)}`);
  if (generator.limited) {
    const share = Math.round(generator.cpuShare * 100);
    lines.push(
      `WARNING: a generator process used ${share} % of a core, so it limits the figures. Raise --processes, or use another machine.`,
    );
  }
  if (interrupted) lines.push('Interrupted: the figures end there.');
  return lines;
}
