import { lstatSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { HubError } from '../hub-error.ts';

/** Returns the error of a Unix socket that cannot be created, with what stands in its way. */
export function unixSocketError(path: string, cause: unknown): HubError {
  return new HubError('unix_socket', `Cannot create the Unix socket ${path}: ${reasonOf(path, cause)}`, {
    cause,
  });
}

function reasonOf(path: string, cause: unknown): string {
  const folder = dirname(path);
  // The system reports a missing folder as a missing permission.
  const folderKind = kindOf(() => statSync(folder));
  if (folderKind === 'nothing' || folderKind === 'file') {
    return `there is no folder ${folder}. Create it, or choose another path.`;
  }
  const kind = kindOf(() => lstatSync(path));
  if (kind === 'link') return 'it is a symbolic link. Give the path of the socket itself.';
  if (kind === 'folder') return 'a folder is there. Choose another path.';
  if (kind === 'file') return 'a file that is not a socket is there. Remove it, or choose another path.';
  const code = codeOf(cause);
  if (code === 'EACCES' || code === 'EPERM') {
    return `this user may not create files in ${folder}. Change its owner or mode, or choose another path.`;
  }
  if (code === 'EROFS') return `the file system of ${folder} is read-only. Choose another path.`;
  return `${cause instanceof Error ? cause.message : String(cause)}. Choose another path.`;
}

type Kind = 'nothing' | 'file' | 'folder' | 'link' | 'socket' | 'hidden';

function kindOf(look: () => Stats): Kind {
  try {
    const found = look();
    if (found.isSymbolicLink()) return 'link';
    if (found.isDirectory()) return 'folder';
    return found.isSocket() ? 'socket' : 'file';
  } catch (error) {
    const code = codeOf(error);
    // Behind a folder that this user may not enter. The error of the socket says so.
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'nothing' : 'hidden';
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
