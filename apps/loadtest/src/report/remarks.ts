import { printable } from '@groupcast/service';
import { isFaultless, type Result } from './result.ts';

/** What a reader of the numbers must know, one sentence each. */
export function remarks(result: Result): readonly string[] {
  const lines: string[] = [];
  const { lost, doubled, misordered, unexpected, generator, interrupted } = result;
  if (!isFaultless(result)) {
    lines.push(
      `FAILED: ${lost} deliveries were lost, ${doubled} came twice, ${misordered} came out of order, ${unexpected} were not expected.`,
    );
  }
  for (const [reason, count] of Object.entries(result.complaints))
    lines.push(`${count} times: ${printable(reason)}`);
  if (generator.limited) {
    const share = Math.round(generator.cpuShare * 100);
    lines.push(
      `WARNING: a generator process took ${share} % of a core, so this measures the generator too. Give more --processes, or another machine.`,
    );
  }
  if (interrupted) lines.push('Interrupted: this is what was measured until then.');
  return lines;
}
