import { fileURLToPath } from 'node:url';

/** Of the repository, and of what the bench uses in it. */
export const ROOT: string = fileURLToPath(new URL('../../', import.meta.url));
export const BENCH: string = `${ROOT}bench/`;
export const PEERS: string = `${BENCH}peers/`;
/** The bundle of an app, in this checkout or another one. */
export const bundleOf = (app: string, root: string = ROOT): string => `${root}apps/${app}/dist/main.js`;
