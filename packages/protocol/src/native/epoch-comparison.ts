import { ProtocolError } from '../protocol-error.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';

/**
 * Relation of the current epoch of a channel to the one that a peer knows: the same, another
 * history, or another name of the same history. No hub sends `renamed` yet; peers must accept it:
 * the offsets continue, and nothing was missed because of the name.
 */
export type EpochComparison = 'same' | 'changed' | 'renamed';

const COMPARISONS = ['same', 'changed', 'renamed'] as const satisfies readonly EpochComparison[];

/** Compares the current epoch with the one that a peer knows, if it knows one. */
export function compareEpochs(current: string, known: string | undefined): EpochComparison {
  return known === undefined || known === current ? 'same' : 'changed';
}

export function writeEpochComparison(writer: ByteWriter, comparison: EpochComparison): ByteWriter {
  return writer.u8(COMPARISONS.indexOf(comparison));
}

export function readEpochComparison(reader: ByteReader): EpochComparison {
  const code = reader.u8();
  const comparison = COMPARISONS[code];
  if (comparison === undefined) throw new ProtocolError('bad_frame', `Unknown comparison ${code} of epochs.`);
  return comparison;
}
