import { limits } from '@groupcast/protocol';
import { type Namespace, NamespacesError, parseNamespaces } from '@groupcast/protocol/schema';
import { ConfigError, readFileOption } from '@groupcast/service';
import type { HubConfig } from '../config.ts';

const FLAG = '--namespaces-file';

type Limits = Pick<HubConfig, 'namespacesFile' | 'frameBytesMax' | 'historyTotalBytes'>;

/**
 * Reads the namespaces; undefined where no file was named. Throws ConfigError with every fault of
 * the file, and every bound above that of the hub.
 */
export function readNamespacesFile(config: Limits): readonly Namespace[] | undefined {
  const { namespacesFile: path } = config;
  if (path === '') return undefined;
  const { text } = readFileOption(FLAG, path, limits.NAMESPACES_BYTES_MAX);
  const list = parsed(text, path);
  const faults = list.flatMap((namespace, index) => faultsOf(namespace, index, config));
  if (faults.length > 0) throw namespacesError(path, faults);
  return list;
}

function parsed(text: string, path: string): readonly Namespace[] {
  try {
    return parseNamespaces(text);
  } catch (error) {
    if (error instanceof NamespacesError) throw namespacesError(path, error.faults, { cause: error });
    throw error;
  }
}

/** Returns a sentence for each bound that the hub cannot keep. */
function faultsOf(
  { message_bytes_max: messageBytes = 0, history }: Namespace,
  index: number,
  { frameBytesMax, historyTotalBytes }: Limits,
): readonly string[] {
  const bounds = [
    ['message_bytes_max', messageBytes, '--frame-bytes-max', frameBytesMax],
    ['history.bytes', history?.bytes ?? 0, '--history-total-bytes', historyTotalBytes],
  ] as const;
  return bounds
    .filter(([, bytes, , bytesMax]) => bytes > bytesMax)
    .map(
      ([field, bytes, flag, bytesMax]) =>
        `[${index}].${field} is ${bytes}, which is above ${flag}. Give at most ${bytesMax} (bytes).`,
    );
}

function namespacesError(path: string, faults: readonly string[], options?: ErrorOptions): ConfigError {
  return new ConfigError(
    faults.map((fault) => `${FLAG} ${path}: ${fault}`),
    options,
  );
}
