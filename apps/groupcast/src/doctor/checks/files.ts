import { accessSync, constants, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ConfigError, certificateWarnings } from '@groupcast/service';
import { type HubAccess, type PreparedAccess, prepareAccess } from '../../channel/hub-access.ts';
import { type Finding, reasonOf } from '../finding.ts';

const OPEN_TO_OTHERS = 0o077;

/** The options for a hub with their files, and the findings about these. */
export interface AccessReading {
  /** Missing where a file cannot be used. */
  readonly access?: PreparedAccess;
  readonly findings: readonly Finding[];
}

/** Reads the files of the options, with the checks of a gateway. */
export function checkAccessFiles(options: HubAccess): AccessReading {
  const check = 'files';
  try {
    const access = prepareAccess(options);
    // The check of certificates has its own findings.
    const ofCertificates = certificateWarnings(access.certificates);
    const warnings = access.warnings
      .filter((text) => !ofCertificates.includes(text))
      .map((text): Finding => ({ state: 'warning', check, text }));
    const { secretFile, hubTlsCaFile, hubTlsCertFile, hubTlsKeyFile } = options;
    const named = [secretFile, hubTlsCaFile, hubTlsCertFile, hubTlsKeyFile].filter((path) => path !== '');
    const text =
      named.length === 0 ? 'No secret and no certificate is named.' : `Usable: ${named.join(', ')}.`;
    return { access, findings: [{ state: 'ok', check, text }, ...warnings] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { findings: error.problems.map((text) => ({ state: 'fault', check, text })) };
  }
}

/** Checks the folder in which `groupcast dev` keeps its state, or would create it. */
export function checkStateFolder(dir: string): Finding {
  const check = 'state';
  try {
    const stats = statSync(dir, { throwIfNoEntry: false });
    if (stats === undefined) {
      accessSync(dirname(resolve(dir)), constants.W_OK | constants.X_OK);
      return { state: 'ok', check, text: `${dir} does not exist yet, and can be created.` };
    }
    if (!stats.isDirectory()) {
      return {
        state: 'fault',
        check,
        text: `${dir} is no folder. Remove it, or name another one with --dir.`,
      };
    }
    accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK);
    const isPrivate = (stats.mode & OPEN_TO_OTHERS) === 0;
    if (isPrivate) return { state: 'ok', check, text: `${dir} can be written, and is private.` };
    return { state: 'warning', check, text: `Other users can open ${dir}. Run: chmod 700 ${dir}` };
  } catch (error) {
    const text = `${dir} cannot be used: ${reasonOf(error)}. Change its rights, or name another one with --dir.`;
    return { state: 'fault', check, text };
  }
}
