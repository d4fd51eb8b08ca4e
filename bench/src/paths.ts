import { fileURLToPath } from 'node:url';

/** Paths of the repository that the bench uses. */
export const ROOT: string = fileURLToPath(new URL('../../', import.meta.url));
export const BENCH: string = `${ROOT}bench/`;
export const PEERS: string = `${BENCH}peers/`;
/** Returns the bundle of an app, in this checkout or another one. */
export const bundleOf = (app: string, root: string = ROOT): string => `${root}apps/${app}/dist/main.js`;
