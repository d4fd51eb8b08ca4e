import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** State of a listening socket in `/proc/net/tcp`. */
const TCP_LISTEN = '0A';

/**
 * Returns whether the process listens on the TCP port, on any address; `undefined` without `/proc`,
 * which only Linux has. Throws the system's error when the process does not exist or belongs to
 * another user.
 */
export function listensOn(pid: number, port: number): boolean | undefined {
  if (process.platform !== 'linux') return undefined;
  const listening = new Set(['tcp', 'tcp6'].flatMap((table) => listeningInodes(table, port)));
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).some((fd) => listening.has(linkOf(`${folder}/${fd}`)));
}

/**
 * Parses rows such as `0: 0100007F:04D3 00000000:0000 0A …`, with the inode in the tenth column.
 */
function listeningInodes(table: string, port: number): readonly string[] {
  const hexPort = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return readTable(table)
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => state === TCP_LISTEN && local?.endsWith(hexPort))
    .map((columns) => `socket:[${columns[9]}]`);
}

function readTable(table: string): string {
  try {
    return readFileSync(`/proc/net/${table}`, 'utf8');
  } catch {
    // Without IPv6 there is no such table.
    return '';
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // Closed after the folder was read.
    return '';
  }
}
